//! Whether the legacy's encoding has the characters of what is to be written there.

use crate::source::lock::{LockError, LockRequest, Owner, Place};

use super::{control::texts, legacy};

const DOING: &str = "asking whether the database can keep a text";

/// `untranslatable_character`: the server's encoding has no such character (PostgreSQL manual, appendix A).
const UNTRANSLATABLE: &str = "22P05";

const WORDS: &str =
    "write it with characters that this encoding has: unaccented letters are in every one";

/// A text, what it is called, and what helps where it cannot be kept.
pub(super) type Word<'w> = (&'static str, &'w str, &'static str);

/// That the database can keep what a lock will say about itself.
pub(super) fn check_request(place: &Place, request: &LockRequest) -> Result<(), LockError> {
    let owner = match &request.owner {
        Owner::Run(name) | Owner::Administrator(name) => name.as_str(),
    };
    check(
        place,
        &[
            ("the reason of a lock", &request.reason, WORDS),
            (
                "the name of a lock's owner",
                owner,
                "give another name with --by",
            ),
            (
                "the address of the target, which a sealed legacy shows,",
                &request.successor,
                "put the target where its address (target.url) has plain letters only",
            ),
        ],
    )
}

/// That the database can keep who breaks a lock, and why.
pub(super) fn check_breaking(place: &Place, by: &str, reason: &str) -> Result<(), LockError> {
    check(
        place,
        &[
            ("the name of who breaks a lock", by, WORDS),
            ("the reason for breaking a lock", reason, WORDS),
        ],
    )
}

/// Every encoding a server has keeps ASCII; of anything else the server itself is asked.
fn check(place: &Place, words: &[Word<'_>]) -> Result<(), LockError> {
    if words.iter().all(|(_, text, _)| text.is_ascii()) {
        return Ok(());
    }
    legacy::read(place, |snapshot| {
        for (what, text, remedy) in words {
            let asked = texts(&[text]);
            match snapshot
                .session
                .rows(DOING, "SELECT $1::pg_catalog.text", asked)
            {
                Err(error) if error.sqlstate() == Some(UNTRANSLATABLE) => {
                    return Err(LockError::Spelling {
                        what,
                        source_name: place.name().to_owned(),
                        encoding: snapshot.server_encoding.clone(),
                        remedy,
                    });
                }
                found => found?,
            };
        }
        Ok(())
    })
}
