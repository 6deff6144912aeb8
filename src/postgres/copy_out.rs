//! Rows on their way out of a table.

use std::{future, ops::ControlFlow, pin::Pin, task::Poll, time::Duration};

use futures_util::TryStreamExt;
use sqlx::{Error, postgres::PgConnection};
use tokio::time;

use super::bridge::{Bridge, Late};

/// Rows are handed on in chunks of about this size.
const CHUNK_BYTES: usize = 256 << 10;

/// Gives chunks to `each` until there are no more, or it breaks.
pub(super) fn run(
    bridge: &Bridge,
    connection: &mut PgConnection,
    sql: &str,
    silence: Duration,
    each: &mut dyn FnMut(&mut Vec<u8>) -> ControlFlow<()>,
) -> Result<Result<ControlFlow<()>, Error>, Late> {
    let mut rows = match bridge.wait(silence, connection.copy_out_raw(sql))? {
        Ok(rows) => rows,
        Err(error) => return Ok(Err(error)),
    };
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    loop {
        chunk.clear();
        let more = match bridge.run(fill(&mut rows, &mut chunk, silence))? {
            Ok(more) => more,
            Err(error) => return Ok(Err(error)),
        };
        if !chunk.is_empty() && each(&mut chunk).is_break() {
            return Ok(Ok(ControlFlow::Break(())));
        }
        if !more {
            return Ok(Ok(ControlFlow::Continue(())));
        }
    }
}

/// Appends messages to the chunk until it is large enough or there are no more; whether there may be more.
async fn fill<S>(
    rows: &mut S,
    chunk: &mut Vec<u8>,
    silence: Duration,
) -> Result<Result<bool, Error>, Late>
where
    S: TryStreamExt<Ok: AsRef<[u8]>, Error = Error> + Unpin + Send,
{
    while chunk.len() < CHUNK_BYTES {
        let mut next = rows.try_next();
        // Every row is a message of its own; a clock is asked only where none is there yet.
        let at_hand = future::poll_fn(|context| Poll::Ready(Pin::new(&mut next).poll(context)));
        let row = match at_hand.await {
            Poll::Ready(row) => row,
            Poll::Pending => time::timeout(silence, next).await.map_err(|_| Late)?,
        };
        match row {
            Ok(Some(row)) => chunk.extend_from_slice(row.as_ref()),
            Ok(None) => return Ok(Ok(false)),
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(true))
}
