//! Known PINs: logins are what the job is about, so a few credentials are looked up by hand.

use std::path::Path;

use super::{
    error::VerifyError,
    mismatch::{MismatchCode, Mismatches, record_name},
};
use crate::store::read_back::{ReadBack, find_pin, pin};

/// Columns of the canary file, in any order.
const HEADER: [&str; 4] = ["id", "scheme", "hash", "salt"];
/// A canary file is written by hand; more lines than this are a mistake.
const LINES: usize = 100_000;

/// Looks every known PIN up; how many there were.
pub(super) fn check_canaries(
    path: &Path,
    target: &ReadBack,
    out: &mut Mismatches,
) -> Result<u64, VerifyError> {
    let failed = |what: String| VerifyError::Canary {
        path: path.display().to_string(),
        what,
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(|error| failed(error.to_string()))?;
    let header = reader
        .headers()
        .map_err(|error| failed(error.to_string()))?
        .clone();
    let place = |name: &str| header.iter().position(|column| column == name);
    let [Some(id), Some(scheme), Some(hash)] = [HEADER[0], HEADER[1], HEADER[2]].map(place) else {
        return Err(failed(
            "line 1: the columns are id;scheme;hash;salt".to_owned(),
        ));
    };
    let salt = place(HEADER[3]);
    let mut known = 0;
    for (at, line) in reader.records().take(LINES).enumerate() {
        let number = at + 2;
        let line = line.map_err(|error| failed(format!("line {number}: {error}")))?;
        let Some((source, legacy_id)) = line.get(id).and_then(|name| name.split_once(':')) else {
            return Err(failed(format!(
                "line {number}: the id is written source:id"
            )));
        };
        known += 1;
        let expected = [
            line.get(scheme).unwrap_or_default(),
            line.get(hash).unwrap_or_default(),
            salt.and_then(|at| line.get(at)).unwrap_or_default(),
        ];
        if !stands_as(target, source, legacy_id, expected)? {
            let example = Some(record_name(source, legacy_id));
            out.add(
                MismatchCode::Canary,
                "pin",
                "known PINs that were not found as announced",
                example,
            );
        }
    }
    Ok(known)
}

fn stands_as(
    target: &ReadBack,
    source: &str,
    legacy_id: &str,
    [scheme, hash, salt]: [&str; 3],
) -> Result<bool, VerifyError> {
    let Some(found) = find_pin(target, source, legacy_id)? else {
        return Ok(false);
    };
    let text = |column| found.pins.text(0, column);
    Ok(text(pin::CREDENTIAL_SCHEME).eq_ignore_ascii_case(scheme)
        && text(pin::CREDENTIAL) == hash
        && text(pin::CREDENTIAL_SALT) == salt)
}
