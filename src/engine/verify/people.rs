//! Reads all people on two threads, range by range.

use std::{
    ops::{ControlFlow, RangeInclusive},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use super::{
    error::VerifyError,
    person::{PeopleReader, PeopleSums, Scope},
    request::VerifyRequest,
    sources::STRIDE,
};
use crate::store::read_back::{self, Snapshot};

/// Threads that read people, each on a connection of its own.
const THREADS: usize = 2;
/// Ranges of ids: enough that both threads end at about the same time.
const RANGES: i128 = 16;

/// Reads everyone between the lowest and the highest person.
pub(super) fn read_all(
    request: &VerifyRequest<'_>,
    snapshot: &Snapshot,
    scope: Scope<'_>,
    persons: Option<(i64, i64)>,
) -> Result<PeopleSums, VerifyError> {
    let ranges = ranges(persons);
    let next = AtomicUsize::new(0);
    let mut sums = PeopleSums::new(scope.readings.len());
    thread::scope(|threads| {
        let readers: Vec<_> = (0..THREADS)
            .map(|_| threads.spawn(|| read_ranges(request, snapshot, scope, &ranges, &next)))
            .collect();
        for reader in readers {
            match reader.join() {
                Ok(read) => sums.merge(read?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    })
    .map(|()| sums)
}

/// Even ranges; the first and the last reach as far as ids do, for rows that hang on nobody.
fn ranges(persons: Option<(i64, i64)>) -> Vec<RangeInclusive<i64>> {
    let (low, high) = persons.unwrap_or_default();
    let (low, high) = (i128::from(low), i128::from(high));
    let cut = |at: i128| low + (high - low) * at / RANGES;
    (0..RANGES)
        .map(|at| {
            let from = if at == 0 {
                i128::from(i64::MIN)
            } else {
                cut(at) + 1
            };
            let last = at + 1 == RANGES;
            let to = if last {
                i128::from(i64::MAX)
            } else {
                cut(at + 1)
            };
            let id = |id: i128| i64::try_from(id).unwrap_or(i64::MAX);
            id(from)..=id(to)
        })
        .collect()
}

fn read_ranges(
    request: &VerifyRequest<'_>,
    snapshot: &Snapshot,
    scope: Scope<'_>,
    ranges: &[RangeInclusive<i64>],
    next: &AtomicUsize,
) -> Result<PeopleSums, VerifyError> {
    let target = snapshot.open()?;
    let mut reader = PeopleReader::new(scope);
    while let Some(range) = ranges.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut read = 0_u64;
        read_back::read_people(&target, range, &mut |person| {
            reader.take(person);
            read += person.pins.len() as u64;
            if read >= STRIDE {
                request.progress.advance(read);
                read = 0;
                if request.stop.requested().is_some() {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        request.progress.advance(read);
        if let Some(reason) = request.stop.requested() {
            return Err(VerifyError::Stopped(reason));
        }
    }
    Ok(reader.sums)
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn ranges_cover_every_id_once() {
        for persons in [
            None,
            Some((1, 1)),
            Some((5, 9)),
            Some((1, 2_000_000)),
            Some((-3, i64::MAX)),
        ] {
            let ranges = ranges(persons);
            assert_eq!(*ranges[0].start(), i64::MIN);
            assert_eq!(*ranges[ranges.len() - 1].end(), i64::MAX);
            for pair in ranges.windows(2) {
                assert_eq!(pair[0].end() + 1, *pair[1].start(), "{persons:?}");
            }
        }
    }
}
