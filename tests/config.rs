//! The configuration: defaults, precedence, and every mistake at once.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use jiff::civil::{Time, date, time};
use pinferry::{
    config::{
        FlagKey, Inputs,
        settings::{Encoding, LockMode, Settings, SourceLocation, TargetSettings},
    },
    domain::{
        field::Field,
        status::{LegacyStatus, Level},
    },
};
use tempfile::TempDir;

const LEAST: &str = r#"
[target]
url = "sqlite://out/target.db"
[[source]]
name = "inps"
url = "csv://legacy/inps.csv"
"#;

struct Case {
    folder: TempDir,
    inputs: Inputs,
}

fn case(text: &str) -> Case {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pinferry.toml");
    fs::write(&file, text).expect("a file");
    let inputs = Inputs {
        file,
        environment: BTreeMap::new(),
        flags: Vec::new(),
    };
    Case { folder, inputs }
}

impl Case {
    fn with(mut self, variables: &[(&str, &str)]) -> Self {
        let pairs = variables.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        self.inputs.environment.extend(pairs);
        self
    }

    fn load(&self) -> Settings {
        Settings::load(&self.inputs).expect("a good configuration")
    }

    /// The complaint, with the folder's name taken out.
    fn complaint(&self) -> String {
        let error = Settings::load(&self.inputs).expect_err("mistakes");
        let folder = self.folder.path().display().to_string();
        format!("{error}\n").replace(&format!("{folder}/"), "")
    }
}

#[test]
fn the_least_configuration_has_every_default() {
    let case = case(LEAST);
    let settings = case.load();
    let base = fs::canonicalize(case.folder.path()).expect("a folder");
    let TargetSettings::Sqlite(target) = &settings.target else {
        panic!("a target in a file");
    };
    assert_eq!(*target, base.join("out/target.db"));
    let source = &settings.sources[0];
    assert_eq!(
        source.location,
        SourceLocation::Csv {
            path: base.join("legacy/inps.csv"),
            encoding: Encoding::Utf8,
            delimiter: b';'
        }
    );
    assert_eq!(source.columns[&Field::FiscalCode], "codice_fiscale");
    assert!(!source.columns.contains_key(&Field::CredentialSalt));
    assert_eq!(source.time_zone, "Europe/Rome");
    assert_eq!(source.rules.status_codes["A"], LegacyStatus::Active);
    assert_eq!(source.rules.level_codes["DISP"], Level::Dispositive);
    assert_eq!(settings.run.chunk_records.get(), 20_000);
    assert_eq!(settings.run.workers, 2);
    assert_eq!(settings.run.memory_bytes, 256 << 20);
    assert_eq!(settings.run.work_dir, base.join("out/work"));
    assert!((settings.run.max_quarantine_ratio - 0.10).abs() < f64::EPSILON);
    assert_eq!(settings.lock.mode, LockMode::Refuse);
    assert_eq!(settings.lock.expected, Duration::from_secs(4 * 3600));
    assert_eq!(settings.lock.allow_columns, ["ultimo_accesso"]);
    let schedule = &settings.activation.schedule;
    assert_eq!(schedule.delay_working_days, 1);
    assert_eq!(schedule.hour, Time::midnight());
    assert_eq!(schedule.zone.iana_name(), Some("Europe/Rome"));
    assert_eq!(schedule.offices, None);
    assert_eq!(settings.as_of, None);
    assert_eq!(settings.canary, None);
}

#[test]
fn what_init_writes_can_be_loaded() {
    case(include_str!("../src/commands/init.toml")).load();
}

