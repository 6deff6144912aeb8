//! Writing the rows of a chunk: one binary COPY per table.

use super::copy_row::{self, Kind};
use crate::store::{ChunkRows, StoreError, database::Server, tape::Tape};

use Kind::{Date, Flag, Int2, Int4, Int8, Text};

const ACTION: &str = "write a chunk's rows";

/// Bytes per message: each is a system call and a flush.
const MESSAGE_BYTES: usize = 512 << 10;

const PERSON: &str =
    "COPY person (person_id, surname, given_name, birth_date, email, phone, run_id)
    FROM STDIN (FORMAT binary)";
const PERSON_KINDS: &[Kind] = &[Int8, Text, Text, Date, Text, Text, Int8];
const FISCAL_CODE: &str =
    "COPY fiscal_code (fiscal_code, person_id, current) FROM STDIN (FORMAT binary)";
const FISCAL_CODE_KINDS: &[Kind] = &[Text, Int8, Flag];
const PIN: &str = "COPY pin (pin_id, person_id, status, disposition, level, credential, credential_scheme,
        credential_salt, halves_delivered, issued_on, expires_on, last_used_on, office, channel, source, legacy_id,
        legacy_profile, legacy_entity, legacy_status, superseded_by, run_id)
    FROM STDIN (FORMAT binary)";
const PIN_KINDS: &[Kind] = &[
    Int8, Int8, Text, Text, Text, Text, Text, Text, Int2, Date, Date, Date, Text, Text, Text, Text,
    Text, Text, Text, Int8, Int8,
];
const PROFILE_GRANT: &str =
    "COPY profile_grant (person_id, profile, entity, status, level, valid_from, evidence, run_id)
    FROM STDIN (FORMAT binary)";
const PROFILE_GRANT_KINDS: &[Kind] = &[Int8, Text, Text, Text, Text, Date, Text, Int8];
const DELEGATION: &str = "COPY delegation (person_id, guardian_fiscal_code, evidence, run_id)
    FROM STDIN (FORMAT binary)";
const DELEGATION_KINDS: &[Kind] = &[Int8, Text, Text, Int8];
const QUARANTINE: &str =
    "COPY quarantine (source, legacy_id, copy, reason, detail, payload, run_id)
    FROM STDIN (FORMAT binary)";
const QUARANTINE_KINDS: &[Kind] = &[Text, Text, Int4, Text, Text, Text, Int8];
const FINDING: &str = "COPY finding (run_id, kind, source, legacy_id) FROM STDIN (FORMAT binary)";
const FINDING_KINDS: &[Kind] = &[Int8, Text, Text, Text];

/// Writes the rows of a chunk.
pub(in crate::store) fn insert(server: &Server, rows: &ChunkRows) -> Result<(), StoreError> {
    let mut bytes = Vec::new();
    for (sql, kinds, tape) in [
        (PERSON, PERSON_KINDS, &rows.person),
        (FISCAL_CODE, FISCAL_CODE_KINDS, &rows.fiscal_code),
        (PIN, PIN_KINDS, &rows.pin),
        (PROFILE_GRANT, PROFILE_GRANT_KINDS, &rows.profile_grant),
        (DELEGATION, DELEGATION_KINDS, &rows.delegation),
        (QUARANTINE, QUARANTINE_KINDS, &rows.quarantine),
        (FINDING, FINDING_KINDS, &rows.finding),
    ] {
        if tape.rows() > 0 {
            copy(server, sql, kinds, tape, &mut bytes)?;
        }
    }
    Ok(())
}

fn copy(
    server: &Server,
    sql: &str,
    kinds: &[Kind],
    tape: &Tape,
    bytes: &mut Vec<u8>,
) -> Result<(), StoreError> {
    bytes.clear();
    copy_row::write(tape, kinds, bytes);
    let copied = server.with(|session| {
        let mut copy = session.copy_in(ACTION, sql)?;
        for message in bytes.chunks(MESSAGE_BYTES) {
            copy.send(message)?;
        }
        copy.finish()
    });
    let copied = copied.map_err(StoreError::postgres(ACTION))?;
    if copied == tape.rows() as u64 {
        Ok(())
    } else {
        Err(StoreError::Damaged {
            what: format!("{copied} rows of the {} that were sent", tape.rows()),
        })
    }
}
