//! Roles that do not own the tables of a target in PostgreSQL.

use std::{fs, process::Output};

use crate::town::{Engine, Town};

const LEGACY: &str = "\
id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;algoritmo;data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore
M1;RSSMRA80A01H501U;Rossi;Mario;1980-01-01;CIT;;A;DISP;HASH;SHA256;2020-01-01;;2025-12-01;0700;SED;;;;
L1;BNCLRA75D52F205V;Bianchi;Laura;1975-04-12;CIT;;P;ORD;HASH;SHA256;2025-02-01;;;0701;WEB;1;;;
";

const REQUESTS: &str = "\
request_id;kind;accepted_at;fiscal_code;surname;given_name;birth_date;profile;level;credential;credential_scheme;halves_delivered;documents;of_pin;half;outcome
N1;new_pin;2026-01-02T09:00;RSSMRA80A01H501U;Rossi;Mario;1980-01-01;CIT;DISP;HASH;SHA256;2;IDENTITY_CARD;;;
N2;new_pin;2026-01-02T09:00;VRDGPP68T03L219K;Verdi;Giuseppe;1968-12-03;CIT;DISP;HASH;SHA256;2;IDENTITY_CARD;;;
V1;revocation;2026-01-02T10:00;VRDGPP68T03L219K;;;;CIT;;;;;;;;
P1;receipt;2026-01-02T10:00;;;;;;;;;;;inps:L1;second;delivered
";

struct Served {
    town: Town,
    activation: String,
    reports: String,
}

impl Served {
    fn new() -> Self {
        let hash = "cd".repeat(32);
        let town = Town::with_legacy(Engine::Postgres, &LEGACY.replace("HASH", &hash));
        fs::write(town.path("requests.csv"), REQUESTS.replace("HASH", &hash)).expect("a file");
        let database = town.database();
        let (activation, reports) = (
            format!("q_{}", database.name),
            format!("v_{}", database.name),
        );
        database.batch(&format!(
            "CREATE ROLE {activation} LOGIN; CREATE ROLE {reports} LOGIN"
        ));
        let text = fs::read_to_string(town.path("pinferry.toml")).expect("a file");
        for role in [&activation, &reports] {
            let url = database.server().url(role, &database.name);
            let text = text.replace(&database.url(), &url);
            fs::write(town.path(&format!("{role}.toml")), text).expect("a file");
        }
        town.expect(&["run"], &[0]);
        Self {
            town,
            activation,
            reports,
        }
    }

    fn as_role(&self, role: &str, arguments: &[&str], code: i32) -> String {
        let file = format!("{role}.toml");
        let arguments = [&["--config", file.as_str()], arguments].concat();
        let Output { stdout, stderr, .. } = self.town.expect(&arguments, &[code]);
        String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr)
    }

    fn grant(&self) {
        let output = self.town.expect(
            &[
                "grants",
                "--runner",
                "x",
                "--activation",
                &self.activation,
                "--reports",
                &self.reports,
            ],
            &[0],
        );
        let script = String::from_utf8(output.stdout).expect("text");
        self.town.database().batch(&script);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let (activation, reports) = (&self.activation, &self.reports);
        self.town.database().batch(&format!(
            "DROP OWNED BY {activation}, {reports} CASCADE; DROP ROLE {activation}, {reports}"
        ));
    }
}

