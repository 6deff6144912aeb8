//! PostgreSQL sources that cannot be read as configured, and what to type then.

use pinferry::{domain::field::Field, exit::Exit, source};

use crate::{
    extract::{Extract, row},
    postgres::{layout, values},
    server::{Database, parsed},
};

/// A database with the table and a role that has no right yet.
struct Stranger {
    database: Database,
    role: String,
}

impl Stranger {
    fn new() -> Self {
        let database = Database::new();
        let role = format!("r_{}", database.name);
        database.batch(&format!(
            "CREATE SCHEMA sede; {} INSERT INTO sede.pin VALUES ({}); CREATE ROLE {role} LOGIN;",
            layout("sede.pin"),
            values(&row("1", "Rossi"))
        ));
        Self { database, role }
    }

    fn extract(&self) -> Extract {
        let url = self.database.server().url(&self.role, &self.database.name);
        Extract::postgres(parsed(&url), "sede.pin")
    }

    /// The one mistake, with the role's name left out.
    fn mistake(&self) -> (String, String) {
        let extract = self.extract();
        let (_, exit) = extract.refusal();
        assert_eq!(exit, Exit::Usage);
        let mistakes = source::check(&extract.settings).expect_err("a mistake");
        let [mistake] = &mistakes[..] else {
            panic!("{mistakes:?}");
        };
        let tidy = |text: String| {
            let shown = extract.settings.location.shown();
            let place = shown.trim_end_matches(" (sede.pin)");
            text.replace(place, "DATABASE").replace(&self.role, "ROLE")
        };
        (
            tidy(mistake.to_string()),
            tidy(mistake.hint().expect("a hint")),
        )
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let role = &self.role;
        self.database
            .batch(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    }
}

#[test]
fn a_right_that_is_wanting_is_named_with_the_statement_that_gives_it() {
    let stranger = Stranger::new();
    let role = &stranger.role;
    let mut extract = stranger.extract();
    extract.settings.sha256 = None;
    let (text, _) = extract.refusal();
    assert!(text.contains("may not read schema sede; "), "{text}");

    stranger
        .database
        .batch(&format!("GRANT USAGE ON SCHEMA sede TO {role}"));
    let (text, hint) = stranger.mistake();
    assert_eq!(text, "DATABASE: ROLE may not read sede.pin");
    assert_eq!(
        hint,
        r#"let its owner type: GRANT SELECT ON "sede"."pin" TO "ROLE";"#
    );

    stranger
        .database
        .batch(&format!("GRANT SELECT (id) ON sede.pin TO {role}"));
    let (text, hint) = stranger.mistake();
    assert!(
        text.starts_with(r#"DATABASE: ROLE may not read "codice_fiscale", "cognome", "#),
        "{text}"
    );
    assert!(
        hint.contains(r#"GRANT SELECT ("codice_fiscale", "cognome", "#),
        "{hint}"
    );

    stranger
        .database
        .batch(&format!("GRANT SELECT ON sede.pin TO {role}"));
    assert_eq!(stranger.extract().read().len(), 1);

    // What a view reads is its owner's matter.
    stranger.database.batch(
        "ALTER TABLE sede.pin RENAME TO base; CREATE VIEW sede.pin AS SELECT * FROM sede.base",
    );
    let (text, _) = stranger.mistake();
    assert_eq!(text, "DATABASE: ROLE may not read sede.pin");
    stranger
        .database
        .batch(&format!("GRANT SELECT ON sede.pin TO {role}"));
    assert_eq!(stranger.extract().read().len(), 1);
}

#[test]
fn a_policy_that_hides_rows_is_a_mistake_and_never_a_gap() {
    let stranger = Stranger::new();
    let role = &stranger.role;
    stranger.database.batch(&format!(
        "GRANT USAGE ON SCHEMA sede TO {role}; GRANT SELECT ON sede.pin TO {role};
         ALTER TABLE sede.pin ENABLE ROW LEVEL SECURITY;"
    ));
    let (text, hint) = stranger.mistake();
    assert_eq!(
        text,
        r#"DATABASE: a row security policy decides which rows of sede.pin "ROLE" sees"#
    );
    assert!(hint.contains(r#"ALTER ROLE "ROLE" BYPASSRLS;"#), "{hint}");
    // Behind a view that looks with the reader's eyes only the server knows.
    stranger.database.batch(&format!(
        "ALTER TABLE sede.pin RENAME TO base;
         CREATE VIEW sede.pin WITH (security_invoker) AS SELECT * FROM sede.base;
         GRANT SELECT ON sede.pin TO {role};"
    ));
    let (text, exit) = stranger.extract().refusal();
    assert_eq!(exit, Exit::Usage);
    assert!(
        text.contains("row-level security") && text.contains("42501"),
        "{text}"
    );
    stranger
        .database
        .batch(&format!("ALTER ROLE {role} BYPASSRLS"));
    assert_eq!(stranger.extract().read().len(), 1);
}

#[test]
fn a_missing_table_is_named_beside_those_there_are() {
    let database = Database::new();
    database
        .batch("CREATE SCHEMA sede; CREATE TABLE sede.a (x int); CREATE VIEW b AS SELECT 1 AS y;");
    for table in ["pin_legacy", "b.a", "sede.b", ""] {
        let extract = Extract::postgres(database.settings(), table);
        let expected = format!(
            r#"source "inps" cannot be used as configured:  has no table or view "{table}"; it has "public.b", "sede.a""#
        );
        assert_eq!(extract.refusal(), (expected, Exit::Usage));
    }
}

#[test]
fn all_mistakes_about_a_table_are_told_at_once() {
    let database = Database::new();
    database.batch(&format!(
        "{} ALTER TABLE pin_legacy ADD \"NOTE\" text, ADD \"Note\" text",
        layout("pin_legacy")
    ));
    let mut extract = Extract::postgres(database.settings(), "pin_legacy")
        .map(Field::Surname, "surname")
        .map(Field::Phone, "note")
        .map(Field::GivenName, "given");
    extract.settings.sha256 = Some("00".to_owned());
    let (text, exit) = extract.refusal();
    assert_eq!(exit, Exit::Usage);
    for part in [
        r#"table public.pin_legacy has no columns "surname" (surname), "given" (given_name); it has "id", "#,
        r#"table public.pin_legacy names "note" more than once"#,
        "sha256 vouches for a CSV file",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_database_nobody_gets_into_is_a_mistake_of_configuration() {
    let database = Database::new();
    let server = database.server();
    let role = format!("r_{}", database.name);
    database.batch(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right'"));
    for (url, told, hint) in [
        (
            server.tcp_url(&role, "s3cret", &database.name),
            "28P01",
            "password",
        ),
        (
            server.tcp_url(&role, "right", "absent"),
            "3D000",
            "correct the database",
        ),
        (
            "postgres://anna:s3cret@127.0.0.1:1/pin".to_owned(),
            "no way to the server",
            "is the server up",
        ),
    ] {
        let extract = Extract::postgres(parsed(&url), "pin_legacy");
        let (text, exit) = extract.refusal();
        assert_eq!(exit, Exit::Usage);
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
        let mistakes = source::check(&extract.settings).expect_err("a mistake");
        assert!(
            mistakes[0].hint().expect("a hint").contains(hint),
            "{mistakes:?}"
        );
    }
    database.batch(&format!("DROP ROLE {role}"));
}
