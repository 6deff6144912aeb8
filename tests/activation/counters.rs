//! Counters that go on handing requests in while drains are at work.

use std::{
    fs,
    process::{Child, Stdio},
};

use crate::town::{ENGINES, Engine, HEADER, Town, activated, ended, line, people};

/// How many people come whom neither target nor queue knows.
const NEWCOMERS: usize = 150;

/// All requests of the other day, and the shares of two counters.
const ALL: &str = "all.csv";
const SHARES: [&str; 2] = ["known.csv", "newcomers.csv"];

/// Accepted after everything that is in the queue.
fn later(line: &str) -> String {
    line.replacen("2026-01-02T", "2026-01-03T", 1)
}

/// Another day's requests: of people who stand in the model, of such as wait to be entered into it, and of newcomers,
/// some with several, and half of these under a code that the links file leads to the other one.
fn another_day(town: &Town) -> usize {
    let sample = [
        "sample-data",
        "--seed",
        "23",
        "--dirty",
        "0",
        "--records",
        "700",
    ];
    town.expect(&[&sample[..], &["--out", "more.csv"]].concat(), &[0]);
    let known = town.texts(
        "SELECT fiscal_code FROM fiscal_code UNION SELECT fiscal_code FROM delayed_activation",
    );
    let is_known = |person: &&String| known.iter().any(|code| *code == person[..16]);
    let queued = town.texts(
        "SELECT request_id || ';' || fiscal_code || ';' || surname || ';' || coalesce(given_name, '') || ';'
             || coalesce(CAST(birth_date AS text), '')
         FROM delayed_activation WHERE state = 'accepted' AND profile = 'CIT' ORDER BY activation_id",
    );
    let mut text = format!("{HEADER}\n");
    for (n, request) in queued.iter().enumerate() {
        let (id, person) = request.split_once(';').expect("a request");
        // Every third has had one for each of the others.
        let has_more = town_has_more(id);
        if !has_more && n % 2 == 0 {
            text += &later(&line(&format!("D{n}-1"), n, person, "COM", "DISP"));
        }
        if !has_more && n % 4 == 0 {
            text += &later(&line(&format!("D{n}-2"), n + 1, person, "CDL", "DISP"));
        }
    }
    let mut links = fs::read_to_string(town.path("links.csv")).expect("a file");
    let others = people(&town.path("more.csv"));
    let mut others = others.iter().filter(|person| !is_known(person));
    for n in 0..NEWCOMERS {
        let person = others.next().expect("a newcomer");
        for (at, profile) in ["CIT", "CDL", "COM"].into_iter().enumerate() {
            let mut request = later(&line(
                &format!("M{n}-{at}"),
                n + at,
                person,
                profile,
                "DISP",
            ));
            if profile == "CDL" && n % 2 == 0 {
                let old = others.next().expect("another code");
                links += &format!("{};{}\n", &old[..16], &person[..16]);
                request = request.replace(&person[..16], &old[..16]);
            }
            text += &request;
        }
    }
    fs::write(town.path("links.csv"), links).expect("a file");
    let newcomers = text.find("M0-0;").expect("a newcomer");
    let (of_known, of_newcomers) = text.split_at(newcomers);
    for (file, text) in [
        (ALL, text.clone()),
        (SHARES[0], of_known.to_owned()),
        (SHARES[1], format!("{HEADER}\n{of_newcomers}")),
    ] {
        fs::write(town.path(file), text).expect("a file");
    }
    text.lines().count() - 1
}

/// Whether whoever made this request made others for the profiles that need a register.
fn town_has_more(request_id: &str) -> bool {
    let (person, _) = request_id.split_once('-').expect("a number");
    let number: usize = person[1..].parse().expect("a number");
    match &person[..1] {
        "S" => number.is_multiple_of(3),
        _ => number.is_multiple_of(4),
    }
}

