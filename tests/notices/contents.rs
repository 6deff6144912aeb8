//! What stands in the lists.

use crate::town::{ENGINES, Engine, Town};

/// All sheets row by row, in the order of the index. `NOW` is the day of the test.
const ROWS: &str = include_str!("rows.txt");

/// The sheets, the present day said as such.
fn rows(town: &Town) -> String {
    let index = town.read("lists/indice.csv");
    let mut text = index.clone();
    for line in index.lines().skip(1) {
        let fields: Vec<&str> = line.split(';').collect();
        text += &format!("== {}\n", fields[3]);
        for row in town.read(&format!("lists/{}", fields[3])).lines().skip(1) {
            let mut fields: Vec<&str> = row.split(';').collect();
            if !fields[1].starts_with("2026-01-0") {
                fields[1] = "NOW";
            }
            text += &format!("{}\n", fields.join(";"));
        }
    }
    text
}

#[test]
fn every_person_and_event_stands_in_the_list_of_its_office_on_either_engine() {
    for engine in ENGINES {
        let town = Town::on(engine);
        town.expect(&["report", "--notices", "lists"], 0);
        assert_eq!(rows(&town), ROWS, "{engine:?}");
    }
}

#[test]
fn a_page_says_the_same_in_tables_and_takes_no_text_for_a_tag() {
    let town = Town::on(Engine::Sqlite);
    town.expect(&["report", "--notices", "lists"], 0);
    let page = town.read("lists/sede-0700.html");
    for text in [
        "<html lang=\"it\">",
        "<h1>Persone da avvisare: sede 0700</h1>",
        "<h2>PIN che non valgono più</h2>",
        "<h2>Richieste in attesa</h2>",
        "ROSSI MARIO",
        "mario@example.org",
        "2 gennaio 2026",
        "CDL (Consulente del lavoro)",
        "Persone: 5; avvisi: 7.",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    for outside in ["http", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let page = town.read("lists/senza-sede.html");
    assert!(page.contains("&#60;b&#62;PAOLO&#60;/b&#62;"), "{page}");
    assert!(!page.contains("<b>PAOLO"), "{page}");
}

#[test]
fn a_person_whose_code_somebody_else_wrote_is_not_shown_with_his_contacts() {
    let town = Town::on(Engine::Sqlite);
    town.expect(&["report", "--notices", "lists"], 0);
    let sheet = town.read("lists/sede-0700.csv");
    let row = sheet.lines().find(|row| row.contains(";R4;"));
    let row = row.expect("Maria's request");
    assert!(row.contains(";Russo;Maria;;;"), "{row}");
}

#[test]
fn only_what_happened_since_counts_and_only_the_offices_asked_for() {
    for engine in ENGINES {
        let town = Town::on(engine);
        let asked = |more: &[&str]| {
            town.expect(&[&["report", "--notices", "lists"], more].concat(), 0);
            rows(&town)
        };
        let tomorrow = asked(&["--since", "2200-01-01"]);
        assert_eq!(tomorrow, "sede;persone;avvisi;csv;html\n", "{engine:?}");
        // What the counters hand in counts from the moment it was taken in, which is now.
        let received = asked(&["--since", "2026-01-06T00:00+01:00"]);
        assert_eq!(received, ROWS, "{engine:?}");
        let some = asked(&["--office", "0800", "--office", ""]);
        let offices: Vec<_> = some.lines().filter(|line| line.starts_with("==")).collect();
        assert_eq!(
            offices,
            ["== senza-sede.csv", "== sede-0800.csv"],
            "{engine:?}"
        );
    }
}

#[test]
fn a_file_that_comes_late_is_told_of_the_morning_after_whatever_hour_the_counter_wrote() {
    for engine in ENGINES {
        let town = Town::on(engine);
        let late = "\
request_id;kind;accepted_at;office;fiscal_code;surname;given_name;profile;level;documents;of_request;half;outcome
R8;further_profile;2026-01-02T10:40;0700;RSSMRA80A01H501U;Rossi;Mario;CDL;DISP;;;;
D9;receipt;2026-01-04T10:00;0700;;;;;;;R5;first;refused
";
        town.write("late.csv", late);
        let morning = jiff::Timestamp::now().to_string();
        town.expect(&["intake", "late.csv"], 3);
        town.expect(&["report", "--notices", "lists", "--since", &morning], 0);
        let sheet = town.read("lists/sede-0700.csv");
        let told: Vec<_> = sheet
            .lines()
            .skip(1)
            .map(|row| row.split(';').take(4).collect::<Vec<_>>().join(";"))
            .collect();
        assert_eq!(
            told,
            [
                "not_done;2026-01-02T10:40;RSSMRA80A01H501U;ROSSI",
                "half_back;2026-01-04T10:00;BLUBRN85H10G273N;Blu",
            ],
            "{engine:?}"
        );
        assert_eq!(town.names("lists").len(), 3, "{engine:?}");
    }
}

#[test]
fn a_time_that_is_none_ends_with_2() {
    let town = Town::on(Engine::Sqlite);
    let ended = town.expect(&["report", "--notices", "lists", "--since", "yesterday"], 2);
    assert!(
        ended.stderr.contains("--since yesterday"),
        "{}",
        ended.stderr
    );
    assert!(!town.path("lists").exists());
}

#[test]
fn the_streams_and_the_log_name_nobody() {
    for engine in ENGINES {
        let town = Town::on(engine);
        let mut said = String::new();
        for format in ["table", "json"] {
            let ended = town.expect(
                &["-vv", "--format", format, "report", "--notices", "lists"],
                0,
            );
            assert!(ended.stdout.contains("0700"), "{}", ended.stdout);
            said += &(ended.stdout + &ended.stderr);
        }
        said += &town.text("SELECT detail FROM audit_event WHERE action = 'report.notices' ORDER BY audit_id LIMIT 1");
        for secret in [
            "RSSMRA80A01H501U",
            "GLLNNA68E55A944R",
            "ROSSI",
            "Russo",
            "Gialli",
            "MARIO",
            "example.org",
            "5550101",
        ] {
            assert!(!said.contains(secret), "{engine:?}: {secret} in {said}");
        }
    }
}

#[test]
fn what_waits_while_the_first_run_is_held_is_told_to_wait_for_the_end_of_maintenance() {
    for engine in ENGINES {
        let town = Town::held(engine);
        town.expect(&["report", "--notices", "lists"], 0);
        let sheet = town.read("lists/sede-0700.csv");
        let of = |request: &str| {
            let row = sheet.lines().find(|row| row.contains(request));
            row.unwrap_or_else(|| panic!("{request}: {sheet}"))
        };
        assert!(
            of(";R3;").contains("avrà effetto non appena sarà finita la manutenzione."),
            "{engine:?}: {sheet}"
        );
        assert!(
            of(";R5;").contains(
                "non appena sarà consegnata la parte del PIN che manca e sarà finita la manutenzione."
            ),
            "{engine:?}: {sheet}"
        );
        assert!(!sheet.contains("alla prossima attivazione"), "{sheet}");
    }
}
