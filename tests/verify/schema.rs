//! Tables and what belongs to them, changed.

use pinferry::engine::verify::MismatchCode;

use crate::{
    engine::{Engine, on_both_engines},
    fixture::migrated,
};

on_both_engines! {
    what_is_missing_or_changed_or_not_ours_is_named
    what_only_makes_reading_faster_is_nobodys_business
}

const ON_BOTH: &[(&str, &str)] = &[
    ("DROP INDEX pin_one_live", "index pin_one_live is missing"),
    (
        "DROP VIEW effective_access; CREATE VIEW effective_access AS SELECT 1 AS one",
        "view effective_access was changed",
    ),
    (
        "CREATE VIEW people AS SELECT surname FROM person",
        "view people is not pinferry's",
    ),
    (
        "CREATE UNIQUE INDEX alone ON delegation (evidence, run_id, person_id)",
        "index alone is not pinferry's",
    ),
    ("DROP TABLE delegation", "table delegation is missing"),
];

const ON_SQLITE: &[(&str, &str)] = &[(
    "CREATE TRIGGER t AFTER INSERT ON pin BEGIN DELETE FROM pin; END",
    "trigger t is not pinferry's",
)];

const ON_POSTGRES: &[(&str, &str)] = &[
    (
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER t BEFORE INSERT ON pin FOR EACH ROW EXECUTE FUNCTION f()",
        "trigger t of pin is not pinferry's",
    ),
    (
        "CREATE RULE r AS ON DELETE TO pin DO INSTEAD NOTHING",
        "rule r of pin is not pinferry's",
    ),
    (
        "CREATE POLICY p ON pin USING (status = 'active')",
        "policy p of pin is not pinferry's",
    ),
    (
        "CREATE TABLE more_pins () INHERITS (pin)",
        "child more_pins of pin is not pinferry's",
    ),
    (
        "ALTER TABLE pin ENABLE ROW LEVEL SECURITY",
        "table pin was changed",
    ),
    ("ALTER TABLE finding SET UNLOGGED", "table finding was changed"),
    (
        "ALTER TABLE pin DROP CONSTRAINT pin_level_check",
        "constraint pin_level_check of pin is missing",
    ),
    (
        "ALTER TABLE pin DROP CONSTRAINT pin_level_check;
         ALTER TABLE pin ADD CONSTRAINT pin_level_check CHECK (level <> '')",
        "constraint pin_level_check of pin was changed",
    ),
    (
        "ALTER TABLE pin ADD CHECK (office <> '0')",
        "constraint pin_office_check1 of pin is not pinferry's",
    ),
    (
        "ALTER TABLE profile_grant DROP CONSTRAINT profile_grant_person_fkey;
         ALTER TABLE profile_grant ADD CONSTRAINT profile_grant_person_fkey
             FOREIGN KEY (person_id) REFERENCES person NOT VALID",
        "constraint profile_grant_person_fkey of profile_grant was changed",
    ),
    (
        "UPDATE pg_trigger SET tgenabled = 'D' WHERE tgrelid = 'delegation'::regclass
             AND tgconstraint = (SELECT oid FROM pg_constraint WHERE conname = 'delegation_person_fkey')",
        "constraint delegation_person_fkey of delegation was changed",
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pin_person'::regclass",
        "index pin_person was changed",
    ),
    (
        "ALTER TABLE pin ALTER COLUMN office TYPE varchar(40) COLLATE \"C\"",
        "column pin.office was changed",
    ),
    (
        "ALTER TABLE pin ALTER COLUMN office TYPE text COLLATE \"POSIX\"",
        "column pin.office was changed",
    ),
    (
        "ALTER TABLE pin ALTER COLUMN level DROP NOT NULL",
        "column pin.level was changed",
    ),
    (
        "ALTER TABLE quarantine ALTER COLUMN state SET DEFAULT 'closed'",
        "column quarantine.state was changed",
    ),
    (
        "ALTER TABLE pin ADD COLUMN note text",
        "column pin.note is not pinferry's",
    ),
];

fn what_is_missing_or_changed_or_not_ours_is_named(engine: Engine) {
    let own = match engine {
        Engine::Sqlite => ON_SQLITE,
        Engine::Postgres => ON_POSTGRES,
    };
    for (sql, name) in ON_BOTH.iter().chain(own) {
        let place = migrated(engine);
        place.raw().batch(sql);
        let found = place.verify().unwrap();
        let schema = &found.mismatches[0];
        assert_eq!(schema.code, MismatchCode::Schema, "{sql}");
        assert!(
            schema.examples.iter().any(|example| example == name),
            "{sql}: {schema:?}"
        );
    }
}

fn what_only_makes_reading_faster_is_nobodys_business(engine: Engine) {
    let place = migrated(engine);
    place.raw().batch(
        "CREATE INDEX pin_office ON pin (office); CREATE TABLE notes (note TEXT PRIMARY KEY)",
    );
    let found = place.verify().unwrap();
    assert!(found.passed(), "{:#?}", found.mismatches);
}
