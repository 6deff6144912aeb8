//! A small town that was migrated and had a day at the counter, all of it written by hand.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use rusqlite::Connection;

use crate::{
    schemas,
    server::{Database, Server},
};

/// What keeps the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

pub(crate) const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// Mario and Paolo have two PINs each; Laura's is pending and delivered, Giulia's is not. Paolo's name is a formula
/// and his given name a tag.
const LEGACY: &str = "\
id;codice_fiscale;cognome;nome;data_nascita;classe_utente;codice_ente;stato;tipo_pin;pin_hash;algoritmo;data_rilascio;data_scadenza;ultimo_accesso;sede;canale;meta_consegnate;email;telefono;cf_tutore
L1;RSSMRA80A01H501U;ROSSI;MARIO;1980-01-01;CIT;;A;ORD;HASH;SHA256;2012-01-01;;2013-05-01;0700;SED;2;mario@example.org;+39 06 5550101;
L2;RSSMRA80A01H501U;ROSSI;MARIO;1980-01-01;CDL;;A;DISP;HASH;SHA256;2012-02-02;;;RM/1;WEB;2;;;
L3;BNCLRA75D52F205V;BIANCHI;LAURA;1975-04-12;CIT;;P;ORD;HASH;SHA256;2013-10-01;;;0700;TEL;2;;02 5550102;
L4;VRDGLI82B41L736T;VERDI;GIULIA;1982-02-01;CIT;;P;ORD;HASH;SHA256;2013-10-01;;;../../etc;TEL;1;;;
L5;NRIPLA70C15D612F;=NERI();<b>PAOLO</b>;1970-03-15;CIT;;A;DISP;HASH;SHA256;2012-01-01;;2013-08-01;;SED;2;;;
L6;NRIPLA70C15D612F;=NERI();<b>PAOLO</b>;1970-03-15;COM;;A;ORD;HASH;SHA256;2012-01-01;;;;SED;2;;;
";

const REQUESTS: &str = "\
request_id;kind;accepted_at;office;competent_office;fiscal_code;surname;given_name;profile;level;credential;credential_scheme;halves_delivered;documents;email
R1;new_pin;2026-01-02T10:00;0700;0800;GLLNNA68E55A944R;Gialli;Anna;CIT;ORD;HASH;SHA256;2;IDENTITY_CARD;anna@example.org
R2;new_pin;2026-01-02T10:05;0700;0800;GLLNNA68E55A944R;Gialli;Anna;CIT;ORD;HASH;SHA256;2;IDENTITY_CARD;
R3;further_profile;2026-01-02T10:10;0700;;RSSMRA80A01H501U;Rossi;Mario;COM;ORD;;;;IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY;
R4;new_pin;2026-01-02T10:15;0700;;RSSMRA80A01H501U;Russo;Maria;CDL;DISP;HASH;SHA256;2;IDENTITY_CARD;
R5;new_pin;2026-01-02T10:20;0700;;BLUBRN85H10G273N;Blu;Bruno;CIT;ORD;HASH;SHA256;1;IDENTITY_CARD;
R6;further_profile;2026-01-02T10:25;0700;;ZNCCRL90P20F839H;Zinco;Carlo;COM;ORD;;;;IDENTITY_CARD PROFESSIONAL_REGISTER_ENTRY;
R7;suspension;2026-01-02T10:30;;;NRIPLA70C15D612F;;;COM;;;;;;
";

/// The post brings half of Bruno's PIN back, and half of Giulia's twice; the other half of hers it has delivered since.
const RECEIPTS: &str = "\
request_id;kind;accepted_at;office;of_request;of_pin;half;outcome
D1;receipt;2026-01-05T10:00;0700;R5;;second;returned
D2;receipt;2026-01-05T10:00;0700;;inps:L4;second;returned
D3;receipt;2026-01-05T11:00;0700;;inps:L4;second;refused
D4;receipt;2026-01-05T10:00;0700;;inps:L4;first;returned
D5;receipt;2026-01-05T11:00;0700;;inps:L4;first;delivered
";

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A folder with a configuration and a target.
pub(crate) struct Town {
    folder: tempfile::TempDir,
    server: Option<Database>,
}

impl Town {
    /// After the day: migrated, drained, and with the post's receipts.
    pub(crate) fn on(engine: Engine) -> Self {
        let town = Self::laid_out(engine);
        town.expect(&["run"], 0);
        town.expect(&["intake", "requests.csv"], 3);
        town.expect(&["activate"], 3);
        town.write("receipts.csv", RECEIPTS);
        town.expect(&["intake", "receipts.csv"], 0);
        town.expect(&["activate"], 0);
        town
    }

    /// On the day: loaded and verified, with nothing cut over yet.
    pub(crate) fn held(engine: Engine) -> Self {
        let town = Self::laid_out(engine);
        town.expect(&["run", "--hold"], 5);
        town.expect(&["intake", "requests.csv"], 3);
        town
    }

    fn laid_out(engine: Engine) -> Self {
        let town = Self {
            folder: tempfile::tempdir().expect("a folder"),
            server: (engine == Engine::Postgres).then(|| Database::on(Server::shared(), "")),
        };
        let url = match &town.server {
            None => "sqlite://target.db".to_owned(),
            Some(database) => database.url(),
        };
        town.write(
            "pinferry.toml",
            &format!(
                "[target]\nurl = \"{url}\"\n[[source]]\nname = \"inps\"\nurl = \"csv://legacy.csv\"\n\
                 [rules]\nas_of = \"2013-11-03\"\n\
                 [activation]\ndelay_working_days = 0\naccepted_within_days = 36500\n"
            ),
        );
        town.write("legacy.csv", &with_hashes(LEGACY));
        town.write("requests.csv", &with_hashes(REQUESTS));
        town
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names in a folder, in order.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).expect("a folder");
        let name = |entry: Result<fs::DirEntry, _>| entry.expect("an entry").file_name();
        let mut names: Vec<_> = entries
            .map(|entry| name(entry).into_string().expect("a text"))
            .collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pinferry"));
        command.current_dir(self.folder.path()).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().expect("it ran");
        let code = output.status.code();
        schemas::hold_call(self.folder.path(), arguments, code, &output.stdout);
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    pub(crate) fn expect(&self, arguments: &[&str], code: i32) -> Ended {
        let ended = self.run(arguments);
        let Ended { stdout, stderr, .. } = &ended;
        assert_eq!(ended.code, Some(code), "{arguments:?}\n{stdout}{stderr}");
        ended
    }

    /// A text, which the query has once.
    pub(crate) fn text(&self, query: &str) -> String {
        match &self.server {
            None => {
                let found = self.connection().query_row(query, [], |row| row.get(0));
                found.expect("a text")
            }
            Some(database) => database.text(query).trim_end().to_owned(),
        }
    }

    fn connection(&self) -> Connection {
        Connection::open(self.path("target.db")).expect("the target")
    }
}

fn with_hashes(text: &str) -> String {
    text.replace("HASH", &"ab".repeat(32))
}
