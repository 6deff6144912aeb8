//! Names that the application makes its own of.

use crate::support::{Legacy, run};

/// Operators and functions under the names that a guard might ask for, each with the answer that lets everything
/// through.
const IMPOSTORS: &str = "
CREATE SCHEMA furbo;
CREATE FUNCTION furbo.si(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE FUNCTION furbo.no(record, record) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN false; END';
CREATE FUNCTION furbo.nessuno(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
CREATE OPERATOR furbo.= (LEFTARG = text, RIGHTARG = text, FUNCTION = furbo.si);
CREATE OPERATOR furbo.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = furbo.nessuno);
CREATE OPERATOR furbo.*<> (LEFTARG = record, RIGHTARG = record, FUNCTION = furbo.no);
CREATE FUNCTION furbo.upper(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''A''::text';
CREATE FUNCTION furbo.btrim(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''A''::text';
CREATE FUNCTION furbo.nextval(text) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 0::bigint';
CREATE FUNCTION furbo.current_setting(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''on''::text';
CREATE FUNCTION furbo.current_setting(text, boolean) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ''on''::text';
CREATE TABLE furbo.pin_legacy (LIKE public.pin_legacy);
GRANT USAGE ON SCHEMA furbo TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA furbo TO PUBLIC;";

/// The same for what only a temporary schema may hold: relations and types.
const TEMPORARY: &str = "
CREATE TEMP TABLE pin_legacy (LIKE public.pin_legacy);
CREATE TEMP TABLE capture_inps (image text);
CREATE TEMP TABLE divert_inps (pinferry_id text);
CREATE TEMP TABLE pg_index (indrelid oid);
CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (VALUE = 'A');
CREATE DOMAIN pg_temp.record AS pg_catalog.int4;";

#[test]
fn operators_functions_and_tables_of_the_applications_own_are_no_way_past_the_guards() {
    for legacy in [Legacy::new(), Legacy::diverting()] {
        let role = format!("app_{}", legacy.database.name);
        legacy.assert_passes(&format!(
            "CREATE ROLE {role}; GRANT ALL ON pin_legacy TO {role};
             GRANT TEMPORARY ON DATABASE {} TO {role}; {IMPOSTORS}",
            legacy.database.name
        ));
        let locked = legacy.engage();
        for path in [
            "furbo, pg_catalog, pg_temp, public",
            "pg_temp, furbo, pg_catalog",
        ] {
            let mut session = legacy.application();
            run(&mut session, &format!("SET ROLE {role}; {TEMPORARY}")).expect("impostors");
            run(&mut session, &format!("SET search_path = {path}")).expect("a path");
            for statement in [
                "UPDATE public.pin_legacy SET stato = 'A' WHERE pin_legacy.ctid IN (SELECT p.ctid FROM public.pin_legacy p WHERE p.id OPERATOR(pg_catalog.=) '2')",
                "UPDATE public.pin_legacy SET nome = 'X'",
                "UPDATE public.pin_legacy SET stato = 'A', nome = 'X'",
                "UPDATE public.pin_legacy SET id = id OPERATOR(pg_catalog.||) 'x'",
                "DELETE FROM public.pin_legacy",
                "TRUNCATE public.pin_legacy",
                "INSERT INTO public.pin_legacy (id, stato) VALUES ('1', 'A')",
            ] {
                let error = run(&mut session, statement).expect_err(statement);
                let locked = error.contains("PIN management is locked");
                assert!(
                    locked || error.contains("duplicate key"),
                    "{statement}: {error}"
                );
            }
            let login = "UPDATE public.pin_legacy SET ultimo_accesso = now(), nota = 'x'";
            run(&mut session, login).expect("a login");
        }
        assert_eq!(legacy.captured(), 0);
        let mut session = legacy.application();
        run(&mut session, &format!("SET ROLE {role}; {TEMPORARY}")).expect("impostors");
        let revoke = "SET search_path = pg_temp, furbo, pg_catalog;
             UPDATE public.pin_legacy SET stato = 'R' WHERE id OPERATOR(pg_catalog.=) '1'";
        run(&mut session, revoke).expect("a revocation");
        let captures = locked.captures(9).expect("captures");
        assert_eq!(captures.len(), 1);
        drop(session);
        legacy.assert_passes(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    }
}