#[test]
fn every_key_can_be_set() {
    let settings = case(
        r#"
        [target]
        url = "sqlite:///abs/target.db"
        [[source]]
        name = "sede"
        url = "sqlite://${LEGACY}/sede.db"
        table = "v_pin"
        lock_tables = ["pin"]
        records = 10
        time_zone = "UTC"
        [source.columns]
        fiscal_code = "CF"
        guardian_fiscal_code = ""
        credential_salt = "sale"
        [source.values.status]
        att = "active"
        [source.values.level]
        O = "ordinary"
        [[source]]
        name = "inps"
        url = "csv://inps.csv"
        encoding = "windows-1252"
        delimiter = "\t"
        sha256 = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
        [catalogue]
        credential_schemes = ["sha256", "MD5"]
        [rules]
        as_of = 2013-11-03
        [run]
        chunk_records = 5
        workers = 1
        memory = "64MiB"
        work_dir = "w"
        max_quarantine_ratio = 1
        lease = "PT1M"
        [lock]
        mode = "divert"
        expected = "PT90M"
        allow_columns = ["nota", "ULTIMO_ACCESSO"]
        credential_change = "capture"
        [activation]
        delay_working_days = 0
        hour = "08:30"
        time_zone = "Atlantic/Azores"
        [verify]
        canary = "canary.csv"
        "#,
    )
    .with(&[("LEGACY", "/srv")])
    .load();
    let source = &settings.sources[0];
    assert_eq!(
        source.location,
        SourceLocation::Sqlite {
            path: PathBuf::from("/srv/sede.db"),
            table: "v_pin".into(),
            lock_tables: vec!["pin".into()]
        }
    );
    assert_eq!(source.columns[&Field::FiscalCode], "CF");
    assert_eq!(source.columns[&Field::GuardianFiscalCode], "");
    assert_eq!(source.rules.status_codes.len(), 1, "the map is replaced");
    assert_eq!(source.rules.status_codes["ATT"], LegacyStatus::Active);
    let changing = source.changing_fields(&settings.lock.allow_columns);
    assert_eq!(
        changing.into_iter().collect::<Vec<_>>(),
        [Field::LastUsedOn]
    );
    assert_eq!(settings.credential_schemes, ["MD5", "SHA256"]);
    let schedule = &settings.activation.schedule;
    assert_eq!(schedule.delay_working_days, 0);
    assert_eq!(schedule.hour, time(8, 30, 0, 0));
    assert_eq!(schedule.zone.iana_name(), Some("Atlantic/Azores"));
    assert_eq!(settings.as_of, Some(date(2013, 11, 3)));
    assert!(
        settings
            .canary
            .is_some_and(|path| path.ends_with("canary.csv"))
    );
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let text = format!("{LEAST}[run]\nworkers = 1\nmemory = \"16MiB\"\nchunk_records = 10\n");
    let mut case = case(&text).with(&[
        ("PINFERRY_RUN__WORKERS", "3"),
        ("PINFERRY_RUN_MEMORY", "32MiB"),
        ("PINFERRY_SOURCE__INPS__DELIMITER", ","),
        ("PINFERRY_LOCK__ALLOW_COLUMNS", "nota, ultimo_accesso"),
        ("PINFERRY_LOG", "debug"),
        ("PINFERRY_HOME", "/nowhere"),
    ]);
    case.inputs.flags = vec![(FlagKey::Workers, "4".into())];
    let settings = case.load();
    assert_eq!(settings.run.workers, 4);
    assert_eq!(settings.run.memory_bytes, 32 << 20);
    assert_eq!(settings.run.chunk_records.get(), 10);
    assert_eq!(settings.lock.allow_columns, ["nota", "ultimo_accesso"]);
    let SourceLocation::Csv { delimiter, .. } = settings.sources[0].location else {
        panic!("a CSV file");
    };
    assert_eq!(delimiter, b',');
}

#[test]
fn every_mistake_of_a_file_is_reported_at_once() {
    let case = case(include_str!("config/mistakes.toml")).with(&[("PG_PASSWORD", "s3cret")]);
    let complaint = case.complaint();
    assert!(!complaint.contains("s3cret"));
    insta::assert_snapshot!(complaint);
}

#[test]
fn mistakes_of_environment_and_flags_name_the_variable_and_the_flag() {
    let mut case = case(LEAST).with(&[
        ("PINFERRY_RUN__MEMROY", "1GiB"),
        ("PINFERRY_RUN__WORKERS", "many"),
        ("PINFERRY_SOURCE__SEDE__URL", "csv://x"),
    ]);
    case.inputs.flags = vec![(FlagKey::ChunkRecords, "0".into())];
    insta::assert_snapshot!(case.complaint());
}

#[test]
fn a_variable_that_the_file_names_is_no_key() {
    let text = LEAST.replace("legacy/", "${PINFERRY_SOURCE_DIR}/");
    let settings = case(&text).with(&[("PINFERRY_SOURCE_DIR", "/srv")]).load();
    let SourceLocation::Csv { path, .. } = &settings.sources[0].location else {
        panic!("a CSV file");
    };
    assert_eq!(*path, PathBuf::from("/srv/inps.csv"));
}

