//! A day at the counter, as an office lives it: requests of every kind, receipts, and a stolen PIN.

use std::fs;

use crate::town::{ENGINES, Town};

const LEGACY: &str = "\
id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;algoritmo;data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore
M1;RSSMRA80A01H501U;Rossi;Mario;1980-01-01;CIT;;A;DISP;HASH;SHA256;2020-01-01;;2025-12-01;0700;SED;;;;
M2;RSSMRA80A01H501U;Rossi;Mario;1980-01-01;CDL;;P;ORD;HASH;SHA256;2025-01-01;;;0700;SED;1;;;
L1;BNCLRA75D52F205V;Bianchi;Laura;1975-04-12;CIT;;P;ORD;HASH;SHA256;2025-02-01;;;0701;WEB;0;;;
G1;VRDGPP68T03L219K;Verdi;Giuseppe;1968-12-03;CIT;;A;ORD;HASH;SHA256;2019-01-01;;2025-11-01;0700;WEB;;;;
Q1;RSSMRA80A01H501X;Sbagliata;Carla;;CIT;;P;ORD;HASH;SHA256;2019-01-01;;;0700;WEB;;;;
";

const HEADER: &str = "request_id;kind;accepted_at;office;channel;fiscal_code;surname;given_name;profile;level;\
    credential;credential_scheme;halves_delivered;documents;birth_date;of_request;of_pin;half;outcome;way";

/// A line, from what is between the channel and the credential, and whether it has one.
fn request(id: &str, kind: &str, at: &str, person: &str, profile: &str, pin: &str) -> String {
    let (credential, halves) = match pin {
        "" => (";".to_owned(), ""),
        halves => (format!("{};SHA256", "ab".repeat(32)), halves),
    };
    let documents = "IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY BAR_MEMBERSHIP";
    format!("{id};{kind};{at};0700;SED;{person};{profile};;{credential};{halves};{documents};1970-01-01;;;;;\n")
        .replace("1970-01-01", if person.starts_with("RSS") { "1980-01-01" } else { "" })
}

fn receipt(id: &str, of: &str, half: &str, outcome: &str) -> String {
    let (request, pin) = if of.contains(':') { ("", of) } else { (of, "") };
    format!(
        "{id};receipt;2026-01-05T09:00;0700;;;;;;;;;;;;{request};{pin};{half};{outcome};letter\n"
    )
}

const MARIO: &str = "RSSMRA80A01H501U;Rossi;Mario";
const GIUSEPPE: &str = "VRDGPP68T03L219K;Verdi;Giuseppe";
const LAURA: &str = "BNCLRA75D52F205V;Bianchi;Laura";

