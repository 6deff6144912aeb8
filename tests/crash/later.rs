//! A source that comes after cut-over is merged into the target in use: the target wins, and until the later run is
//! cut over nobody can tell it was begun.

use std::{fs, path::Path};

use pinferry::domain::fiscal_code::FiscalCode;

use crate::{
    ABORT, RUN,
    scenario::{Engine, Scenario, beginning},
};

const LATER: &[&str] = &["--config", "later.toml"];

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// The job with the configuration of the later sources.
fn later<'a>(command: &[&'a str]) -> Vec<&'a str> {
    [LATER, command].concat()
}

/// A finished migration of a half of the records of a legacy and of an extract, and two sources that come after it:
/// the whole legacy, many of whose people stand already, and an extract of others.
fn migrated(engine: Engine) -> Scenario {
    let scenario = Scenario::on(engine);
    scenario
        .legacy()
        .execute("DELETE FROM pin_legacy WHERE rowid % 2 = 0", [])
        .expect("a smaller legacy");
    scenario.expect(RUN, &[3]);
    fs::copy(beginning().join("inps.db"), scenario.path("late.db")).expect("a copy");
    let made = [
        "sample-data",
        "--records",
        "600",
        "--seed",
        "13",
        "--dirty",
        "0.1",
        "--out",
        "coda.csv",
    ];
    scenario.expect(&made, &[0]);
    let text = fs::read_to_string(scenario.path("pinferry.toml")).expect("a file");
    let text = text
        .replace("name = \"inps\"", "name = \"late\"")
        .replace("inps.db", "late.db")
        .replace("name = \"sede\"", "name = \"coda\"")
        .replace("sede.csv", "coda.csv");
    fs::write(scenario.path("later.toml"), text).expect("a file");
    scenario
}

/// Digest and totals of a document.
fn told(output: &std::process::Output) -> (String, String) {
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    (
        document["digest"].to_string(),
        document["totals"].to_string() + &document["findings"].to_string(),
    )
}

#[test]
fn a_later_run_comes_to_what_its_plan_says_on_any_engine_and_cut_in_any_way() {
    let mut expected = None;
    for engine in ENGINES {
        for (workers, chunk_records) in [("1", "100000"), ("3", "77")] {
            let scenario = migrated(engine);
            let cut = ["--workers", workers, "--chunk-records", chunk_records];
            let before = scenario.people();
            let json = ["--format", "json"];
            let planned =
                told(&scenario.expect(&later(&[&json[..], &["plan"], &cut[..]].concat()), &[3]));
            assert!(scenario.people() == before, "a plan writes nothing");
            let run =
                told(&scenario.expect(&later(&[&json[..], &["run"], &cut[..]].concat()), &[3]));
            assert_eq!(run, planned, "{engine:?} {cut:?}");
            assert_eq!(
                *expected.get_or_insert(run.clone()),
                run,
                "{engine:?} {cut:?}"
            );
            scenario.expect(&later(&["verify"]), &[0]);
            // The first run is still what it was, and is told so.
            scenario.expect(&["verify"], &[0]);
            let after = scenario.people();
            scenario.expect(RUN, &[3]);
            scenario.expect(&later(RUN), &[3]);
            assert!(scenario.people() == after, "finished runs change nothing");
        }
    }
}

/// Steps of the job in their order, each of which kills the process that reaches it.
const STEPS: [&str; 18] = [
    "run.create",
    "run.commit",
    "run.created",
    "lock.engaged",
    "layout.commit",
    "layout.committed",
    "chunk.rows:2",
    "chunk.commit:2",
    "chunk.committed:2",
    "index.commit",
    "verify.read",
    "verdict.commit",
    "verdict.committed",
    "cut_over.begin",
    "cut_over.commit",
    "cut_over.committed",
    "lock.sealed",
    "finish.commit",
];

#[test]
fn killed_at_step_after_step_a_later_run_ends_like_one_nobody_killed() {
    for engine in ENGINES {
        let undisturbed = migrated(engine);
        undisturbed.expect(&later(RUN), &[3]);
        let scenario = migrated(engine);
        for step in STEPS {
            assert!(scenario.killed_at(&later(RUN), step), "{step} was reached");
        }
        scenario.expect(&later(RUN), &[3]);
        assert!(scenario.target() == undisturbed.target(), "{engine:?}");
        scenario.expect(&later(&["verify"]), &[0]);
    }
}

