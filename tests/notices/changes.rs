//! What changed again before the lists were written is told as it is then.

use crate::town::{ENGINES, Town};

/// Laura's PIN, which was pending and became active, gives way; Anna's is revoked, and she asked for another; Mario's
/// further profile is suspended. Carlo asks for a PIN that gives way at once. Nobody has the code of V2.
const SINCE: &str = "\
request_id;kind;accepted_at;office;fiscal_code;surname;given_name;profile;level;credential;credential_scheme;halves_delivered;documents
A1;replacement;2026-01-03T09:00;0700;BNCLRA75D52F205V;Bianchi;Laura;CIT;ORD;HASH;SHA256;2;IDENTITY_CARD
V1;revocation;2026-01-03T09:00;0700;GLLNNA68E55A944R;Gialli;Anna;;;;;;
S1;suspension;2026-01-03T09:00;0700;RSSMRA80A01H501U;;;COM;;;;;
V2;revocation;2026-01-03T09:00;0700;SPSGNN60A01H501K;;;;;;;;
C1;new_pin;2026-01-03T10:00;0700;ZNCCRL90P20F839H;Zinco;Carlo;CIT;ORD;HASH;SHA256;2;IDENTITY_CARD
";

const AFTER: &str = "\
request_id;kind;accepted_at;office;fiscal_code;surname;given_name;profile;level;credential;credential_scheme;halves_delivered;documents
C2;new_pin;2026-01-03T11:00;0700;ZNCCRL90P20F839H;Zinco;Carlo;COM;ORD;HASH;SHA256;2;IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY
A2;new_pin;2026-01-03T11:00;0700;GLLNNA68E55A944R;Gialli;Anna;CIT;ORD;HASH;SHA256;2;IDENTITY_CARD
S2;suspension;2026-01-03T10:30;0700;BNCLRA75D52F205V;;;;;;;;
A3;replacement;2026-01-03T12:00;0700;BNCLRA75D52F205V;Bianchi;Laura;CIT;ORD;HASH;SHA256;2;IDENTITY_CARD
";

fn hand_in(town: &Town, text: &str, code: i32) {
    town.write("since.csv", &text.replace("HASH", &"ab".repeat(32)));
    town.expect(&["intake", "since.csv"], code);
    town.expect(&["activate"], 0);
}

/// Of each row its sort, the PIN or request, and what to say.
fn told(town: &Town) -> Vec<String> {
    town.expect(&["report", "--notices", "lists"], 0);
    let sheets = town.names("lists").into_iter();
    let sheets = sheets.filter(|name| name.ends_with(".csv") && name != "indice.csv");
    let mut rows: Vec<_> = sheets
        .flat_map(|name| {
            let sheet = town.read(&format!("lists/{name}"));
            let rows = sheet.lines().skip(1).map(|row| {
                let fields: Vec<_> = row.split(';').collect();
                format!("{} {}: {}", fields[0], fields[11], fields[9])
            });
            rows.collect::<Vec<_>>()
        })
        .collect();
    rows.sort_unstable();
    rows
}

#[test]
fn what_changed_since_is_told_as_it_is_now_and_nobody_is_forgotten() {
    const UNUSED: &str = "mai usato, per quanto risulta";
    for engine in ENGINES {
        let town = Town::on(engine);
        let before = told(&town);
        assert!(before.contains(&"pin_active R2: Il PIN è attivo e si può usare.".to_owned()));
        // Nobody has the code of V2.
        hand_in(&town, SINCE, 3);
        hand_in(&town, AFTER, 0);
        let mut after = told(&town);
        after.retain(|row| !before.contains(row));
        let gone = |pin: &str, office: &str, staying: &str, state: &str| {
            format!(
                "pin_retired {pin}: Il PIN {pin} ({UNUSED}) non vale più. Resta il PIN activation:{staying} ({UNUSED}){state}{office}"
            )
        };
        let in_use = ": da ora si usa quello, per tutti i profili.";
        let suspended = ", che però è sospeso.";
        assert_eq!(
            after,
            [
                "pin_active A2: Il PIN è attivo e si può usare.".to_owned(),
                "pin_active C2: Il PIN è attivo e si può usare.".to_owned(),
                gone("activation:A1", "", "A3", suspended),
                gone("activation:C1", "", "C2", in_use),
                gone("inps:L3", "", "A3", suspended),
                "pin_suspended A3: Il nuovo PIN prende il posto di quello che aveva, ed è sospeso come quello: non si può usare."
                    .to_owned(),
                "taken_away S1: Il profilo è stato sospeso, come chiesto allo sportello.".to_owned(),
                "taken_away S2: Il PIN è stato sospeso, come chiesto allo sportello.".to_owned(),
                "taken_away V1: Il PIN è stato revocato, come chiesto allo sportello. Quello chiesto dopo vale: activation:A2."
                    .to_owned(),
                "waiting V2: La richiesta di revoca vale, ma nessuno è ancora registrato con questo codice fiscale: avrà \
                 effetto non appena qualcuno lo sarà."
                    .to_owned(),
            ],
            "{engine:?}"
        );
        let still = told(&town);
        for gone in ["pin_active R2", "pin_active inps:L3", "profile_active R3"] {
            assert!(before.iter().any(|row| row.starts_with(gone)), "{gone}");
            assert!(!still.iter().any(|row| row.starts_with(gone)), "{gone}");
        }
    }
}
