//! Generated data: the same for the same seed, valid where they claim to be, flawed in every way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    num::NonZeroU16,
    path::PathBuf,
};

use pinferry::{
    config::settings::{Encoding, SourceLocation, SourceSettings},
    domain::{
        catalogue::Catalogue,
        digest::RowHash,
        field::Field,
        finding::FindingKind,
        fiscal_code::FiscalCode,
        links::Links,
        quarantine::Reason,
        raw_record::{RawRecord, SourceIndex},
        rules::{DEFAULT_SCHEMES, Nameless, Rules, SourceRules},
        tally::Tally,
    },
    sample::{self, AS_OF, SampleFormat, SampleOptions},
};
use tempfile::TempDir;

use crate::judged;

struct Sample {
    folder: TempDir,
    options: SampleOptions,
}

fn sample(records: u64, dirty: f64, sources: u16) -> Sample {
    let options = SampleOptions {
        records,
        seed: 7,
        dirty,
        format: SampleFormat::Csv,
        sources: NonZeroU16::new(sources).expect("a source"),
        source: 0,
    };
    let folder = TempDir::new().expect("a folder");
    Sample { folder, options }
}

impl Sample {
    fn write(&mut self, source: u16) -> PathBuf {
        let path = self
            .folder
            .path()
            .join(format!("{source}.{}", self.options.format));
        self.options.source = source;
        sample::generate(&self.options, &path).expect("written");
        path
    }

    /// All records of all sources, in the compact form.
    fn records(&mut self) -> Vec<Vec<u8>> {
        let sources: Vec<SourceSettings> = (0..self.options.sources.get())
            .map(|source| self.settings(source))
            .collect();
        judged::records(&sources)
    }

    fn settings(&mut self, source: u16) -> SourceSettings {
        let path = self.write(source);
        let location = match self.options.format {
            SampleFormat::Csv => SourceLocation::Csv {
                path,
                encoding: Encoding::Utf8,
                delimiter: b';',
            },
            SampleFormat::Sqlite => SourceLocation::Sqlite {
                path,
                table: "pin_legacy".to_owned(),
                lock_tables: Vec::new(),
            },
        };
        SourceSettings {
            rules: rules_of(source),
            location,
            columns: BTreeMap::new(),
            records: None,
            sha256: None,
            time_zone: "Europe/Rome".to_owned(),
        }
    }

    fn rules(&self) -> Rules {
        let path = self.folder.path().join("links.csv");
        sample::generate_links(&self.options, &path).expect("written");
        let text = fs::read_to_string(path).expect("links");
        let pairs = text.lines().skip(1).zip(2..).map(|(line, number)| {
            let (old, new) = line.split_once(';').expect("two columns");
            (number, old.to_owned(), new.to_owned())
        });
        Rules {
            as_of: AS_OF,
            catalogue: Catalogue::built_in(),
            links: Links::from_pairs(pairs).expect("no mistakes"),
            schemes: DEFAULT_SCHEMES.map(str::to_owned).into(),
            sources: (0..self.options.sources.get()).map(rules_of).collect(),
        }
    }

    /// Judges everything in memory.
    fn judged(&mut self) -> Tally {
        let records = self.records();
        let rules = self.rules();
        let mut people = Tally::default();
        let mut quarantine = Tally::default();
        judged::judge(
            &records,
            &rules,
            |person| people.add_person(person, &mut RowHash::default()),
            |row| quarantine.add_quarantined(row, &mut RowHash::default()),
        );
        people.merge(&quarantine);
        people
    }
}

