//! One pass over a table: one thread reads the socket, the caller's takes the rows apart.

use std::{mem, ops::ControlFlow, panic, thread};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{
    Opened, PostgresTable,
    binary::{self, Found, Values},
    columns::{Column, select},
    open::{self, Snapshot},
    value::Form,
};
use crate::{
    domain::{
        field::{FIELDS, Field},
        raw_record::SourceIndex,
    },
    postgres::{PostgresError, Trouble},
    source::{Extent, Sink, SourceError, texts::Texts},
};

/// Chunks of a quarter of a MiB on their way from the socket: enough for either thread to fall behind a little.
const CHUNKS: usize = 8;

/// How far a scan came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    pub(super) records: u64,
    /// Whether there was no further record.
    pub(super) to_the_end: bool,
}

/// Gives every row of the table to the sink.
pub(super) fn rows(
    opened: &mut Opened,
    table: &PostgresTable<'_>,
    index: SourceIndex,
    extent: Extent,
    sink: &mut Sink<'_>,
) -> Result<Scanned, SourceError> {
    let (columns, positions) = (&opened.columns, &opened.positions);
    let mut query = select(columns, positions, &opened.relation);
    if let Extent::First(records) = extent {
        query.push_str(&format!(" LIMIT {records}"));
    }
    let forms = forms(columns, positions);
    copy(&mut opened.snapshot, table, &query, forms, index, sink)
}

/// How the value of each field arrives.
pub(super) fn forms(columns: &[Column], positions: &[(Field, usize)]) -> Vec<(Field, Form)> {
    let form = |&(field, at): &(Field, usize)| (field, columns[at].form);
    positions.iter().map(form).collect()
}

/// Gives every row that a query yields to the sink; its columns arrive as `forms` says.
pub(super) fn copy(
    snapshot: &mut Snapshot,
    table: &PostgresTable<'_>,
    query: &str,
    forms: Vec<(Field, Form)>,
    index: SourceIndex,
    sink: &mut Sink<'_>,
) -> Result<Scanned, SourceError> {
    let encoding = snapshot.encoding_for(query)?;
    let statement = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
    let mut rows = Rows {
        place: table.database.shown(),
        index,
        forms,
        texts: Texts::new(encoding, &table.settings.time_zone),
        rest: Vec::new(),
        began: false,
        ended: false,
        records: 0,
    };
    let (full, to_take_apart) = bounded::<Vec<u8>>(CHUNKS);
    let (emptied, free) = bounded::<Vec<u8>>(CHUNKS + 2);
    let session = &mut snapshot.session;
    let (copied, taken) = thread::scope(|scope| {
        let socket = scope.spawn(move || {
            let pass_on = &mut |chunk: &mut Vec<u8>| {
                let chunk = mem::replace(chunk, free.try_recv().unwrap_or_default());
                match full.send(chunk) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            };
            session.copy_out("reading the records", &statement, pass_on)
        });
        let taken = rows.take_apart(to_take_apart, &emptied, sink);
        let copied = socket.join();
        let copied = copied.unwrap_or_else(|panic| panic::resume_unwind(panic));
        (copied, taken)
    });
    // Whoever did not want more rows did not want the rest of the answer either.
    let to_the_end = taken? == ControlFlow::Continue(());
    match copied {
        Err(error) if to_the_end => return Err(failed(table, rows.records, error)),
        Ok(()) if to_the_end && !rows.ended => return Err(rows.wrong("the answer is cut off")),
        Ok(()) | Err(_) => {}
    }
    Ok(Scanned {
        records: rows.records,
        to_the_end,
    })
}

/// What the server refuses before the first row is a mistake in the configuration, or a right that is wanting.
fn failed(table: &PostgresTable<'_>, records: u64, error: PostgresError) -> SourceError {
    match error.trouble() {
        Trouble::PermissionDenied | Trouble::Missing if records == 0 => open::refused(table, error),
        _ => SourceError::Postgres(error),
    }
}

/// Rows as they come out of chunks.
struct Rows<'t> {
    place: &'t str,
    index: SourceIndex,
    forms: Vec<(Field, Form)>,
    texts: Texts,
    /// The beginning of a row whose end is in the next chunk.
    rest: Vec<u8>,
    began: bool,
    ended: bool,
    records: u64,
}

impl Rows<'_> {
    /// Takes chunks until there are no more or the sink breaks, and hands them back empty.
    fn take_apart(
        &mut self,
        chunks: Receiver<Vec<u8>>,
        emptied: &Sender<Vec<u8>>,
        sink: &mut Sink<'_>,
    ) -> Result<ControlFlow<()>, SourceError> {
        for mut chunk in &chunks {
            if !self.rest.is_empty() {
                self.rest.append(&mut chunk);
                mem::swap(&mut self.rest, &mut chunk);
            }
            let (taken, flow) = self.take(&chunk, sink)?;
            if flow.is_break() {
                return Ok(flow);
            }
            self.rest.clear();
            self.rest.extend_from_slice(&chunk[taken..]);
            chunk.clear();
            // A reader that is done needs no more chunks.
            emptied.try_send(chunk).ok();
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Takes whole rows; how many bytes that were.
    fn take(
        &mut self,
        bytes: &[u8],
        sink: &mut Sink<'_>,
    ) -> Result<(usize, ControlFlow<()>), SourceError> {
        let mut at = 0;
        if !self.began {
            match binary::header(bytes).map_err(|problem| self.wrong(problem))? {
                Some(length) => at = length,
                None => return Ok((0, ControlFlow::Continue(()))),
            }
            self.began = true;
        }
        let mut values: Values<'_> = [None; FIELDS];
        while !self.ended {
            let found = binary::row(&bytes[at..], self.forms.len(), &mut values);
            match found.map_err(|problem| self.wrong(problem))? {
                Found::Row(length) => at += length,
                Found::End => self.ended = true,
                Found::Part => break,
            }
            if !self.ended && self.give(&values, sink)?.is_break() {
                return Ok((at, ControlFlow::Break(())));
            }
        }
        let taken = if self.ended { bytes.len() } else { at };
        Ok((taken, ControlFlow::Continue(())))
    }

    fn give(
        &mut self,
        values: &Values<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<ControlFlow<()>, SourceError> {
        self.records += 1;
        let mut record = self.texts.begin(self.index, self.records);
        for (&(field, form), value) in self.forms.iter().zip(values) {
            let Some(value) = value else { continue };
            match form.text(value) {
                Some(text) => self.texts.text(field, text, &mut record),
                None => {
                    let spelled = self
                        .texts
                        .write(field, |out, zone| form.append(value, zone, out));
                    spelled.map_err(|problem| wrong(self.place, self.records, problem))?;
                }
            }
        }
        self.texts.finish(&mut record);
        Ok(sink(&record))
    }

    fn wrong(&self, problem: &'static str) -> SourceError {
        wrong(self.place, self.records + 1, problem)
    }
}

fn wrong(place: &str, number: u64, problem: &'static str) -> SourceError {
    SourceError::PostgresRow {
        place: place.to_owned(),
        number,
        problem,
    }
}