impl Town {
    /// Hands a file in; what standard output said, as JSON.
    fn intake(&self, lines: &[String], codes: &[i32]) -> serde_json::Value {
        let text = format!("{HEADER}\n{}", lines.concat());
        fs::write(self.path("day.csv"), text).expect("a file");
        let output = self.expect(&["--format", "json", "intake", "day.csv"], codes);
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    fn pins(&self) -> Vec<String> {
        self.texts(
            "SELECT pin.source || ':' || pin.legacy_id || ' ' || pin.status || ' ' || pin.level || ' '
                 || pin.halves_delivered || coalesce(' by ' || later.legacy_id, '')
             FROM pin LEFT JOIN pin AS later ON later.pin_id = pin.superseded_by
             ORDER BY pin.person_id, pin.source DESC, pin.legacy_id",
        )
    }

    fn grants(&self) -> Vec<String> {
        self.texts(
            "SELECT surname || ' ' || profile || ' ' || status || ' ' || level FROM profile_grant
             JOIN person ON person.person_id = profile_grant.person_id ORDER BY surname, profile",
        )
    }

    fn access(&self) -> Vec<String> {
        self.texts(
            "SELECT substr(fiscal_code, 1, 3) || ' ' || profile || ' ' || level FROM effective_access
             ORDER BY fiscal_code, profile",
        )
    }

    fn fate(&self, request_id: &str) -> String {
        let fates = self.texts(&format!(
            "SELECT state || ' ' || reason FROM delayed_activation WHERE request_id = '{request_id}'
             UNION ALL SELECT state || ' ' || reason FROM delivery_receipt WHERE request_id = '{request_id}'"
        ));
        fates.concat().trim().to_owned()
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a day is told in one piece")]
fn every_kind_of_request_does_what_the_office_was_told_on_every_engine() {
    for engine in ENGINES {
        let town = Town::with_legacy(engine, &LEGACY.replace("HASH", &"cd".repeat(32)));
        // In the night of the window: nothing takes effect, not even a revocation.
        let night = [
            request(
                "F1",
                "further_profile",
                "2026-01-02T09:00",
                GIUSEPPE,
                "COM",
                "",
            ),
            request(
                "F2",
                "further_profile",
                "2026-01-02T09:00",
                LAURA,
                "AVV",
                "",
            ),
            request("N0", "new_pin", "2026-01-02T09:00", GIUSEPPE, "CIT", "0"),
            request("V0", "revocation", "2026-01-02T10:00", MARIO, "CIT", ""),
            receipt("B1", "N0", "first", "delivered"),
            receipt("B2", "inps:Q1", "second", "delivered"),
            receipt("B3", "inps:nobody", "second", "delivered"),
        ];
        town.expect(&["migrate-schema"], &[0]);
        let told = town.intake(&night, &[3]);
        assert_eq!(told["late"], 1, "{told}");
        town.expect(&["run"], &[3]);
        let before = [
            "inps:M1 active dispositive 2",
            "inps:M2 retired ordinary 1 by M1",
            "inps:G1 active ordinary 2",
            "inps:L1 pending ordinary 0",
        ];
        let sorted = |mut rows: Vec<String>| {
            rows.sort_unstable();
            rows
        };
        assert_eq!(
            sorted(town.pins()),
            sorted(before.map(str::to_owned).into())
        );

        town.expect(&["activate"], &[3]);
        assert_eq!(town.fate("F1"), "done");
        assert_eq!(
            town.fate("F2"),
            "done",
            "her PIN is pending and opens nothing"
        );
        assert_eq!(town.fate("V0"), "done");
        assert_eq!(town.fate("B1"), "done");
        assert_eq!(
            town.fate("B2"),
            "waiting",
            "its record may yet leave quarantine"
        );
        assert_eq!(town.fate("B3"), "failed pin_unknown");
        assert_eq!(
            town.grants(),
            [
                "Bianchi AVV active ordinary",
                "Bianchi CIT pending ordinary",
                "Rossi CDL pending ordinary",
                "Rossi CIT ended dispositive",
                "Verdi CIT active ordinary",
                "Verdi COM active ordinary",
            ]
        );
        assert_eq!(town.access(), ["VRD CIT ordinary", "VRD COM ordinary"]);

        // The post brings what was missing, twice, and something back.
        let morning = [
            receipt("P1", "inps:L1", "second", "delivered"),
            receipt("P2", "inps:L1", "second", "delivered"),
            receipt("P3", "inps:M2", "second", "delivered"),
            receipt("P4", "N0", "second", "returned"),
        ];
        town.intake(&morning, &[0]);
        town.expect(&["activate"], &[0]);
        assert_eq!(
            town.access(),
            ["RSS CDL ordinary", "VRD CIT ordinary", "VRD COM ordinary"],
            "a receipt of a retired pending PIN gives what waited for it, half a PIN nothing"
        );
        assert_eq!(town.fate("N0"), "accepted");
        town.intake(
            &[
                receipt("P5", "inps:L1", "first", "delivered"),
                receipt("P6", "N0", "second", "delivered"),
            ],
            &[0],
        );
        town.expect(&["activate"], &[0]);
        assert_eq!(
            town.access(),
            [
                "BNC AVV ordinary",
                "BNC CIT ordinary",
                "RSS CDL ordinary",
                "VRD CIT dispositive",
                "VRD COM ordinary",
            ]
        );

        // At two in the morning a PIN is stolen.
        let told = town.intake(
            &[request(
                "V1",
                "revocation",
                "2026-01-06T02:00",
                GIUSEPPE,
                "",
                "",
            )],
            &[0],
        );
        assert_eq!(told["requests"][0]["state"], "done", "at once: {told}");
        assert!(town.access().iter().all(|line| !line.starts_with("VRD")));
        let requests = [
            request("N1", "new_pin", "2026-01-06T01:59", GIUSEPPE, "CIT", "2"),
            request("N2", "new_pin", "2026-01-06T02:00", GIUSEPPE, "AVV", "2"),
            request("N3", "new_pin", "2026-01-06T09:00", GIUSEPPE, "COM", "2"),
        ];
        town.intake(&requests, &[0]);
        town.expect(&["activate"], &[3]);
        assert_eq!(town.fate("N1"), "failed revoked");
        assert_eq!(town.fate("N2"), "failed revoked");
        assert_eq!(town.fate("N3"), "done");
        // One that was accepted before what took effect meanwhile, and comes in late, takes nothing of that away.
        town.intake(
            &[request(
                "V2",
                "revocation",
                "2026-01-06T08:00",
                GIUSEPPE,
                "",
                "",
            )],
            &[0],
        );
        assert_eq!(town.fate("V2"), "done");
        assert!(town.access().contains(&"VRD COM dispositive".to_owned()));

        // Suspended, and replaced: the new PIN is suspended too, and above its predecessor in nothing.
        let requests = [
            request("S1", "suspension", "2026-01-07T02:00", LAURA, "", ""),
            request("R1", "replacement", "2026-01-07T09:00", LAURA, "CIT", "2"),
            request("S2", "suspension", "2026-01-07T10:00", GIUSEPPE, "COM", ""),
            request(
                "F3",
                "further_profile",
                "2026-01-07T09:59",
                GIUSEPPE,
                "COM",
                "",
            ),
            request(
                "V3",
                "revocation",
                "2026-01-07T10:00",
                "RSSMRA80A01H501U;Bianchi;Mario",
                "CDL",
                "",
            ),
            request("V4", "revocation", "2026-01-07T10:00", MARIO, "AVV", ""),
        ];
        let told = town.intake(&requests, &[3]);
        assert_eq!(told["failed"], 3, "{told}");
        town.expect(&["activate"], &[0]);
        assert_eq!(town.fate("F3"), "failed suspended");
        assert_eq!(town.fate("V3"), "failed identity_conflict");
        assert_eq!(town.fate("V4"), "failed grant_missing");
        let pins = town.pins();
        for expected in [
            "activation:R1 suspended ordinary 2",
            "inps:L1 retired ordinary 2 by R1",
            "activation:N0 revoked dispositive 2",
            "activation:N3 active dispositive 2",
        ] {
            assert!(
                pins.iter().any(|pin| pin == expected),
                "{expected}: {pins:?}"
            );
        }
        assert_eq!(town.access(), ["RSS CDL ordinary"]);

        // The same files again change nothing, and everything is accounted for.
        let all = || {
            (
                town.pins(),
                town.grants(),
                town.texts("SELECT request_id || state FROM delayed_activation ORDER BY 1"),
            )
        };
        let settled = all();
        for lines in [&night[..], &morning, &requests] {
            town.intake(lines, &[0, 3]);
        }
        town.expect(&["activate"], &[0]);
        assert_eq!(all(), settled);
        town.expect(&["verify"], &[0]);
    }
}

#[test]
fn a_revocation_that_comes_in_late_leaves_the_profile_that_a_later_request_asked_for_on_every_engine()
 {
    for engine in ENGINES {
        for kind in ["new_pin", "further_profile"] {
            let town = Town::with_legacy(engine, &LEGACY.replace("HASH", &"cd".repeat(32)));
            town.expect(&["migrate-schema"], &[0]);
            town.expect(&["run"], &[3]);
            // He has the profile already: the first two bring a PIN, and the last finds his profile there.
            let halves = |kind: &str| if kind == "new_pin" { "2" } else { "" };
            let at = |id: &str, kind: &str, at: &str| {
                request(id, kind, at, GIUSEPPE, "CIT", halves(kind))
            };
            let before = at("N1", "new_pin", "2026-01-05T08:00");
            let other = request("N2", "new_pin", "2026-01-05T10:00", GIUSEPPE, "AVV", "2");
            let again = at("A1", kind, "2026-01-05T11:00");
            for line in [before, other, again] {
                town.intake(&[line], &[0]);
                town.expect(&["activate"], &[0]);
            }
            for (id, revoked, left) in [
                ("V1", "2026-01-05T09:00", true),
                ("V2", "2026-01-05T10:59", true),
                ("V3", "2026-01-05T11:00", false),
            ] {
                town.intake(
                    &[request(id, "revocation", revoked, GIUSEPPE, "CIT", "")],
                    &[0],
                );
                let has_access = town.access().iter().any(|line| line.starts_with("VRD CIT"));
                assert_eq!(has_access, left, "{engine:?} {kind} {id}");
            }
            town.expect(&["verify"], &[0]);
        }
    }
}

#[test]
fn a_profile_that_a_late_revocation_leaves_is_at_the_level_that_was_asked_for_after_it_on_every_engine()
 {
    for engine in ENGINES {
        let town = Town::with_legacy(engine, &LEGACY.replace("HASH", &"cd".repeat(32)));
        town.expect(&["migrate-schema"], &[0]);
        town.expect(&["run"], &[3]);
        let asked = request("N1", "new_pin", "2026-01-05T10:00", MARIO, "CIT", "2");
        town.intake(&[asked.replace(";CIT;;", ";CIT;ORD;")], &[0]);
        town.expect(&["activate"], &[0]);
        let held = |level: &str| town.grants().contains(&format!("Rossi CIT active {level}"));
        assert!(held("dispositive"), "{engine:?}: {:?}", town.grants());
        town.intake(
            &[request(
                "V1",
                "revocation",
                "2026-01-05T09:00",
                MARIO,
                "",
                "",
            )],
            &[0],
        );
        assert!(held("ordinary"), "{engine:?}: {:?}", town.grants());
        town.expect(&["verify"], &[0]);
    }
}