fn rules_of(source: u16) -> SourceRules {
    SourceRules {
        name: format!("source{source}"),
        nameless: Nameless::ByNumber,
        status_codes: SourceRules::default_status_codes(),
        level_codes: SourceRules::default_level_codes(),
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let one = fs::read(sample(500, 0.5, 1).write(0)).expect("read");
    assert_eq!(one, fs::read(sample(500, 0.5, 1).write(0)).expect("read"));
    let mut other = sample(500, 0.5, 1);
    other.options.seed = 8;
    assert_ne!(one, fs::read(other.write(0)).expect("read"));
}

#[test]
fn clean_data_are_migrated_to_the_last_record() {
    let tally = sample(5_000, 0.0, 1).judged();
    assert_eq!(tally.records(), 5_000);
    assert_eq!(tally.quarantined(), 0, "{:?}", tally.sources);
    assert!((3_000..4_500).contains(&tally.persons), "{}", tally.persons);
    assert!(tally.pins.len() == 6 && tally.delegations > 10, "{tally:?}");
    let odd = [
        FindingKind::OmocodiaPair,
        FindingKind::NameCodeMismatch,
        FindingKind::BirthDateMismatch,
        FindingKind::MinorWithoutGuardian,
        FindingKind::GuardianOfAdult,
        FindingKind::PinExpired,
        FindingKind::EntityIgnored,
        FindingKind::HalvesOpen,
    ];
    for kind in odd {
        assert_eq!(tally.findings.get(&kind), None, "{kind}");
    }
}

#[test]
fn the_fiscal_codes_of_clean_data_are_valid_and_each_is_one_persons() {
    let mut clean = sample(5_000, 0.0, 1);
    let mut names: BTreeMap<String, (String, String)> = BTreeMap::new();
    for bytes in clean.records() {
        let record = RawRecord::decode(&bytes).expect("whole");
        let code: FiscalCode = record.get(Field::FiscalCode).parse().expect("a valid code");
        let holder = (
            record.get(Field::Surname).to_owned(),
            record.get(Field::BirthDate).to_owned(),
        );
        let known = names
            .entry(code.as_str().to_owned())
            .or_insert(holder.clone());
        assert_eq!(*known, holder);
    }
}

#[test]
fn dirty_data_show_every_reason_and_every_finding() {
    let tally = sample(8_000, 0.3, 2).judged();
    assert_eq!(tally.records(), 8_000);
    for kind in FindingKind::ALL {
        assert!(tally.findings.contains_key(kind), "no {kind}");
    }
    let mut reasons = BTreeSet::new();
    for source in tally.sources.values() {
        assert!(source.records > 3_500);
        reasons.extend(source.quarantine.keys().copied());
    }
    for reason in Reason::ALL {
        assert!(reasons.contains(reason), "no {reason}");
    }
    let share = tally.quarantined() as f64 / 8_000.0;
    assert!((0.1..0.3).contains(&share), "{share}");
}

#[test]
fn people_are_spread_over_both_sources() {
    let mut both = sample(4_000, 0.0, 2);
    let mut sources: BTreeMap<String, BTreeSet<SourceIndex>> = BTreeMap::new();
    for bytes in both.records() {
        let record = RawRecord::decode(&bytes).expect("whole");
        let code = record.get(Field::FiscalCode).to_owned();
        sources.entry(code).or_default().insert(record.source);
    }
    let overlap = sources
        .values()
        .filter(|sources| sources.len() == 2)
        .count();
    assert!(overlap > 100, "{overlap}");
}

#[test]
fn records_stand_in_no_particular_order() {
    let mut clean = sample(2_000, 0.0, 1);
    let mut codes = Vec::new();
    for bytes in clean.records() {
        let record = RawRecord::decode(&bytes).expect("whole");
        codes.push(record.get(Field::FiscalCode).to_owned());
    }
    let neighbours = codes.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(neighbours < 10, "{neighbours}");
    let rising = codes.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((800..1_200).contains(&rising), "{rising}");
}

#[test]
fn a_database_holds_the_records_of_the_file() {
    let mut file = sample(1_000, 0.0, 1);
    let mut database = sample(1_000, 0.0, 1);
    database.options.format = SampleFormat::Sqlite;
    assert_eq!(file.records(), database.records());
    let mut dirty = sample(4_000, 0.5, 1);
    dirty.options.format = SampleFormat::Sqlite;
    let tally = dirty.judged();
    assert_eq!(tally.records(), 4_000);
    assert!(
        tally.sources["source0"]
            .quarantine
            .contains_key(&Reason::EncodingInvalid)
    );
}

#[test]
fn a_file_that_exists_is_not_touched() {
    let mut one = sample(10, 0.0, 1);
    let path = one.write(0);
    let before = fs::read(&path).expect("read");
    for format in [SampleFormat::Csv, SampleFormat::Sqlite] {
        one.options.format = format;
        let error = sample::generate(&one.options, &path).expect_err("refused");
        assert!(
            error
                .to_string()
                .ends_with("exists already and is not overwritten")
        );
        assert_eq!(error.exit().code(), 2);
    }
    assert_eq!(fs::read(&path).expect("read"), before);
}
