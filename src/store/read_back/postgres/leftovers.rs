//! Quarantine and findings on PostgreSQL, in the order of the tables.

use super::{
    copied::for_each,
    server,
    value::{integer, some_text},
};
use crate::store::{
    database::Database,
    read_back::{FindingRead, QuarantineRead, error::ReadBackError},
};

pub(in crate::store::read_back) fn read_quarantine(
    database: &Database,
    each: &mut dyn FnMut(&QuarantineRead<'_>),
) -> Result<(), ReadBackError> {
    let query =
        "SELECT source, legacy_id, copy, reason, detail, payload, run_id, state FROM quarantine";
    for_each::<8>(server(database)?, query, &mut |columns| {
        let text = |at: usize| some_text(columns[at]);
        each(&QuarantineRead {
            source: text(0)?,
            legacy_id: text(1)?,
            copy: integer(columns[2])?,
            reason: text(3)?,
            detail: text(4)?,
            payload: text(5)?,
            run_id: integer(columns[6])?,
            state: text(7)?,
        });
        Ok(())
    })?;
    Ok(())
}

pub(in crate::store::read_back) fn read_findings(
    database: &Database,
    each: &mut dyn FnMut(&FindingRead<'_>),
) -> Result<(), ReadBackError> {
    let query = "SELECT kind, source, legacy_id, run_id FROM finding";
    for_each::<4>(server(database)?, query, &mut |columns| {
        each(&FindingRead {
            kind: some_text(columns[0])?,
            source: some_text(columns[1])?,
            legacy_id: some_text(columns[2])?,
            run_id: integer(columns[3])?,
        });
        Ok(())
    })?;
    Ok(())
}
