//! Sources that come later, merged into a target in use: half of their records are of people who stand there already.
//!
//! The baseline is raw binary COPY of the very rows the later run added, into a copy of the same target with the same
//! indexes and foreign keys, on two connections.

use std::{fs, io::Write as _, path::Path, thread, time::Instant};

use super::{
    Bench,
    measure::{Figure, Options, generate, measure, pinferry, ratio, report},
};

/// Of so many records of the target, one comes later.
const SHARE: u64 = 4;

/// Tables in the order of their foreign keys, each with its columns' order and which rows are a connection's.
const ROWS: [(&str, &str, &str); 7] = [
    ("person", "person_id", "person_id % 2 = {half}"),
    ("fiscal_code", "fiscal_code", "person_id % 2 = {half}"),
    ("pin", "pin_id", "person_id % 2 = {half}"),
    (
        "profile_grant",
        "person_id, profile, entity",
        "person_id % 2 = {half}",
    ),
    ("delegation", "person_id", "person_id % 2 = {half}"),
    ("quarantine", "source, legacy_id", "{half} = 0"),
    ("finding", "source, legacy_id", "{half} = 1"),
];

impl Bench {
    pub(super) fn merge(&self, csv: &Path, options: &Options) {
        self.migrate(csv);
        self.server.psql("target", "VACUUM ANALYZE");
        let records = self.later_sources(csv, options);
        let (mut runs, mut loads, mut copies) = (Vec::new(), Vec::new(), Vec::new());
        for turn in 0..options.runs {
            self.copy_target("later");
            runs.push(measure(
                pinferry(&self.folder.join("later.toml")).arg("run"),
                &[0, 3],
            ));
            loads.push(self.load_time());
            if turn == 0 {
                self.export_added();
            }
            copies.push(self.copy_added());
        }
        report("later run, verified", &runs, records);
        report("of which: rows merged", &loads, records);
        report("raw COPY into the same tables", &copies, records);
        ratio("rows merged / raw COPY", &loads, &copies);
    }

    /// A part of the migrated extract once more, and as many records of others.
    fn later_sources(&self, csv: &Path, options: &Options) -> u64 {
        let each = options.records / SHARE / 2;
        let others = Options {
            records: each,
            runs: options.runs,
            only: None,
        };
        let new = self.folder.join("new.csv");
        generate(&others, 8, &new);
        let again = self.folder.join("again.csv");
        let text = fs::read(csv).expect("the extract");
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        let mut file = fs::File::create(&again).expect("a file");
        for line in lines.take(usize::try_from(each).expect("a number") + 1) {
            file.write_all(line).expect("written");
        }
        let source = |name: &str, path: &Path| {
            format!(
                "[[source]]\nname = \"{name}\"\nurl = \"csv://{}\"\n",
                path.display()
            )
        };
        let text = format!(
            "[target]\nurl = \"{}\"\n{}{}[rules]\nas_of = \"2013-11-03\"\n\
             [run]\nmax_quarantine_ratio = 1.0\nwork_dir = \"{}\"\n",
            self.server.url("later"),
            source("again", &again),
            source("new", &new),
            self.folder.join("work").display(),
        );
        fs::write(self.folder.join("later.toml"), text).expect("the configuration is written");
        2 * each
    }

    fn copy_target(&self, name: &str) {
        let copy = format!(
            "DROP DATABASE IF EXISTS {name} WITH (FORCE);\nCREATE DATABASE {name} TEMPLATE target;\nCHECKPOINT"
        );
        self.server.psql("postgres", &copy);
    }

    /// From the moment the partitions were laid out to the end of the load, by the server's clock.
    fn load_time(&self) -> Figure {
        let file = self.folder.join("seconds");
        fs::write(&file, "").expect("a file");
        self.server.give(&self.folder);
        self.server.give(&file);
        self.server.psql(
            "later",
            &format!(
                "COPY (SELECT extract(epoch FROM max(at) FILTER (WHERE detail LIKE '%\"to\":\"loaded\"%')
                     - max(at) FILTER (WHERE event = 'load.laid_out'))
                 FROM run_event WHERE run_id = 2) TO '{}'",
                file.display()
            ),
        );
        let seconds = fs::read_to_string(&file).expect("seconds");
        Figure {
            wall: std::time::Duration::from_secs_f64(seconds.trim().parse().expect("seconds")),
            peak_kib: None,
        }
    }

    fn added(&self, table: &str, half: usize) -> String {
        self.rows
            .join(format!("{table}-{half}"))
            .display()
            .to_string()
    }

    fn export_added(&self) {
        fs::create_dir_all(&self.rows).expect("a folder for the rows");
        self.server.give(&self.rows);
        let run = self.added("run", 0);
        let copy = format!("COPY (SELECT * FROM run WHERE run_id = 2) TO '{run}' (FORMAT binary)");
        self.server.psql("later", &copy);
        for (table, order, mine) in ROWS {
            let of_run = match table {
                "fiscal_code" => "person_id >= (SELECT id_base FROM run WHERE run_id = 2)",
                _ => "run_id = 2",
            };
            for half in 0..2 {
                let copy = format!(
                    "COPY (SELECT * FROM {table} WHERE {of_run} AND {} ORDER BY {order}) TO '{}' (FORMAT binary)",
                    mine.replace("{half}", &half.to_string()),
                    self.added(table, half)
                );
                self.server.psql("later", &copy);
            }
        }
    }

    fn copy_added(&self) -> Figure {
        self.copy_target("copied");
        let run = format!("COPY run FROM '{}' (FORMAT binary)", self.added("run", 0));
        self.server.psql("copied", &run);
        let begun = Instant::now();
        thread::scope(|scope| {
            for half in 0..2 {
                scope.spawn(move || {
                    let copies = ROWS.map(|(table, _, _)| {
                        format!(
                            "COPY {table} FROM '{}' (FORMAT binary);\n",
                            self.added(table, half)
                        )
                    });
                    let all = format!("BEGIN;\n{}COMMIT", copies.concat());
                    self.server.psql("copied", &all);
                });
            }
        });
        Figure {
            wall: begun.elapsed(),
            peak_kib: None,
        }
    }
}
