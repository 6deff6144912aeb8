//! A revocation under the lock wins over the requests that were accepted before it.

use std::{fs, thread, time::SystemTime};

use jiff::Timestamp;
use pinferry::domain::{
    activation::{
        column::Column,
        refusal::Failure,
        revocation::{GrantHash, Revocations},
        submission::Verdict,
    },
    field::{FIELDS, Field},
    links::Links,
    raw_record::{RawRecord, Shape, SourceIndex},
};
use pinferry::store::activation::{ActivationStore, Revoked};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{
    evaluations::judged,
    server::{Database, Server},
    town::{ENGINES, Engine, HEADER},
    world::{LAURA, MARIO, World, line, rules},
};

/// People of each kind.
const EACH: usize = 12;

/// A job whose legacy is locked, and whose requests come in meanwhile.
struct Window {
    folder: TempDir,
    server: Option<Database>,
    legacy: Connection,
    /// Code, names and birth date of people with one PIN, which is active, and its id, which is the code.
    people: Vec<(String, String, String)>,
}

/// What becomes of the records that are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Records {
    Migrated,
    /// They have no date of issue.
    Quarantined,
}

impl Records {
    /// What a run that does all it can ends with.
    const fn exit_code(self) -> i32 {
        match self {
            Self::Migrated => 0,
            Self::Quarantined => 3,
        }
    }
}

const UNDATED: &str =
    "UPDATE pin_legacy SET data_rilascio = NULL WHERE length(id) = 16 AND classe_utente = 'CIT'";

/// The ids of people who have one record are their codes.
const CODES_AS_IDS: &str = "UPDATE pin_legacy SET id = codice_fiscale WHERE codice_fiscale IN
    (SELECT codice_fiscale FROM pin_legacy GROUP BY codice_fiscale HAVING count(*) = 1)";

/// What was captured so far was so two minutes ago.
const MINUTES_AGO: &str =
    "UPDATE pinferry_capture_inps SET at = strftime('%Y-%m-%dT%H:%M:%fZ', at, '-2 minutes')";

/// A further record of each of these people, under an old code, which is quarantined for want of a date.
const UNDER_OLD_CODES: &str = "INSERT INTO pin_legacy SELECT 'OLD' || id, 'old' || codice_fiscale, cognome, nome,
    data_nascita, ' com ', '', stato, tipo_pin, pin_hash, algoritmo, NULL, data_scadenza, ultimo_accesso,
    sede, canale, meta_consegnate, email, telefono, cf_tutore FROM pin_legacy WHERE id = codice_fiscale";

impl Window {
    fn on(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = (engine == Engine::Postgres).then(|| Database::on(Server::shared(), ""));
        let url = match &server {
            None => "sqlite://target.db".to_owned(),
            Some(database) => database.url(),
        };
        let text = format!(
            "[target]\nurl = \"{url}\"\n[[source]]\nname = \"inps\"\nurl = \"sqlite://inps.db\"\n\
             table = \"pin_legacy\"\n[rules]\nas_of = \"2026-01-01\"\n[run]\nmax_quarantine_ratio = 1.0\n\
             [activation]\ndelay_working_days = 0\naccepted_within_days = 36500\n[catalogue]\nfiscal_code_links = \"links.csv\"\n"
        );
        fs::write(folder.path().join("links.csv"), "old;new\n").expect("a file");
        fs::write(folder.path().join("pinferry.toml"), text).expect("a file");
        let sample = [
            "sample-data",
            "--records",
            "1500",
            "--seed",
            "31",
            "--dirty",
            "0",
        ];
        let legacy = folder.path().join("inps.db");
        run(&folder, &[&sample[..], &["--out", "inps.db"]].concat(), 0);
        let legacy = Connection::open(legacy).expect("the legacy");
        legacy.execute_batch(CODES_AS_IDS).expect("an update");
        let people = people(&legacy);
        Self {
            folder,
            server,
            legacy,
            people,
        }
    }

    fn with(engine: Engine, records: Records) -> Self {
        let window = Self::on(engine);
        if records == Records::Quarantined {
            window.legacy.execute_batch(UNDATED).expect("an update");
        }
        window
    }