#[test]
fn a_postgresql_source_is_told_without_its_password() {
    let text = LEAST.replace(
        "csv://legacy/inps.csv",
        "postgres://lettore:${PG_PASSWORD}@db.example:5433/pin?sslmode=verify-full",
    );
    let text = format!("{text}table = \"sede.pin\"\nlock_tables = [\"pin\"]\n");
    // Whatever a password holds, it is the password and not a part of the address.
    let settings = case(&text)
        .with(&[("PG_PASSWORD", "s3cret@:/?#%41+ è")])
        .load();
    let location = &settings.sources[0].location;
    assert_eq!(
        location.shown(),
        "postgres://lettore@db.example:5433/pin (sede.pin)"
    );
    assert!(!format!("{settings:?}").contains("s3cret"));
    let SourceLocation::Postgres {
        database,
        lock_tables,
        ..
    } = location
    else {
        panic!("a PostgreSQL database");
    };
    assert_eq!(*lock_tables, ["pin"]);
    let spelled = ":s3cret%40%3A%2F%3F%23%2541%2B%20%C3%A8@db.example";
    assert!(database.secret_url().contains(spelled));
    assert_eq!(location.path(), None);
    assert!(!location.has_nothing_to_lock());

    let whole = LEAST.replace("csv://legacy/inps.csv", "${LEGACY_URL}");
    let settings = case(&whole)
        .with(&[("LEGACY_URL", "postgres://u:p%40@h/db")])
        .load();
    assert_eq!(
        settings.sources[0].location.shown(),
        "postgres://u@h/db (pin_legacy)"
    );
}

#[test]
fn a_postgresql_source_that_leads_nowhere_is_a_mistake() {
    for (url, problem) in [
        ("postgres://u:s3cret@h", "names no database"),
        ("postgres://u:s3cret@h/db?optoins=x", "unknown option"),
        (
            "postgres://u:s3cret@h:x/db",
            "is no address of a PostgreSQL database",
        ),
    ] {
        let complaint = case(&LEAST.replace("csv://legacy/inps.csv", url)).complaint();
        assert!(complaint.contains(problem), "{complaint}");
        assert!(!complaint.contains("s3cret"), "{complaint}");
    }
    let twice = LEAST.replace("csv://legacy/inps.csv", "postgres://u@h/db");
    let twice = format!("{twice}[[source]]\nname = \"again\"\nurl = \"postgres://u@h/db\"\n");
    let complaint = case(&twice).complaint();
    assert!(
        complaint.contains("is read by source inps already"),
        "{complaint}"
    );
}

#[test]
fn a_missing_file_says_how_to_get_one() {
    let mut case = case(LEAST);
    case.inputs.file = case.folder.path().join("absent.toml");
    let error = Settings::load(&case.inputs).expect_err("no file");
    assert!(error.to_string().contains("absent.toml"));
    assert!(error.hint().expect("a hint").contains("pinferry init"));
}

#[test]
fn what_a_run_fixes_changes_with_what_the_judge_sees_and_with_nothing_else() {
    let day = date(2013, 11, 3);
    let case = case(LEAST);
    let fixed = case.load().fixed(day);
    let differing = |text: &str| -> Vec<String> {
        fs::write(&case.inputs.file, text).expect("a file");
        let other = case.load().fixed(day);
        let keys = fixed.keys().chain(other.keys());
        let differs = keys.filter(|key| fixed.get(*key) != other.get(*key));
        let mut differs: Vec<String> = differs.cloned().collect();
        differs.sort();
        differs.dedup();
        differs
    };
    let none: [&str; 0] = [];
    assert_eq!(
        differing(&format!("{LEAST}[run]\nworkers = 7\nmemory = \"9MiB\"")),
        none
    );
    assert_eq!(
        differing(&format!("{LEAST}encoding = \"iso-8859-15\"")),
        ["source.inps.encoding"]
    );
    assert_eq!(
        differing(&format!("{LEAST}[source.columns]\nemail = \"posta\"")),
        ["source.inps.columns"]
    );
    assert_eq!(
        differing(&format!(
            "{LEAST}[catalogue]\ncredential_schemes = [\"MD5\"]"
        )),
        ["catalogue.credential_schemes"]
    );
    assert_eq!(
        differing(&format!("{LEAST}[lock]\nallow_columns = []")),
        ["source.inps.lock.allow_columns"]
    );
    fs::write(
        case.folder.path().join("offices.csv"),
        "office;name;patron_day\n1;A;\n",
    )
    .expect("a file");
    assert_eq!(
        differing(&format!(
            "{LEAST}[activation]\nhour = \"08:30\"\ntime_zone = \"UTC\"\noffices = \"offices.csv\""
        )),
        none,
        "the judge sees no calendar"
    );
    let tomorrow = case.load().fixed(date(2013, 11, 4));
    assert_ne!(fixed["rules.as_of"], tomorrow["rules.as_of"]);
}

