//! A revocation under the lock wins over the requests that were accepted before it.

use std::{
    fs, thread,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;
use pinferry::domain::activation::{column::Column, revocation::Revocation, submission::Verdict};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{
    evaluations::judged,
    server::{Database, Server},
    town::{ENGINES, Engine, HEADER},
};

/// People of each kind.
const EACH: usize = 12;

/// A job whose legacy is locked, and whose requests come in meanwhile.
struct Window {
    folder: TempDir,
    server: Option<Database>,
    legacy: Connection,
    /// Code, names, birth date and profile of people with one PIN, which is active.
    people: Vec<(String, String, String)>,
}

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
             [activation]\ndelay_working_days = 0\n"
        );
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
        let people = people(&legacy);
        Self {
            folder,
            server,
            legacy,
            people,
        }
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
        for (_, _, id) in &self.people[people] {
            let sql = "UPDATE pin_legacy SET stato = ?1 WHERE id = ?2";
            assert_eq!(self.legacy.execute(sql, [status, id]), Ok(1), "it passes");
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
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    told
}

fn people(legacy: &Connection) -> Vec<(String, String, String)> {
    let mut statement = legacy
        .prepare(
            "SELECT codice_fiscale, cognome || ';' || nome || ';' || coalesce(data_nascita, ''), id FROM pin_legacy
             WHERE stato = 'A' AND classe_utente = 'CIT' AND length(codice_fiscale) = 16
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

fn groups() -> [std::ops::Range<usize>; 5] {
    std::array::from_fn(|n| n * EACH..(n + 1) * EACH)
}

#[test]
fn a_revocation_under_the_lock_wins_over_what_was_accepted_before_it_however_late_it_comes_in_on_every_engine()
 {
    let [early, late, ceased, other, after] = groups();
    for engine in ENGINES {
        let window = Window::on(engine);
        assert!(window.people.len() >= 5 * EACH, "{}", window.people.len());
        run(&window.folder, &["run", "--hold"], 5);
        const BEFORE: &str = "2026-01-02T10:00";
        window.hand_in("EARLY", early.clone(), "CIT", BEFORE);
        window.hand_in("OTHER", other.clone(), "COM", BEFORE);
        window.hand_in("CEASED", ceased.clone(), "CIT", &now());
        window.revoke(early.clone(), "R");
        window.revoke(late.clone(), "R");
        window.revoke(ceased.clone(), "C");
        window.revoke(other.clone(), "R");
        window.revoke(after.clone(), "R");
        thread::sleep(Duration::from_millis(1100));
        window.hand_in("AFTER", after.clone(), "CIT", &now());
        run(&window.folder, &["run"], 0);
        window.hand_in("LATE", late.clone(), "CIT", BEFORE);
        let told = run(&window.folder, &["activate"], 3);
        assert!(told.contains("revoked"), "{told}");
        for (name, people) in [
            ("EARLY", early.clone()),
            ("LATE", late.clone()),
            ("CEASED", ceased.clone()),
        ] {
            assert_eq!(window.fates(name), ["failed revoked"], "{name}");
            assert_eq!(window.access(people), [""; 0], "{name}");
        }
        for (name, people, profile) in [
            ("OTHER", other.clone(), "COM"),
            ("AFTER", after.clone(), "CIT"),
        ] {
            assert_eq!(window.fates(name), ["done"], "{name}");
            assert_eq!(window.access(people), [profile], "{name}");
        }
        run(&window.folder, &["verify"], 0);
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
fn a_revocation_wins_over_what_was_accepted_before_it_or_at_the_same_time_for_the_same_profile_and_entity()
 {
    let accepted = "2013-11-04T10:15";
    for (at, profile, entity, wins) in [
        ("2013-11-04T09:14:59.999Z", "CDL", "", false),
        ("2013-11-04T09:15:00Z", "CDL", "", true),
        ("2013-11-04T09:15:00.001Z", "CDL", "", true),
        ("2013-11-05T09:15:00Z", "CDL", "", true),
        ("2013-11-05T09:15:00Z", "COM", "", false),
        ("2013-11-05T09:15:00Z", "CDL", "E1", false),
    ] {
        let request = judged(&[(Column::AcceptedAt, accepted)]).expect("a request");
        let Verdict::Accepted(request) = request.verdict else {
            panic!("it is accepted");
        };
        let revocation = Revocation {
            profile: profile.to_owned(),
            entity: entity.to_owned(),
            at: at.parse().expect("a time"),
        };
        assert_eq!(
            revocation.wins_over(&request),
            wins,
            "{at} {profile} {entity}"
        );
    }
}
