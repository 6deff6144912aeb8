//! Draining the queue into a target in PostgreSQL, beside a hand-written script for the same effect.
//!
//! `cargo bench --bench drain -- [--records N] [--runs N] [--only one|two|script]`
//!
//! A target is migrated from `--records` records, and 100 000 requests are laid into its queue: most of people who
//! stand in it, some of these with two, and a fifth of people it does not know. One process drains it, then two at
//! once. The script is one transaction of set-based statements that writes the same people, PINs and grants and marks
//! the requests; it judges nobody's identity, keeps no audit log, no digest, and cannot run twice at once. Each way
//! begins with a fresh copy of the same database.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

mod measure;
#[path = "measure/server.rs"]
mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use measure::{Figure, generate, measure, options, pinferry, ratio, report};
use server::Server;

const REQUESTS: u64 = 100_000;

/// 70 000 people with one request, 10 000 with two, and 10 000 whom the target does not know any more.
const QUEUE: &str = "
CREATE TEMP TABLE chosen AS
    SELECT fiscal_code, person_id, surname, given_name, birth_date, row_number() OVER (ORDER BY md5(fiscal_code)) AS n
    FROM fiscal_code JOIN person USING (person_id) WHERE current ORDER BY n LIMIT 90000;
INSERT INTO delayed_activation (request_id, origin, state, reason, fiscal_code, surname, given_name, birth_date,
    profile, entity, level, credential, credential_scheme, issued_on, halves_delivered, documents, payload,
    accepted_at, not_before)
SELECT 'R' || n || '-' || turn, 'intake', 'accepted', '', fiscal_code, surname, given_name, birth_date,
    CASE WHEN (n + turn) % 2 = 0 THEN 'CIT' ELSE 'CDL' END, '', 'ordinary', md5(n::text) || md5(turn::text), 'SHA256',
    '2013-11-04', 2, '[]', '{}', timestamptz '2013-11-04 08:00Z' + (n * 7919 % 100003) * interval '1 second' + turn * interval '1 day',
    '2013-11-05'
FROM chosen, generate_series(1, CASE WHEN n <= 10000 THEN 2 ELSE 1 END) AS turn ORDER BY md5(fiscal_code || turn);
CREATE TEMP TABLE gone AS SELECT person_id FROM chosen WHERE n > 70000;
-- All rows of these people go: looking for others that refer to them would take hours.
SET session_replication_role = replica;
DELETE FROM finding USING pin WHERE (finding.source, finding.legacy_id) = (pin.source, pin.legacy_id)
    AND pin.person_id IN (SELECT person_id FROM gone);
DELETE FROM profile_grant WHERE person_id IN (SELECT person_id FROM gone);
DELETE FROM delegation WHERE person_id IN (SELECT person_id FROM gone);
DELETE FROM pin WHERE person_id IN (SELECT person_id FROM gone);
DELETE FROM fiscal_code WHERE person_id IN (SELECT person_id FROM gone);
DELETE FROM person WHERE person_id IN (SELECT person_id FROM gone);
VACUUM ANALYZE;
";

const SCRIPT: &str = "
BEGIN;
CREATE TEMP TABLE due AS
    SELECT queue.*, coalesce(known.person_id, 1000000000 + min(activation_id) OVER whole) AS person_id,
        known.person_id IS NULL AS is_new, row_number() OVER turns AS turn,
        lead(activation_id) OVER turns AS next_id
    FROM delayed_activation AS queue LEFT JOIN fiscal_code AS known USING (fiscal_code)
    WHERE state = 'accepted' AND halves_delivered = 2 AND not_before <= now()
    WINDOW whole AS (PARTITION BY fiscal_code),
        turns AS (PARTITION BY fiscal_code ORDER BY accepted_at, activation_id);
ANALYZE due;
INSERT INTO person SELECT person_id, surname, given_name, birth_date, email, phone, 1 FROM due WHERE is_new AND turn = 1;
INSERT INTO fiscal_code SELECT fiscal_code, person_id, true FROM due WHERE is_new AND turn = 1;
UPDATE pin SET status = 'retired', superseded_by = 2000000000 + activation_id FROM due
    WHERE turn = 1 AND pin.person_id = due.person_id AND pin.status IN ('active', 'suspended', 'pending');