#[test]
fn a_later_run_in_the_middle_is_seen_by_nobody_and_an_abort_leaves_no_trace_of_it() {
    for engine in ENGINES {
        let scenario = migrated(engine);
        let before = scenario.people();
        let access = scenario.count("effective_access");
        assert!(scenario.killed_at(&later(RUN), "chunk.committed:3"));
        assert!(scenario.people() != before, "rows were loaded");
        assert_eq!(scenario.count("effective_access"), access);
        scenario.expect(&later(ABORT), &[0]);
        assert!(scenario.people() == before, "{engine:?}");
        scenario.expect(&later(&["run", "--hold"]), &[5]);
        assert_eq!(scenario.count("effective_access"), access);
        let refused = scenario.expect(&["activate"], &[0]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned()
            + &String::from_utf8_lossy(&refused.stdout);
        assert!(said.contains("not finished"), "{said}");
        for step in ["erase.commit:2", "erase.committed:3", "aborted.commit"] {
            assert!(scenario.killed_at(&later(ABORT), step), "{step}");
        }
        scenario.expect(&later(ABORT), &[0]);
        assert!(scenario.people() == before, "{engine:?}");
        scenario.expect(&["verify"], &[0]);
        scenario.expect(&later(RUN), &[3]);
        assert!(scenario.count("effective_access") > access);
    }
}

/// What the old application does to the later legacy.
fn revoke_some(scenario: &Scenario) {
    let legacy = rusqlite::Connection::open(scenario.path("late.db")).expect("the legacy");
    let revoked = legacy
        .execute(
            "UPDATE pin_legacy SET stato = 'R' WHERE stato = 'A' AND rowid % 9 < 2",
            [],
        )
        .expect("a tightening passes");
    assert!(revoked > 100, "{revoked}");
}

#[test]
fn revocations_under_the_lock_of_a_later_run_arrive_with_people_who_stand_and_with_new_ones() {
    for engine in ENGINES {
        let before = migrated(engine);
        revoke_some(&before);
        before.expect(&later(RUN), &[3]);
        let scenario = migrated(engine);
        assert!(scenario.killed_at(&later(RUN), "chunk.committed:4"));
        revoke_some(&scenario);
        for step in ["replace.rows", "replace.committed", "capture.marked"] {
            assert!(scenario.killed_at(&later(RUN), step), "{step}");
        }
        scenario.expect(&later(RUN), &[3]);
        scenario.expect(&later(&["verify"]), &[0]);
        assert_eq!(scenario.digest(), before.digest(), "{engine:?}");
    }
}

#[test]
fn what_counters_take_away_while_a_later_legacy_is_sealed_stays_so_whatever_changed_there() {
    for engine in ENGINES {
        let scenario = migrated(engine);
        assert!(scenario.killed_at(&later(RUN), "cut_over.committed"));
        let of_new =
            "FROM pin JOIN person ON person.person_id = pin.person_id AND person.run_id = 2
             JOIN fiscal_code ON fiscal_code.person_id = person.person_id AND current
             WHERE pin.source = 'late' AND pin.status = 'active' AND length(fiscal_code) = 16";
        let code = scenario.ask_target(&format!(
            "SELECT fiscal_code {of_new} ORDER BY fiscal_code LIMIT 1"
        ));
        let code = code.trim();
        let legacy = rusqlite::Connection::open(scenario.path("late.db")).expect("the legacy");
        let suspended = legacy.execute(
            "UPDATE pin_legacy SET stato = 'S' WHERE codice_fiscale = ?1 AND stato = 'A'",
            [code],
        );
        assert!(suspended.expect("a tightening passes") > 0);
        let line = format!(
            "request_id;kind;accepted_at;fiscal_code\nV1;revocation;2026-01-02T09:00;{code}\n"
        );
        fs::write(scenario.path("stolen.csv"), line).expect("a file");
        scenario.expect(&["intake", "stolen.csv"], &[0]);
        let access = format!("effective_access WHERE fiscal_code = '{code}'");
        assert_eq!(scenario.count(&access), 0, "{engine:?}");
        scenario.expect(&later(RUN), &[3]);
        let left = |table: &str, status: &str| {
            scenario.count(&format!(
                "{table} JOIN fiscal_code ON fiscal_code.person_id = {table}.person_id
                 WHERE fiscal_code = '{code}' AND {status}"
            ))
        };
        assert_eq!(
            left("pin", "status IN ('active', 'suspended', 'pending')"),
            0,
            "{engine:?}"
        );
        assert!(left("pin", "status = 'revoked'") > 0);
        assert_eq!(left("profile_grant", "status <> 'ended'"), 0, "{engine:?}");
        let verified = scenario.expect(&later(&["--format", "json", "verify"]), &[0]);
        let found: serde_json::Value = serde_json::from_slice(&verified.stdout).expect("JSON");
        let changed = found["changed_since"].to_string();
        assert!(
            !changed.contains("_digest") && !changed.contains("counts"),
            "{changed}"
        );
    }
}

#[test]
fn what_was_migrated_already_is_refused_as_a_later_source() {
    let scenario = migrated(Engine::Sqlite);
    scenario.configure("name = \"sede\"", "name = \"other\"");
    let before = scenario.people();
    for command in [RUN, &["plan"]] {
        let refused = scenario.expect(command, &[2]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("under a name of its own"), "{said}");
    }
    assert!(scenario.people() == before);
}

#[test]
fn whatever_is_changed_of_a_later_run_is_found_and_of_an_earlier_one_what_life_never_changes() {
    let scenario = migrated(Engine::Sqlite);
    scenario.expect(&later(&["run", "--hold"]), &[5]);
    let (target, kept) = (scenario.path("multiprofile.db"), scenario.path("kept.db"));
    let copy = |from: &Path, to: &Path| {
        let from = rusqlite::Connection::open(from).expect("a database");
        drop(fs::remove_file(to));
        from.execute("VACUUM INTO ?1", [to.to_str()])
            .expect("a copy");
    };
    copy(&target, &kept);
    for (change, code) in [
        ("UPDATE pin SET office = 'x' WHERE rowid = (SELECT min(rowid) FROM pin WHERE run_id = 2)", 6),
        ("UPDATE pin SET status = 'revoked', superseded_by = NULL WHERE rowid =
             (SELECT min(rowid) FROM pin WHERE run_id = 2 AND status = 'retired')", 6),
        ("UPDATE profile_grant SET level = CASE level WHEN 'ordinary' THEN 'dispositive' ELSE 'ordinary' END
             WHERE (person_id, profile, entity) = (SELECT person_id, profile, entity FROM profile_grant
                 WHERE run_id = 2 LIMIT 1)", 6),
        ("DELETE FROM finding WHERE rowid = (SELECT min(rowid) FROM finding WHERE run_id = 2)", 6),
        ("UPDATE quarantine SET payload = '{}' WHERE rowid =
             (SELECT min(rowid) FROM quarantine WHERE run_id = 2)", 6),
        ("UPDATE pin SET issued_on = '2001-01-01' WHERE rowid =
             (SELECT min(rowid) FROM pin WHERE run_id = 1)", 6),
        ("UPDATE pin SET last_used_on = '2026-01-01' WHERE rowid =
             (SELECT min(rowid) FROM pin WHERE run_id = 1 AND status = 'active')", 0),
    ] {
        copy(&kept, &target);
        let tampered = rusqlite::Connection::open(&target).expect("the target");
        assert_eq!(tampered.execute(change, []).expect(change), 1, "{change}");
        drop(tampered);
        scenario.expect(&later(&["verify"]), &[code]);
    }
}

mod by_hand {
    use std::{sync::mpsc, thread, time::Duration};

    use super::{ENGINES, Engine, FiscalCode, RUN, Scenario, fs, later};

    const HEADER: &str = "id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;\
                          pin_hash;algoritmo;data_rilascio;data_scadenza;ultimo_accesso;sede;canale;\
                          meta_consegnate;email;telefono;cf_tutore\n";

    /// A code from its first 15 characters.
    fn code(fifteen: &str) -> String {
        ('A'..='Z')
            .map(|last| format!("{fifteen}{last}"))
            .find(|code| code.parse::<FiscalCode>().is_ok())
            .expect("one of them fits")
    }

    /// One record: id, first 15 characters of the code, surname, profile, entity, status, level, guardian.
    fn record(fields: [&str; 8]) -> String {
        let [
            id,
            fifteen,
            surname,
            profile,
            entity,
            status,
            level,
            guardian,
        ] = fields;
        let guardian = match guardian {
            "" => String::new(),
            fifteen => code(fifteen),
        };
        format!(
            "{id};{};{surname};MARIO;;{profile};{entity};{status};{level};00ff;SHA256;2012-05-01;;;0100;SED;;;;{guardian}\n",
            code(fifteen)
        )
    }

    const ACTIVE: &str = "RSSMRA80A01H501";
    const SIBLING: &str = "RSSMRA80A01H50M";
    const PENDING: &str = "BNCMRA75D12F205";
    const HISTORY: &str = "VRDMRA70B02H501";
    const SUSPENDED: &str = "NREMRA71C03H501";
    const RENAMED: [&str; 2] = ["GLLMRA60A01H501", "GLLMRA60A01F205"];
    const RENAMED_LATER: [&str; 2] = ["BLUMRA61A01H501", "BLUMRA61A01F205"];
    const NEW: &str = "MRNMRA62A01H501";

    /// Source `first`, migrated; source `second`, to come.
    fn scenario(engine: Engine) -> Scenario {
        let scenario = Scenario::on(engine);
        let first: String = [
            ["a", ACTIVE, "ROSSI", "CIT", "", "A", "ORD", ""],
            ["b", PENDING, "BIANCHI", "CIT", "", "P", "ORD", ""],
            ["c", HISTORY, "VERDI", "CIT", "", "R", "ORD", ""],
            ["d", SUSPENDED, "NERI", "CIT", "", "S", "DISP", ""],
            ["e", RENAMED[0], "GIALLI", "CIT", "", "A", "ORD", ""],
            ["f", RENAMED_LATER[0], "BLU", "CIT", "", "A", "ORD", ""],
        ]
        .map(record)
        .concat();
        let second: String = [
            // Of those who stand: a grant that exists at a higher level, and one they never had.
            ["a1", ACTIVE, "ROSSI", "CIT", "", "A", "DISP", ""],
            ["a2", ACTIVE, "ROSSI", "MED", "X1", "A", "DISP", NEW],
            ["a3", ACTIVE, "TUTTALTRI", "CIT", "", "A", "DISP", ""],
            ["b1", PENDING, "BIANCHI", "CIT", "", "A", "DISP", ""],
            ["c1", HISTORY, "VERDI", "CIT", "", "A", "DISP", ""],
            ["d1", SUSPENDED, "NERI", "MED", "", "R", "ORD", ""],
            // Written with codes the target knows as old, and with those only the links lead to somebody by.
            ["e1", RENAMED[0], "GIALLI", "MED", "", "A", "ORD", ""],
            ["e2", RENAMED[1], "GIALLI", "MED", "", "P", "ORD", ""],
            ["f1", RENAMED_LATER[1], "BLU", "MED", "", "A", "ORD", ""],
            ["g1", NEW, "MARRONI", "CIT", "", "A", "DISP", ""],
            ["h1", SIBLING, "ROSSI", "CIT", "", "A", "ORD", ""],
            // One id twice, in two ways.
            ["x", NEW, "MARRONI", "CIT", "", "A", "ORD", ""],
            ["x", NEW, "MARRONI", "CIT", "", "S", "ORD", ""],
        ]
        .map(record)
        .concat();
        for (name, records, [old, new]) in
            [("first", first, RENAMED), ("second", second, RENAMED_LATER)]
        {
            fs::write(
                scenario.path(&format!("{name}.csv")),
                HEADER.to_owned() + &records,
            )
            .expect("a file");
            let links = format!("old;new\n{};{}\n", code(old), code(new));
            fs::write(scenario.path(&format!("{name}-links.csv")), links).expect("a file");
            let target = match engine {
                Engine::Sqlite => "sqlite://multiprofile.db".to_owned(),
                Engine::Postgres => scenario.database().url(),
            };
            let text = format!(
                "[target]\nurl = \"{target}\"\n[[source]]\nname = \"{name}\"\nurl = \"csv://{name}.csv\"\n\
                 [catalogue]\nfiscal_code_links = \"{name}-links.csv\"\n[rules]\nas_of = \"2013-11-03\"\n\
                 [run]\nchunk_records = 2\nmax_quarantine_ratio = 1.0\n"
            );
            let file = match name {
                "first" => "pinferry.toml",
                _ => "later.toml",
            };
            fs::write(scenario.path(file), text).expect("a file");
        }
        scenario.expect(RUN, &[0]);
        scenario
    }

    /// One line per row, of the person's rows in one of the tables.
    fn rows(scenario: &Scenario, table: &str, fifteen: &str, columns: &str, order: &str) -> String {
        let mut lines = Vec::new();
        for at in 0.. {
            let sql = format!(
                "SELECT coalesce((SELECT {columns} FROM {table} WHERE person_id = (
                     SELECT person_id FROM fiscal_code WHERE fiscal_code = '{}')
                 ORDER BY {order} LIMIT 1 OFFSET {at}), '')",
                code(fifteen)
            );
            match scenario.ask_target(&sql).trim() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        lines.join(", ")
    }

    fn pins(scenario: &Scenario, fifteen: &str) -> String {
        let columns = "legacy_id || ' ' || status || ' ' || level || ' ' || coalesce((SELECT 'by ' || next.legacy_id
            FROM pin AS next WHERE next.pin_id = pin.superseded_by), '-')";
        rows(scenario, "pin", fifteen, columns, "legacy_id")
    }

    fn grants(scenario: &Scenario, fifteen: &str) -> String {
        let columns = "profile || entity || ' ' || status || ' ' || level || ' ' || evidence";
        rows(
            scenario,
            "profile_grant",
            fifteen,
            columns,
            "profile, entity",
        )
    }

    fn access(scenario: &Scenario, fifteen: &str) -> i64 {
        scenario.count(&format!(
            "effective_access WHERE fiscal_code = '{}'",
            code(fifteen)
        ))
    }

    #[test]
    fn people_who_stand_keep_their_pins_and_grants_and_are_never_split_or_quarantined() {
        for engine in ENGINES {
            let scenario = scenario(engine);
            scenario.expect(&later(&["run", "--hold"]), &[5]);
            assert_eq!(
                access(&scenario, ACTIVE),
                1,
                "nothing is opened before cut-over"
            );
            assert_eq!(access(&scenario, NEW), 0);
            scenario.expect(&later(RUN), &[3]);
            scenario.expect(&later(&["verify"]), &[0]);
            // Records that disagree on who ACTIVE is are quarantined, all of them; the person is not.
            assert_eq!(pins(&scenario, ACTIVE), "a active ordinary -");
            assert_eq!(
                grants(&scenario, ACTIVE),
                "CIT active ordinary legacy:first:a"
            );
            assert_eq!(
                scenario.count("quarantine WHERE reason = 'identity_conflict'"),
                3
            );
            assert_eq!(
                pins(&scenario, PENDING),
                "b pending ordinary -, b1 retired dispositive by b"
            );
            assert_eq!(
                grants(&scenario, PENDING),
                "CIT pending ordinary legacy:first:b"
            );
            assert_eq!(
                pins(&scenario, HISTORY),
                "c revoked ordinary -, c1 retired dispositive -"
            );
            assert_eq!(
                grants(&scenario, HISTORY),
                "CIT ended ordinary legacy:first:c"
            );
            assert_eq!(
                pins(&scenario, SUSPENDED),
                "d suspended dispositive -, d1 revoked ordinary -"
            );
            assert_eq!(
                grants(&scenario, SUSPENDED),
                "CIT suspended dispositive legacy:first:d, MED ended ordinary legacy:second:d1"
            );
            // What was written with the old code and with the new one is judged together.
            for code in RENAMED {
                assert_eq!(
                    pins(&scenario, code),
                    "e active ordinary -, e1 retired ordinary by e, e2 retired ordinary by e"
                );
                assert_eq!(
                    grants(&scenario, code),
                    "CIT active ordinary legacy:first:e, MED active ordinary legacy:second:e1"
                );
            }
            for code in RENAMED_LATER {
                assert_eq!(
                    pins(&scenario, code),
                    "f active ordinary -, f1 retired ordinary by f"
                );
            }
            let current = format!(
                "fiscal_code WHERE fiscal_code = '{}' AND current",
                code(RENAMED_LATER[0])
            );
            assert_eq!(
                scenario.count(&current),
                1,
                "the target's code stays the current one"
            );
            assert_eq!(pins(&scenario, NEW), "g1 active dispositive -");
            assert_eq!(
                scenario.count("quarantine WHERE reason = 'duplicate_id'"),
                2
            );
            let sibling = "finding WHERE kind = 'omocodia_pair' AND legacy_id = 'h1'";
            assert_eq!(scenario.count(sibling), 1);
            assert_eq!(access(&scenario, NEW), 1);
        }
    }

    #[test]
    fn whoever_comes_to_stand_while_a_chunk_is_judged_is_met_by_the_next_attempt() {
        for engine in ENGINES {
            let scenario = scenario(engine);
            // Somebody registers the new person, and takes a while about it.
            let new = code(NEW);
            let rows = format!(
                "INSERT INTO person (person_id, surname, given_name, run_id) VALUES (900, 'MARRONI', 'MARIO', 1);
                 INSERT INTO fiscal_code (fiscal_code, person_id, current) VALUES ('{new}', 900, {});
                 INSERT INTO pin (pin_id, person_id, status, disposition, level, credential, halves_delivered,
                     issued_on, source, legacy_id, legacy_profile, legacy_entity, legacy_status, run_id)
                 VALUES (900, 900, 'active', 'survivor', 'ordinary', 'x', 2, '2013-11-02', 'counter', '1', 'CIT',
                     '', 'active', 1);",
                match engine {
                    Engine::Sqlite => "1",
                    Engine::Postgres => "true",
                }
            );
            thread::scope(|threads| {
                let (begun, waits) = mpsc::channel();
                let rows = &rows;
                let scenario = &scenario;
                threads.spawn(move || match engine {
                    Engine::Sqlite => {
                        let target = scenario.file();
                        target.execute_batch("BEGIN IMMEDIATE").expect("begun");
                        target.execute_batch(rows).expect("rows");
                        begun.send(()).expect("somebody waits");
                        thread::sleep(Duration::from_secs(3));
                        target.execute_batch("COMMIT").expect("committed");
                    }
                    Engine::Postgres => {
                        begun.send(()).expect("somebody waits");
                        let wait = format!("BEGIN; {rows} SELECT pg_sleep(3); COMMIT");
                        scenario.database().batch(&wait);
                    }
                });
                waits.recv().expect("begun");
                scenario.expect(&later(RUN), &[3]);
            });
            assert_eq!(
                pins(&scenario, NEW),
                "1 active ordinary -, g1 retired dispositive by 1",
                "{engine:?}"
            );
            assert_eq!(scenario.count("person WHERE surname = 'MARRONI'"), 1);
            scenario.expect(&later(&["verify"]), &[0]);
        }
    }

    #[test]
    fn links_that_make_one_person_of_two_who_stand_are_refused_before_anything_is_written() {
        for engine in ENGINES {
            let scenario = scenario(engine);
            let links = format!("old;new\n{};{}\n", code(ACTIVE), code(PENDING));
            fs::write(scenario.path("second-links.csv"), links).expect("a file");
            for command in [RUN, &["plan"]] {
                let refused = scenario.expect(&later(command), &[2]);
                let said = String::from_utf8_lossy(&refused.stderr).into_owned();
                assert!(said.contains("several who stand"), "{said}");
            }
            assert_eq!(scenario.count("run"), 1);
        }
    }
}
