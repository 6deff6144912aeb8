//! The fingerprint of a source under lock is that of the moment the lock was engaged.

use pinferry::{config::settings::CredentialChange, source::lock::Leftovers};

use crate::support::{Legacy, TABLES, fingerprint};

#[test]
fn what_the_lock_lets_through_is_no_change_of_the_source_and_anything_else_is() {
    for (_, id, tail) in TABLES {
        let mut legacy = Legacy::with(id, tail);
        legacy.lock.credential_change = CredentialChange::Capture;
        let engaged = fingerprint(&legacy);
        let locked = legacy.engage();
        assert_eq!(fingerprint(&legacy), engaged);
        legacy.assert_passes("UPDATE pin_legacy SET pin_hash = 'new' WHERE id = '1'");
        legacy.assert_passes("UPDATE pin_legacy SET stato = 'S' WHERE id IN ('1', '4')");
        legacy.assert_passes("UPDATE pin_legacy SET ultimo_accesso = '2013-11-03'");
        legacy.assert_passes("UPDATE pin_legacy SET stato = 'R', nota = 'x' WHERE id = '1'");
        assert_eq!(fingerprint(&legacy), engaged);
        let seq = locked.captures(1).expect("captures")[0].seq;
        locked.mark_processed(&[seq]).expect("marked");
        assert_eq!(fingerprint(&legacy), engaged);
        legacy.drop_update_guards();
        legacy.assert_passes("UPDATE pin_legacy SET email = 'x' WHERE id = '3'");
        assert_ne!(fingerprint(&legacy), engaged);
        legacy.assert_passes("UPDATE pin_legacy SET email = NULL WHERE id = '3'");
        assert_eq!(fingerprint(&legacy), engaged);
        locked
            .release(Leftovers::HandBack(&|_| Ok(())))
            .expect("released");
        assert_ne!(fingerprint(&legacy), engaged);
    }
}