#[test]
fn mistakes_in_the_files_it_names_are_reported_with_its_own() {
    let case = case(&format!(
        "{LEAST}[catalogue]\nprofiles = \"profiles.toml\"\nfiscal_code_links = \"links.csv\"\n[run]\nworkers = 0\n[activation]\noffices = \"offices.csv\"\n"
    ));
    let write = |name: &str, text: &str| {
        fs::write(case.folder.path().join(name), text).expect("a file");
    };
    write(
        "links.csv",
        "old;new\nAAAAAA00A00A000A;B\nB;AAAAAA00A00A000A\n;C\nX;Y;Z\n",
    );
    write(
        "offices.csv",
        "office;name;patron_day\n0100;Torino;06-24\n0100;Torino again;\n;Nowhere;\n0200;Asti;30-02\n0300;Cuneo\n0400;\"Open;09-29\n0500;Last;\n",
    );
    write(
        "profiles.toml",
        "[[profile]]\ncode = \"CIT\"\nentity = \"sometimes\"\n",
    );
    let complaint = case.complaint();
    assert!(
        !complaint.contains("AAAAAA00A00A000A"),
        "codes are personal data"
    );
    insta::assert_snapshot!(complaint);
}

#[test]
fn links_and_catalogue_are_read_from_the_files_it_names() {
    let case = case(&format!(
        "{LEAST}[catalogue]\nfiscal_code_links = \"links.csv\"\n"
    ));
    let links = case.folder.path().join("links.csv");
    let mut fixed = Vec::new();
    for text in ["\u{feff}old;new\r\nA;B\r\nC;\r\n", "old;new\nA;B\n"] {
        fs::write(&links, text).expect("a file");
        let settings = case.load();
        assert!(settings.catalogue.find("CIT").is_some(), "built in");
        fixed.push(settings.fixed(date(2013, 11, 3)));
        assert_eq!(settings.links.len(), 3 - fixed.len());
    }
    let key = "catalogue.fiscal_code_links";
    assert_ne!(fixed[0][key], fixed[1][key]);
}

#[test]
fn offices_are_read_from_the_file_it_names_with_their_leading_zeros() {
    let case = case(&format!("{LEAST}[activation]\noffices = \"offices.csv\"\n"));
    let offices = case.folder.path().join("offices.csv");
    let text = "\u{feff}office;name;patron_day\r\n0100;Torino;06-24\r\n100;\"A; B\";\r\n";
    fs::write(&offices, text).expect("a file");
    let settings = case.load();
    let known = settings.activation.schedule.offices.expect("offices");
    assert_eq!((known.len(), known.without_patron_day()), (2, 1));
    assert_eq!(known.patron_day("0100"), "06-24".parse().ok());
    assert!(known.knows("100") && !known.knows("00100"));
    for (text, problem) in [
        (
            "office;patron_day\n1;06-24\n",
            "offices.csv:1: does not begin",
        ),
        ("", "offices.csv:1: does not begin"),
        ("office;name;patron_day\n", "offices.csv: names no office"),
    ] {
        fs::write(&offices, text).expect("a file");
        let complaint = case.complaint();
        assert!(complaint.contains(problem), "{complaint}");
    }
    fs::remove_file(&offices).expect("it was there");
    let complaint = case.complaint();
    assert!(
        complaint.contains("pinferry.toml:8: activation.offices: "),
        "{complaint}"
    );
}

#[test]
fn how_busy_a_server_may_be_is_asked_by_a_query_and_a_limit_together_and_of_a_server_only() {
    let server = LEAST.replace("sqlite://out/target.db", "postgres://u@h/db");
    let asked = |text: &str, keys: &str| case(&format!("{text}[run]\n{keys}\n"));
    let settings = asked(&server, "load_query = \"SELECT 1\"\nload_limit = 2.5").load();
    let load = settings.run.load.expect("both keys");
    assert_eq!((load.query.as_str(), load.limit), ("SELECT 1", 2.5));
    for (text, keys, complaint) in [
        (
            &server,
            "load_query = \"SELECT 1\"",
            "run.load_limit: is missing beside load_query",
        ),
        (
            &server,
            "load_limit = 2",
            "run.load_query: is missing beside load_limit",
        ),
        (
            &server,
            "load_query = \" \"\nload_limit = 2",
            "run.load_query: is empty",
        ),
        (
            &server,
            "load_query = \"SELECT 1\"\nload_limit = \"2\"",
            "run.load_limit: is no number",
        ),
        (
            &server,
            "load_query = \"SELECT 1\"\nload_limit = -1",
            "run.load_limit: is no number",
        ),
        (
            &LEAST.to_owned(),
            "load_query = \"SELECT 1\"\nload_limit = 2",
            "run.load_query: asks a server how busy it is, and the target is a SQLite file",
        ),
    ] {
        let found = asked(text, keys).complaint();
        assert!(found.contains(complaint), "{keys}: {found}");
    }
}