#[test]
fn the_rights_that_grants_prints_let_one_role_serve_the_queue_and_another_look() {
    let served = Served::new();
    let (activation, reports) = (&served.activation, &served.reports);
    let text = served.as_role(activation, &["intake", "requests.csv"], 2);
    assert!(
        text.contains("GRANT INSERT ON audit_event, delayed_activation"),
        "{text}"
    );
    served.grant();
    served.as_role(activation, &["intake", "requests.csv"], 3);
    served.as_role(activation, &["activate"], 0);
    let text = served.as_role(activation, &["doctor"], 0);
    assert!(
        text.contains(
            "may hand requests in, activate them and write the offices' lists, and not run"
        ),
        "{text}"
    );
    assert!(!text.contains("GRANT "), "nobody makes it an owner: {text}");
    served.as_role(activation, &["run"], 2);
    let states = "SELECT string_agg(request_id || ' ' || state, ', ' ORDER BY request_id) FROM delayed_activation";
    assert_eq!(
        served.town.texts(states),
        ["N1 done, N2 failed, V1 accepted"],
        "a revocation of somebody who is not there wins, and waits for him"
    );
    let pins = "SELECT string_agg(legacy_id || ' ' || status, ', ' ORDER BY legacy_id) FROM pin";
    assert_eq!(
        served.town.texts(pins),
        ["L1 active, M1 retired, N1 active"]
    );
    for looking in [
        &["status"][..],
        &["activate", "--dry-run"],
        &["audit", "verify"],
        &["explain", "inps:M1"],
        &["quarantine", "list"],
        &["plan"],
        &["doctor"],
    ] {
        served.as_role(reports, looking, 0);
    }
    let text = served.as_role(reports, &["intake", "requests.csv"], 2);
    assert!(text.contains("GRANT INSERT"), "{text}");
    served.town.expect(&["verify"], &[0]);
    served.town.expect(&["audit", "verify"], &[0]);
}

#[test]
fn one_right_too_few_is_named_before_a_request_is_taken() {
    let served = Served::new();
    served.grant();
    let role = &served.activation;
    for (taken, missing) in [
        (
            "UPDATE (length) ON log_length",
            "GRANT UPDATE (length) ON log_length TO",
        ),
        (
            "INSERT ON delivery_receipt",
            "GRANT INSERT ON delivery_receipt TO",
        ),
        (
            "UPDATE ON SEQUENCE digest_ledger_entry_id_seq",
            "ON SEQUENCE digest_ledger_entry_id_seq TO",
        ),
    ] {
        let database = served.town.database();
        database.batch(&format!("REVOKE {taken} FROM {role}"));
        let text = served.as_role(role, &["intake", "requests.csv"], 2);
        assert!(text.contains(missing), "{text}");
        assert_eq!(
            served
                .town
                .texts("SELECT count(*)::text FROM delayed_activation"),
            ["0"]
        );
        database.batch(&format!("GRANT {taken} TO {role}"));
    }
}

#[test]
fn lists_of_people_are_written_by_the_role_of_the_counters_and_not_by_one_that_only_looks() {
    let served = Served::new();
    served.grant();
    let lists = |role: &str, code| served.as_role(role, &["report", "--notices", role], code);
    served.as_role(&served.activation, &["intake", "requests.csv"], 3);
    lists(&served.activation, 0);
    assert!(
        served
            .town
            .path(&served.activation)
            .join("indice.csv")
            .exists()
    );
    let reports = &served.reports;
    let text = lists(reports, 2);
    assert!(text.contains("may not write the audit log"), "{text}");
    let grants = format!(
        "GRANT INSERT ON audit_event TO {reports}; GRANT UPDATE (length) ON log_length TO {reports};"
    );
    assert!(text.contains(&grants), "{text}");
    assert!(!served.town.path(reports).exists());
    let hidden = fs::read_dir(served.town.path(".")).expect("a folder");
    let left = hidden.filter(|entry| {
        let name = entry.as_ref().expect("an entry").file_name();
        name.to_string_lossy().contains(reports.as_str())
            && !name.to_string_lossy().ends_with(".toml")
    });
    assert_eq!(left.count(), 0, "nothing of the lists is left");
    served.town.database().batch(&grants);
    lists(reports, 0);
    let who = "SELECT count(*)::text FROM audit_event WHERE action = 'report.notices'";
    assert_eq!(served.town.texts(who), ["2"]);
    served.town.expect(&["audit", "verify"], &[0]);
}