    /// The first column, which must be text, of every row of the target.
    fn texts(&self, query: &str) -> Vec<String> {
        match &self.server {
            None => {
                let target =
                    Connection::open(self.folder.path().join("target.db")).expect("a target");
                let mut statement = target.prepare(query).expect("a query");
                let rows = statement.query_map([], |row| row.get(0)).expect("rows");
                rows.map(|row| row.expect("a row")).collect()
            }
            Some(database) => database.text(query).lines().map(str::to_owned).collect(),
        }
    }

    /// Hands in a request of each of these people, for the profile of his PIN or another one.
    fn hand_in(&self, name: &str, people: std::ops::Range<usize>, profile: &str, at: &str) {
        let mut text = format!("{HEADER}\n");
        for n in people {
            let (code, person, _) = &self.people[n];
            let hash = format!("{:02x}", n % 256).repeat(32);
            text += &format!(
                "{name}-{n};{at};{code};{person};{profile};;ORD;{hash};SHA256;2;\
                 IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY\n"
            );
        }
        fs::write(self.folder.path().join("requests.csv"), text).expect("a file");
        run(&self.folder, &["intake", "requests.csv"], 0);
    }

    fn revoke(&self, people: std::ops::Range<usize>, status: &str) {
        self.revoke_under("", people, status);
    }

    /// Revokes the records whose ids begin so and go on as those of these people.
    fn revoke_under(&self, prefix: &str, people: std::ops::Range<usize>, status: &str) {
        for (_, _, id) in &self.people[people] {
            let sql = "UPDATE pin_legacy SET stato = ?1 WHERE id = ?2";
            let id = format!("{prefix}{id}");
            let changed = self.legacy.execute(sql, [status, &id]);
            assert_eq!(changed, Ok(1), "it passes");
        }
    }

    /// Gives everybody a further record, under an old code.
    fn add_old_codes(&self) {
        let links = self
            .people
            .iter()
            .map(|(code, ..)| format!("OLD{code};{code}\n"));
        let links = "old;new\n".to_owned() + &links.collect::<String>();
        fs::write(self.folder.path().join("links.csv"), links).expect("a file");
        self.legacy.execute_batch(UNDER_OLD_CODES).expect("records");
    }

    /// No event of a run names a record or a code.
    fn assert_events_are_of_nobody(&self) {
        let events = self.texts("SELECT detail FROM run_event");
        assert!(events.iter().any(|event| event.contains("\"revoked\":[{")));
        for (code, _, id) in &self.people {
            assert!(id.len() >= 11, "{id} would be found anywhere");
            for event in &events {
                assert!(!event.contains(code) && !event.contains(id), "{event}");
            }
        }
    }

    /// Who of these people has what.
    fn access(&self, people: std::ops::Range<usize>) -> Vec<String> {
        let codes: Vec<_> = self.people[people]
            .iter()
            .map(|one| format!("'{}'", one.0))
            .collect();
        self.texts(&format!(
            "SELECT DISTINCT profile FROM effective_access WHERE fiscal_code IN ({}) ORDER BY profile",
            codes.join(", ")
        ))
    }

    /// What became of the requests of this name.
    fn fates(&self, name: &str) -> Vec<String> {
        self.texts(&format!(
            "SELECT DISTINCT trim(state || ' ' || reason) FROM delayed_activation
             WHERE request_id LIKE '{name}-%' ORDER BY 1"
        ))
    }
}

fn run(folder: &TempDir, arguments: &[&str], code: i32) -> String {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_pinferry"));
    let output = command
        .current_dir(folder.path())
        .args(arguments)
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    // A drain beside an intake may have failed what that took in, before it answers.
    let is_expected = |found| found == code || arguments[0] == "intake" && found == 3;
    let found = output.status.code();
    assert!(
        found.is_some_and(is_expected),
        "{found:?} {arguments:?}: {told}"
    );
    told
}