fn hand_in(town: &Town, file: &str) -> Child {
    let mut command = town.command(&["intake", file]);
    // Nobody reads a pipe while drains are waited for.
    command.stdout(Stdio::null()).spawn().expect("it starts")
}

/// What became of the requests, whatever their numbers.
fn fates(town: &Town) -> Vec<String> {
    town.texts(
        "SELECT request_id || ' ' || state || ' ' || reason || ' ' || attempts FROM delayed_activation ORDER BY 1",
    )
}

/// The digest of a target after one counter and then one drain, and what became of the requests.
fn one_after_the_other(town: &Town) -> (String, Vec<String>) {
    let more = another_day(town);
    ended(hand_in(town, ALL), &[0]);
    let due = town.count("delayed_activation WHERE state = 'accepted'");
    assert!(more > 1_000 && due > 3_000, "{more} of {due}");
    assert_eq!(
        i64::try_from(activated(&ended(town.drain(), &[0]))),
        Ok(due)
    );
    (town.verified_digest(), fates(town))
}

fn assert_newcomers_came_once(town: &Town) {
    let of = "FROM pin JOIN delayed_activation ON delayed_activation.pin_id = pin.pin_id
              WHERE request_id LIKE 'M%'";
    for (what, expected) in [
        ("count(*)", 3 * NEWCOMERS),
        ("count(DISTINCT person_id)", NEWCOMERS),
        ("count(*) FILTER (WHERE pin.status = 'active')", NEWCOMERS),
    ] {
        let found = town.texts(&format!("SELECT CAST({what} AS text) {of}"));
        assert_eq!(found, [expected.to_string()], "{what}");
    }
}

#[test]
fn what_two_counters_hand_in_while_drains_are_at_work_is_neither_lost_nor_doubled_on_every_engine()
{
    let sequential = Town::on(Engine::Sqlite);
    let (digest, expected) = one_after_the_other(&sequential);
    assert_newcomers_came_once(&sequential);
    for engine in ENGINES {
        let town = Town::on(engine);
        another_day(&town);
        let mut drained = 0;
        let mut drains: Vec<_> = (0..2).map(|_| town.drain()).collect();
        // What one has taken in the third finds there.
        let mut counters: Vec<_> = SHARES.map(|share| hand_in(&town, share)).into();
        counters.push(hand_in(&town, ALL));
        while !counters.is_empty() {
            let drain = drains.remove(0);
            drained += activated(&ended(drain, &[0]));
            drains.push(town.drain());
            counters.retain_mut(|counter| {
                let end = counter.try_wait().expect("ours");
                assert!(
                    end.is_none_or(|end| end.success()),
                    "a counter failed: {end:?}"
                );
                end.is_none()
            });
        }
        for drain in drains {
            drained += activated(&ended(drain, &[0]));
        }
        drained += activated(&ended(town.drain(), &[0]));
        assert!(fates(&town) == expected, "{engine:?}: other fates");
        assert_newcomers_came_once(&town);
        assert_eq!(town.verified_digest(), digest);
        let done = town.count("delayed_activation WHERE state = 'done'");
        assert_eq!(i64::try_from(drained), Ok(done), "each was reported once");
    }
}

#[test]
fn newcomers_with_several_requests_under_linked_codes_are_entered_once_by_drains_at_once_on_every_engine()
 {
    for engine in ENGINES {
        let town = Town::on(engine);
        another_day(&town);
        // Whoever is in the queue already would keep the drains busy with others.
        ended(town.drain(), &[0]);
        ended(hand_in(&town, ALL), &[0]);
        let due = town.count("delayed_activation WHERE state = 'accepted'");
        let drains: Vec<_> = (0..4).map(|_| town.drain()).collect();
        let mut drained: u64 = (drains.into_iter())
            .map(|drain| activated(&ended(drain, &[0])))
            .sum();
        drained += activated(&ended(town.drain(), &[0]));
        assert_eq!(i64::try_from(drained), Ok(due));
        assert_newcomers_came_once(&town);
        town.verified_digest();
    }
}
