//! Judges the partitions on several threads, in order within each.

use std::{
    collections::VecDeque,
    mem, panic,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use super::{
    cases::Case,
    cursor::Cursor,
    extract::{ExtractError, Extracted},
    partition::Partition,
    progress::Progress,
    stop::{StopFlag, StopReason},
};

/// Records between two signs of progress, and looks at the stop flag.
const POLL_RECORDS: u64 = 1024;

/// Receives the cases of one partition, in order.
pub trait CaseSink: Send {
    /// What can go wrong with it.
    type Error: From<ExtractError> + Send;

    /// The next case.
    ///
    /// # Errors
    /// Ends the work on all partitions.
    fn case(&mut self, case: &Case<'_>) -> Result<(), Self::Error>;

    /// No more cases come; what was received is to be settled. Not called after an error.
    ///
    /// # Errors
    /// Ends the work on all partitions.
    fn end(&mut self, end: End) -> Result<(), Self::Error>;
}

/// Why no more cases come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The partition was worked through.
    Complete,
    /// Somebody asked to stop.
    Stopped(StopReason),
}

/// A partition, or what is left of it.
#[derive(Clone, Debug)]
pub struct Work {
    /// The partition.
    pub partition: Partition,
    /// What is done already.
    pub after: Option<Cursor>,
}

/// Who works and who watches.
#[derive(Clone, Copy)]
pub struct Crew<'a> {
    /// Threads.
    pub workers: usize,
    /// Told of every record.
    pub progress: &'a dyn Progress,
    /// Looked at between cases.
    pub stop: &'a StopFlag,
}

/// Works through `work`, each thread taking the next partition in turn; every partition has a sink of its
/// own, which `open` makes when its turn comes. Returns the sinks in the order of `work`.
///
/// # Errors
/// The first error of a sink or of the extraction; [`ExtractError::Stopped`] when asked to stop, after the
/// sinks in use have settled.
pub fn judge<S: CaseSink>(
    extracted: &Extracted,
    work: Vec<Work>,
    crew: Crew<'_>,
    open: impl Fn(&Partition) -> Result<S, S::Error> + Sync,
) -> Result<Vec<S>, S::Error> {
    let bench = Bench {
        extracted,
        crew,
        queue: Mutex::new(work.into_iter().enumerate().collect()),
        failed: AtomicBool::new(false),
    };
    let mut done = Vec::new();
    let mut stopped = None;
    thread::scope(|scope| {
        let workers: Vec<_> = (0..crew.workers.max(1))
            .map(|_| scope.spawn(|| bench.work(&open)))
            .collect();
        let mut failure = None;
        for worker in workers {
            match worker.join() {
                Ok(Ok(outcome)) => {
                    done.extend(outcome.done);
                    stopped = stopped.or(outcome.stopped);
                }
                Ok(Err(error)) => failure = failure.or(Some(error)),
                Err(panic) => panic::resume_unwind(panic),
            }
        }
        failure.map_or(Ok(()), Err)
    })?;
    if let Some(reason) = stopped {
        return Err(ExtractError::Stopped(reason).into());
    }
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, sink)| sink).collect())
}

struct Bench<'a> {
    extracted: &'a Extracted,
    crew: Crew<'a>,
    queue: Mutex<VecDeque<(usize, Work)>>,
    failed: AtomicBool,
}

/// What one thread did.
struct Outcome<S> {
    done: Vec<(usize, S)>,
    stopped: Option<StopReason>,
}

impl Bench<'_> {
    fn work<S: CaseSink>(
        &self,
        open: &impl Fn(&Partition) -> Result<S, S::Error>,
    ) -> Result<Outcome<S>, S::Error> {
        let mut outcome = Outcome {
            done: Vec::new(),
            stopped: None,
        };
        while let Some((at, work)) = self.next() {
            let judged = open(&work.partition).and_then(|mut sink| {
                let end = self.partition(&work, &mut sink)?;
                Ok((sink, end))
            });
            match judged {
                Ok((sink, Some(End::Complete))) => outcome.done.push((at, sink)),
                Ok((_, Some(End::Stopped(reason)))) => {
                    outcome.stopped = Some(reason);
                    break;
                }
                Ok((_, None)) => break,
                Err(error) => {
                    self.failed.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(outcome)
    }

    /// Takes one partition to its end; to none when another thread failed meanwhile.
    fn partition<S: CaseSink>(&self, work: &Work, sink: &mut S) -> Result<Option<End>, S::Error> {
        let mut cases = self.extracted.cases(&work.partition, work.after.as_ref())?;
        let mut done = 0;
        let mut until_poll = 0;
        let end = loop {
            if done >= until_poll {
                self.crew.progress.advance(mem::take(&mut done));
                until_poll = POLL_RECORDS;
                if self.failed.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                if let Some(reason) = self.crew.stop.requested() {
                    break End::Stopped(reason);
                }
            }
            let Some(case) = cases.next_case()? else {
                break End::Complete;
            };
            sink.case(&case)?;
            done += case.records().len() as u64;
        };
        self.crew.progress.advance(done);
        sink.end(end)?;
        Ok(Some(end))
    }

    fn next(&self) -> Option<(usize, Work)> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.pop_front()
    }
}