fn people(legacy: &Connection) -> Vec<(String, String, String)> {
    let mut statement = legacy
        .prepare(
            "SELECT codice_fiscale, cognome || ';' || nome || ';' || coalesce(data_nascita, ''), id FROM pin_legacy
             WHERE stato = 'A' AND classe_utente = 'CIT' AND length(codice_fiscale) = 16
                 AND data_nascita < '2008-01-01' AND coalesce(cf_tutore, '') = ''
                 AND codice_fiscale IN (SELECT codice_fiscale FROM pin_legacy GROUP BY codice_fiscale HAVING count(*) = 1)
             ORDER BY id",
        )
        .expect("a query");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

/// A time as a file of requests has it.
fn now() -> String {
    Timestamp::try_from(SystemTime::now())
        .expect("a time")
        .to_string()
}

fn every_engine(records: &[Records]) -> impl Iterator<Item = (Engine, Records)> {
    let with = |engine| records.iter().map(move |records| (engine, *records));
    ENGINES.into_iter().flat_map(with)
}

fn groups() -> [std::ops::Range<usize>; 5] {
    std::array::from_fn(|n| n * EACH..(n + 1) * EACH)
}

#[test]
fn a_revocation_under_the_lock_wins_over_what_was_accepted_before_it_however_late_it_comes_in_on_every_engine()
 {
    let [early, late, ceased, other, after] = groups();
    for (engine, records) in every_engine(&[Records::Migrated, Records::Quarantined]) {
        let window = Window::with(engine, records);
        assert!(window.people.len() >= 5 * EACH, "{}", window.people.len());
        run(&window.folder, &["run", "--hold"], 5);
        const BEFORE: &str = "2026-01-02T10:00";
        window.hand_in("EARLY", early.clone(), "CIT", BEFORE);
        window.hand_in("OTHER", other.clone(), "COM", BEFORE);
        window.hand_in("CEASED", ceased.clone(), "CIT", &now());
        window.revoke(after.clone(), "R");
        window.legacy.execute_batch(MINUTES_AGO).expect("an update");
        window.revoke(early.clone(), "R");
        window.revoke(late.clone(), "R");
        window.revoke(ceased.clone(), "C");
        window.revoke(other.clone(), "R");
        window.hand_in("AFTER", after.clone(), "CIT", &now());
        run(&window.folder, &["run"], records.exit_code());
        window.hand_in("LATE", late.clone(), "CIT", BEFORE);
        let told = run(&window.folder, &["activate"], 3);
        assert!(told.contains("revoked"), "{told}");
        for (name, people) in [
            ("EARLY", early.clone()),
            ("LATE", late.clone()),
            ("CEASED", ceased.clone()),
        ] {
            assert_eq!(window.fates(name), ["failed revoked"], "{name} {records:?}");
            assert_eq!(window.access(people), [""; 0], "{name} {records:?}");
        }
        for (name, people, profile) in [
            ("OTHER", other.clone(), "COM"),
            ("AFTER", after.clone(), "CIT"),
        ] {
            assert_eq!(window.fates(name), ["done"], "{name} {records:?}");
            let access = window.access(people);
            assert_eq!(access, [profile], "{name} {records:?}");
        }
        run(&window.folder, &["verify"], 0);
        window.assert_events_are_of_nobody();
    }
}

#[test]
fn a_quarantined_record_under_an_old_code_is_revoked_of_its_holder_on_every_engine() {
    let [early, late, other, ..] = groups();
    for (engine, records) in every_engine(&[Records::Migrated, Records::Quarantined]) {
        let window = Window::with(engine, records);
        window.add_old_codes();
        run(&window.folder, &["run", "--hold"], 5);
        const BEFORE: &str = "2026-01-02T10:00";
        window.hand_in("EARLY", early.clone(), "COM", BEFORE);
        window.hand_in("OTHER", other.clone(), "CIT", BEFORE);
        for people in [early.clone(), late.clone(), other.clone()] {
            window.revoke_under("OLD", people, "R");
        }
        run(&window.folder, &["run"], 3);
        window.hand_in("LATE", late.clone(), "COM", BEFORE);
        run(&window.folder, &["activate"], 3);
        // Whether the holder stands in the model, or is a newcomer all of whose records are in quarantine.
        let kept: &[&str] = match records {
            Records::Migrated => &["CIT"],
            Records::Quarantined => &[],
        };
        for (name, people) in [("EARLY", early.clone()), ("LATE", late.clone())] {
            assert_eq!(window.fates(name), ["failed revoked"], "{name} {records:?}");
            assert_eq!(window.access(people), kept, "{name} {records:?}");
        }
        assert_eq!(window.fates("OTHER"), ["done"], "{records:?}");
        assert_eq!(window.access(other.clone()), ["CIT"], "{records:?}");
        run(&window.folder, &["verify"], 0);
        window.assert_events_are_of_nobody();
    }
}

#[test]
fn a_request_under_a_code_its_holder_had_once_is_refused_for_what_was_revoked_since_on_every_engine()
 {
    let [holders, once, ..] = groups();
    for (engine, records) in every_engine(&[Records::Migrated, Records::Quarantined]) {
        let mut window = Window::with(engine, records);
        let mut links = "old;new\n".to_owned();
        for (holder, once) in holders.clone().zip(once.clone()) {
            let old = window.people[once].0.clone();
            let sql = "DELETE FROM pin_legacy WHERE id = ?1";
            assert_eq!(window.legacy.execute(sql, [&old]), Ok(1));
            links += &format!("{old};{}\n", window.people[holder].0);
            window.people[once].1 = window.people[holder].1.clone();
        }
        let file = window.folder.path().join("links.csv");
        fs::write(&file, &links).expect("a file");
        run(&window.folder, &["run", "--hold"], 5);
        // The counter does not know of the new codes.
        fs::write(&file, "old;new\n").expect("a file");
        window.hand_in("ONCE", once.clone(), "CIT", "2026-01-02T10:00");
        fs::write(&file, &links).expect("a file");
        window.revoke(holders.clone(), "R");
        run(&window.folder, &["run"], records.exit_code());
        run(&window.folder, &["activate"], 3);
        assert_eq!(window.fates("ONCE"), ["failed revoked"], "{records:?}");
        assert_eq!(window.access(holders.clone()), [""; 0], "{records:?}");
    }
}

#[test]
fn several_drains_and_a_counter_at_once_revive_nothing_that_was_revoked_on_every_engine() {
    for engine in ENGINES {
        let window = Window::on(engine);
        run(&window.folder, &["run", "--hold"], 5);
        let everybody = 0..window.people.len();
        window.hand_in("EARLY", everybody.clone(), "CIT", "2026-01-02T10:00");
        window.revoke(everybody.clone(), "R");
        run(&window.folder, &["run"], 0);
        thread::scope(|scope| {
            let folder = &window.folder;
            for _ in 0..2 {
                scope.spawn(move || {
                    for _ in 0..4 {
                        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_pinferry"));
                        command
                            .current_dir(folder.path())
                            .arg("activate")
                            .output()
                            .expect("it runs");
                    }
                });
            }
            window.hand_in("LATE", everybody.clone(), "CIT", "2026-01-02T11:00");
            window.hand_in("OTHER", everybody.clone(), "COM", "2026-01-02T11:00");
        });
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_pinferry"));
        command
            .current_dir(window.folder.path())
            .arg("activate")
            .output()
            .expect("it runs");
        assert_eq!(window.fates("LATE"), ["failed revoked"]);
        assert_eq!(window.fates("OTHER"), ["done"]);
        assert_eq!(window.access(everybody), ["COM"]);
        run(&window.folder, &["verify"], 0);
    }
}

#[test]
fn a_revocation_wins_over_what_was_accepted_before_it_or_at_the_same_time_for_the_same_person_profile_and_entity()
 {
    let accepted = "2013-11-04T10:15";
    let request = judged(&[(Column::AcceptedAt, accepted)]).expect("a request");
    let Verdict::Accepted(request) = request.verdict else {
        panic!("it is accepted");
    };
    for (at, code, profile, entity, wins) in [
        ("2013-11-04T09:14:59.999Z", MARIO, "CDL", "", false),
        ("2013-11-04T09:15:00Z", MARIO, "CDL", "", true),
        ("2013-11-04T09:15:00.001Z", MARIO, "CDL", "", true),
        ("2013-11-05T09:15:00Z", MARIO, "CDL", "", true),
        ("2013-11-05T09:15:00Z", MARIO, "COM", "", false),
        ("2013-11-05T09:15:00Z", MARIO, "CDL", "E1", false),
        ("2013-11-05T09:15:00Z", LAURA, "CDL", "", false),
        // A code he had, or will have.
        ("2013-11-05T09:15:00Z", "OLD", "CDL", "", true),
    ] {
        let mut revocations = Revocations::default();
        let at: Timestamp = at.parse().expect("a time");
        let grant = GrantHash::of(code, profile, entity);
        revocations.add(grant.clone(), at, Failure::Revoked);
        revocations.add(grant, Timestamp::UNIX_EPOCH, Failure::Revoked);
        assert_eq!(
            revocations
                .failure_of(&request, &["OLD".to_owned()])
                .is_some(),
            wins,
            "{at} {profile} {entity}"
        );
    }
    assert!(Revocations::default().failure_of(&request, &[]).is_none());
}

#[test]
fn what_a_record_grants_is_the_same_whether_or_not_it_can_be_migrated() {
    let mut rules = rules();
    rules.links = Links::from_pairs([(1, "OLD", MARIO), (2, "GONE", "")]).expect("links");
    let grant = |entity| move |profile| Some(GrantHash::of(MARIO, profile, entity));
    let (alone, of_e1) = (grant(""), grant("E1"));
    for (code, profile, entity, expected) in [
        (MARIO, "CIT", "", alone("CIT")),
        (" old ", " cit\t", "E1", alone("CIT")),
        (MARIO, "PAT", " e1 ", of_e1("PAT")),
        ("rssmra80a01h501u", "pat", "E1", of_e1("PAT")),
        // Nobody can ask for these.
        (MARIO, "PAT", " ", None),
        (MARIO, "XYZ", "", None),
        ("RSSMRA80A01H501X", "CIT", "", None),
        ("GONE", "CIT", "", None),
    ] {
        let mut fields = [""; FIELDS];
        fields[Field::FiscalCode.index()] = code;
        fields[Field::Profile.index()] = profile;
        fields[Field::Entity.index()] = entity;
        let record = RawRecord {
            source: SourceIndex(0),
            number: 1,
            shape: Shape::Row,
            invalid: 0,
            clean: false,
            fields,
        };
        let found = GrantHash::of_record(&record, &rules);
        assert_eq!(found, expected, "{code} {profile} {entity}");
        let shape = Shape::Malformed;
        let malformed = RawRecord { shape, ..record };
        assert_eq!(GrantHash::of_record(&malformed, &rules), None);
    }
}

#[test]
fn what_was_revoked_is_read_once_a_drain_and_what_comes_meanwhile_as_well() {
    const DAMAGED: &str = r#"{"revoked":"somebody"}"#;
    let world = World::finished();
    let replayed = |event_id: i64, detail: &str| {
        world.execute(&format!(
            "INSERT INTO run_event (event_id, run_id, at, event, detail, chain)
             VALUES ({event_id}, 1, '2013-11-03T20:00:00.000Z', 'captures.replayed', '{detail}', '')"
        ));
    };
    let mut store = ActivationStore::open(&world.target).expect("the queue");
    let mut revoked = Revoked::default();
    let mut read_on = || {
        let tx = store.begin().expect("a transaction");
        let read = tx.read_on(&mut revoked);
        read.map(|()| revoked.revocations().is_empty())
    };
    assert!(read_on().expect("nothing"));
    replayed(
        900,
        r#"{"revoked":[{"grant":"00","at":"2013-11-03T20:00:00Z"}]}"#,
    );
    assert!(!read_on().expect("an event"));
    world.execute(&format!(
        "UPDATE run_event SET detail = '{DAMAGED}' WHERE event_id = 900"
    ));
    assert!(!read_on().expect("it was read before"));
    replayed(901, DAMAGED);
    read_on().expect_err("it was not");
}

#[test]
fn events_that_name_records_or_nothing_are_read_over() {
    let world = World::finished();
    for (n, detail) in [
        r#"{"captures":1,"people":1}"#,
        r#"{"captures":1,"people":1,"revoked":[{"source":"inps","id":"L1","at":"2999-01-01T10:00:00.000Z"}]}"#,
    ]
    .iter()
    .enumerate()
    {
        world.execute(&format!(
            "INSERT INTO run_event (event_id, run_id, at, event, detail, chain)
             VALUES ({}, 1, '2013-11-03T20:00:00.000Z', 'captures.replayed', '{detail}', '')",
            900 + n
        ));
    }
    world.migrate_mario("active", 2);
    world.intake(&[line("R1", "2013-11-04T10:15", MARIO, "CIT", "ORD")]);
    assert_eq!(world.activate().activated, 1);
}