INSERT INTO pin SELECT 2000000000 + activation_id, person_id, CASE WHEN next_id IS NULL THEN 'active' ELSE 'retired' END,
    'survivor', level, credential, credential_scheme, credential_salt, halves_delivered, issued_on,
    current_date + max_age_days, NULL, office, channel, 'activation', request_id, profile, entity, 'active',
    2000000000 + next_id, 1
    FROM due JOIN profile USING (profile);
INSERT INTO profile_grant SELECT DISTINCT ON (person_id, profile, entity) person_id, profile, entity, 'active', level,
        current_date, 'activation:' || request_id, 1
    FROM due ORDER BY person_id, profile, entity, turn DESC
    ON CONFLICT (person_id, profile, entity) DO UPDATE SET status = 'active', level = excluded.level,
        valid_from = excluded.valid_from, evidence = excluded.evidence WHERE profile_grant.status <> 'active';
UPDATE delayed_activation AS queue SET state = 'done', done_at = now(), pin_id = 2000000000 + queue.activation_id
    FROM due WHERE due.activation_id = queue.activation_id;
COMMIT;
";

const IS_DRAINED: &str = "DO $$ BEGIN
    ASSERT (SELECT count(*) = 100000 FROM delayed_activation WHERE state = 'done'), 'requests are left';
    ASSERT (SELECT count(*) = 100000 FROM pin WHERE source = 'activation'), 'PINs are not as many';
END $$";

fn main() {
    let options = options(500_000);
    let folder = tempfile::tempdir().expect("a folder for the data");
    let csv = folder.path().join("legacy.csv");
    println!(
        "{REQUESTS} requests, {} records, median of {}",
        options.records, options.runs
    );
    generate(&options, 7, &csv);
    let bench = Bench {
        folder: folder.path().to_owned(),
        server: Server::start(),
    };
    bench.lay_out(&csv);
    let (mut one, mut two, mut scripts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.runs {
        for (part, figures, drain) in [
            ("one", &mut one, Bench::one as fn(&Bench) -> Figure),
            ("two", &mut two, Bench::two),
            ("script", &mut scripts, Bench::script),
        ] {
            if options.wanted(part) {
                figures.push(bench.measure(drain));
            }
        }
    }
    for (name, figures) in [
        ("activate, one process", &one),
        ("activate, two at once", &two),
        ("script: one transaction", &scripts),
    ] {
        if !figures.is_empty() {
            report(name, figures, REQUESTS);
        }
    }
    if !one.is_empty() && !scripts.is_empty() {
        ratio("one process / script", &one, &scripts);
    }
}

struct Bench {
    folder: PathBuf,
    server: Server,
}

impl Bench {
    /// The database every way begins with.
    fn lay_out(&self, csv: &Path) {
        self.server.recreate("model");
        measure(
            pinferry(&self.configuration("model", csv)).arg("run"),
            &[0, 3],
        );
        self.server.psql("model", QUEUE);
        self.configuration("target", csv);
    }

    fn configuration(&self, database: &str, csv: &Path) -> PathBuf {
        let file = self.folder.join(format!("{database}.toml"));
        let text = format!(
            "[target]\nurl = \"{}\"\n[[source]]\nname = \"legacy\"\nurl = \"csv://{}\"\n\
             [rules]\nas_of = \"2013-11-03\"\n[run]\nmax_quarantine_ratio = 1.0\nwork_dir = \"{}\"\n",
            self.server.url(database),
            csv.display(),
            self.folder.join("work").display(),
        );
        fs::write(&file, text).expect("the configuration is written");
        file
    }

    /// Measures one way on a fresh copy.
    fn measure(&self, drain: fn(&Self) -> Figure) -> Figure {
        let copy = "DROP DATABASE IF EXISTS target WITH (FORCE)";
        self.server.psql("postgres", copy);
        self.server
            .psql("postgres", "CREATE DATABASE target TEMPLATE model");
        self.server.psql("postgres", "CHECKPOINT");
        let figure = drain(self);
        self.server.psql("target", IS_DRAINED);
        figure
    }

    fn activate(&self) -> Figure {
        measure(
            pinferry(&self.folder.join("target.toml")).arg("activate"),
            &[0],
        )
    }

    fn one(&self) -> Figure {
        self.activate()
    }

    fn two(&self) -> Figure {
        let begun = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| self.activate());
            self.activate();
        });
        Figure {
            wall: begun.elapsed(),
            peak_kib: None,
        }
    }

    fn script(&self) -> Figure {
        let begun = Instant::now();
        self.server.psql("target", SCRIPT);
        Figure {
            wall: begun.elapsed(),
            peak_kib: None,
        }
    }
}
