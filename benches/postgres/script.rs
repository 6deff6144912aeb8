//! The rival: the same migration as one careful script in one transaction, within the legacy table's own database.
//!
//! The program runs from the same table into a database beside it, in turn with the script; what both wrote
//! must be the same to the row.

use std::{fs, path::Path, time::Instant};

use super::{
    Bench, CONTEXT, indexes,
    measure::{Figure, Options, ratio, report},
    migration, read, validations,
};

impl Bench {
    pub(super) fn script(&self, csv: &Path, options: &Options) {
        let links = csv.with_extension("links.csv");
        let records = self.load_legacy(csv, &links);
        let (mut runs, mut scripts) = (Vec::new(), Vec::new());
        for _ in 0..options.runs {
            // What the run before left sealed.
            let unlock =
                "SET client_min_messages = warning; DROP SCHEMA IF EXISTS pinferry_lock CASCADE";
            self.server.psql("legacy", unlock);
            runs.push(self.run(&format!(
                "url = \"{}\"\ntable = \"legacy.pin_legacy\"\n[catalogue]\nfiscal_code_links = \"{}\"\n",
                self.server.url("legacy"),
                links.display(),
            )));
            scripts.push(self.run_script());
            assert_eq!(
                self.contents("target"),
                self.contents("legacy"),
                "program and script differ"
            );
        }
        report("run, PostgreSQL to PostgreSQL", &runs, records);
        report("script, the same rows", &scripts, records);
        ratio("script / run", &scripts, &runs);
    }

    /// The generated records in a table of the default layout, all text; tells how many.
    fn load_legacy(&self, csv: &Path, links: &Path) -> u64 {
        let rows = self.folder.join("rows.csv");
        let (header, records) = fit_to_stand_in_a_table(csv, &rows);
        for path in [&self.folder, &rows, links] {
            self.server.give(path);
        }
        self.server.recreate("legacy");
        self.server.psql(
            "legacy",
            &format!(
                "CREATE SCHEMA legacy;
                 CREATE TABLE legacy.pin_legacy ({} text);
                 CREATE TABLE legacy.fiscal_code_link (old text, new text);
                 COPY legacy.pin_legacy FROM '{}' (FORMAT csv, DELIMITER ';');
                 COPY legacy.fiscal_code_link FROM '{}' (FORMAT csv, DELIMITER ';', HEADER);
                 VACUUM ANALYZE legacy.pin_legacy;",
                header.join(" text, "),
                rows.display(),
                links.display(),
            ),
        );
        records
    }

    /// Into bare tables, with run and catalogue as the program wrote them; the indexes are the program's too.
    fn run_script(&self) -> Figure {
        self.server.psql(
            "legacy",
            &format!(
                "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public; {}",
                migration("0001_model.sql")
            ),
        );
        self.export(&CONTEXT);
        for table in CONTEXT {
            self.server.psql("legacy", &self.copy(table));
        }
        self.server.psql("legacy", "CHECKPOINT");
        let script = [
            &read("benches/postgres/script.sql"),
            &indexes().concat(),
            &migration("keys.sql"),
            &validations().concat(),
            "ANALYZE person, fiscal_code, pin, profile_grant, delegation, quarantine, finding;",
            "COMMIT;",
        ];
        let begun = Instant::now();
        self.server.psql("legacy", &script.concat());
        Figure {
            wall: begun.elapsed(),
            peak_kib: None,
        }
    }

    /// Rows and their hash, table by table.
    fn contents(&self, database: &str) -> String {
        let file = self.folder.join(format!("contents-{database}"));
        let query = read("benches/postgres/contents.sql");
        let copy = format!("COPY ({query}) TO '{}'", file.display());
        self.server.psql(database, &copy);
        fs::read_to_string(&file).expect("what the server wrote")
    }
}

/// Leaves out rows with a wrong number of cells, which no table can have, and puts a control character in
/// place of bytes that no UTF-8 database takes, which is refused for the same reason. Gives the header and
/// the number of records.
fn fit_to_stand_in_a_table(csv: &Path, out: &Path) -> (Vec<String>, u64) {
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.delimiter(b';').flexible(true);
    let mut reader = reader.from_path(csv).expect("the generated records");
    let header = reader.headers().expect("a header").clone();
    let mut writer = csv::WriterBuilder::new();
    let mut writer = writer
        .delimiter(b';')
        .from_path(out)
        .expect("a file of rows");
    let mut records = 0;
    for row in reader.byte_records() {
        let row = row.expect("a row");
        if row.len() == header.len() {
            let cells = row.iter().map(|cell| {
                String::from_utf8_lossy(cell).replace(['\0', char::REPLACEMENT_CHARACTER], "\u{7}")
            });
            writer.write_record(cells).expect("a row is written");
            records += 1;
        }
    }
    writer.flush().expect("the rows are written");
    (header.iter().map(str::to_owned).collect(), records)
}
