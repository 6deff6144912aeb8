//! Connections that are encrypted, and servers and certificates that do not fit.

use std::{
    error::Error as _,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use pinferry::{
    config::postgres::PostgresSettings,
    exit::Exit,
    postgres::{Limits, PostgresError, Session, Trouble},
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair,
};
use sqlx::{Row as _, postgres::PgArguments};
use tempfile::TempDir;

use crate::server::{SUPERUSER, Server, parsed};

/// Signs certificates, as a public body's own authority does.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("an authority")
}

/// A certificate made out to this name, and its key.
fn signed(by: &Authority, name: &str, usage: ExtendedKeyUsagePurpose) -> (String, String) {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages.push(usage);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, by).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

/// A key that asks for a passphrase, with or without a header that says so.
fn sealed_key(label: &str, header: &str) -> String {
    format!("-----BEGIN {label}-----\n{header}MIIB\n-----END {label}-----\n")
}

/// A server that speaks TLS, and the files of those who go there.
struct Encrypted {
    server: Server,
    folder: TempDir,
}

impl Encrypted {
    /// Its certificate is made out to `localhost`; the role `reader` has a password, and may come to the database
    /// `sworn` with a certificate only.
    fn new() -> Self {
        let encrypted = Self::without_tls();
        let (ours, others) = (authority("Prova"), authority("Altra prova"));
        let (certificate, key) = signed(&ours, "localhost", ExtendedKeyUsagePurpose::ServerAuth);
        let hba = "local all all trust\n\
                   hostssl sworn all 127.0.0.1/32 cert\n\
                   host all all 127.0.0.1/32 scram-sha-256\n";
        for (name, text) in [
            ("server.crt", certificate.as_str()),
            ("server.key", &key),
            ("root.crt", &ours.pem()),
            ("pg_hba.conf", hba),
        ] {
            encrypted.keep(name, text);
        }
        encrypted.batch("ALTER SYSTEM SET ssl_ca_file = 'root.crt'");
        encrypted.batch("ALTER SYSTEM SET ssl = on");
        encrypted.batch("SELECT pg_reload_conf()");
        let (certificate, key) = signed(&ours, "reader", ExtendedKeyUsagePurpose::ClientAuth);
        for (name, text) in [
            ("ours.pem", ours.pem()),
            ("others.pem", others.pem()),
            ("reader.crt", certificate),
            ("reader.key", key),
            ("empty.pem", String::new()),
            (
                "older.key",
                sealed_key(
                    "RSA PRIVATE KEY",
                    "Proc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-256-CBC,00\r\n\r\n",
                ),
            ),
            ("newer.key", sealed_key("ENCRYPTED PRIVATE KEY", "")),
        ] {
            fs::write(encrypted.path(name), text).expect("a file");
        }
        encrypted
    }

    fn without_tls() -> Self {
        let server = Server::private();
        let folder = TempDir::new().expect("a folder");
        let encrypted = Self { server, folder };
        encrypted.batch("CREATE ROLE reader LOGIN PASSWORD 's3cret'");
        encrypted.batch("CREATE DATABASE sworn");
        encrypted
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn batch(&self, sql: &str) {
        let settings = parsed(&self.server.url(SUPERUSER, "postgres"));
        let mut session = Session::connect(&settings, "test", &Limits::READING).expect("a session");
        session.batch("laying out", sql).expect("done");
    }

    /// Writes a file among the server's own, as the account it runs as.
    fn keep(&self, name: &str, text: &str) {
        self.batch(&format!(
            "COPY (SELECT unnest(string_to_array('{text}', E'\\n'))) TO PROGRAM 'umask 077; cat > {name}'"
        ));
    }

    /// The address for the role `reader`, with what stands after `?`.
    fn url(&self, host: &str, database: &str, options: &str) -> String {
        let port = self.server.port();
        format!("postgres://reader:s3cret@{host}:{port}/{database}?{options}")
    }

    fn connect(&self, url: &str) -> Result<Session, PostgresError> {
        let folder = self.folder.path();
        let settings = PostgresSettings::parse(url, folder).expect("an address");
        Session::connect(&settings, "test", &Limits::READING)
    }

    /// Who the server says it speaks to, and whether in cipher.
    fn met(&self, url: &str) -> String {
        let mut session = self
            .connect(url)
            .unwrap_or_else(|error| panic!("{error:?}"));
        let sql =
            "SELECT concat_ws(' ', ssl, client_dn) FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        let rows = session.rows("looking", sql, PgArguments::default());
        rows.expect("a row")[0].get(0)
    }

    /// Why there is no session: kind, words and causes.
    fn refused(&self, url: &str) -> (Trouble, String) {
        let Err(error) = self.connect(url) else {
            panic!("{url} should lead nowhere");
        };
        assert_eq!(error.exit(), Exit::Usage, "{error}");
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        (error.trouble(), format!("{error}: {cause}"))
    }
}

const VERIFIED: &str = "sslmode=verify-full&sslrootcert=ours.pem";

#[test]
fn a_session_is_encrypted_as_far_as_the_url_asks_and_shows_its_own_certificate() {
    let encrypted = Encrypted::new();
    let sworn = format!("{VERIFIED}&sslcert=reader.crt&sslkey=reader.key");
    for (host, database, options, met) in [
        ("localhost", "postgres", "", "t"),
        ("localhost", "postgres", "sslmode=disable", "f"),
        ("127.0.0.1", "postgres", "sslmode=require", "t"),
        ("localhost", "postgres", VERIFIED, "t"),
        (
            "127.0.0.1",
            "postgres",
            "sslmode=verify-ca&sslrootcert=ours.pem",
            "t",
        ),
        ("localhost", "sworn", &sworn, "t /CN=reader"),
    ] {
        let url = encrypted.url(host, database, options);
        assert_eq!(encrypted.met(&url), met, "{host} {options}");
    }
}

#[test]
fn a_server_that_is_not_who_it_should_be_and_files_that_do_not_fit_are_told_apart() {
    let encrypted = Encrypted::new();
    let (encryption, file) = (Trouble::Encryption, Trouble::UnfitFile);
    let with = |options: &str| format!("{VERIFIED}&{options}");
    for (host, database, options, trouble, words) in [
        // No authority of this machine signed it either.
        (
            "localhost",
            "postgres",
            "sslmode=verify-full".to_owned(),
            encryption,
            "UnknownIssuer",
        ),
        (
            "localhost",
            "postgres",
            "sslmode=verify-full&sslrootcert=others.pem".to_owned(),
            encryption,
            "UnknownIssuer",
        ),
        (
            "127.0.0.1",
            "postgres",
            "sslmode=verify-ca&sslrootcert=others.pem".to_owned(),
            encryption,
            "UnknownIssuer",
        ),
        (
            "127.0.0.1",
            "postgres",
            VERIFIED.to_owned(),
            encryption,
            "not valid for name \"127.0.0.1\"",
        ),
        (
            "localhost",
            "postgres",
            "sslmode=verify-full&sslrootcert=absent.pem".to_owned(),
            file,
            "absent.pem cannot be read",
        ),
        (
            "localhost",
            "postgres",
            "sslmode=verify-full&sslrootcert=empty.pem".to_owned(),
            file,
            "empty.pem holds no certificate",
        ),
        (
            "localhost",
            "sworn",
            with("sslcert=reader.crt&sslkey=absent.key"),
            file,
            "absent.key cannot be read",
        ),
        (
            "localhost",
            "sworn",
            with("sslcert=reader.crt&sslkey=newer.key"),
            file,
            "newer.key holds no private key without a passphrase",
        ),
        (
            "localhost",
            "sworn",
            with("sslcert=reader.crt&sslkey=older.key"),
            file,
            "older.key holds no private key without a passphrase",
        ),
        (
            "localhost",
            "sworn",
            with("sslcert=reader.crt&sslkey=reader.crt"),
            file,
            "reader.crt holds no private key",
        ),
        (
            "localhost",
            "sworn",
            with("sslcert=ours.pem&sslkey=reader.key"),
            encryption,
            "KeyMismatch",
        ),
        (
            "localhost",
            "sworn",
            VERIFIED.to_owned(),
            Trouble::NotAdmitted,
            "requires a valid client certificate",
        ),
    ] {
        let found = encrypted.refused(&encrypted.url(host, database, &options));
        assert_eq!(found.0, trouble, "{host} {options}: {}", found.1);
        assert!(found.1.contains(words), "{host} {options}: {}", found.1);
        assert!(!found.1.contains("s3cret"), "{}", found.1);
    }
}

#[test]
fn a_server_without_tls_is_no_server_for_whoever_asks_for_it() {
    let plain = Encrypted::without_tls();
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = plain.url("localhost", "postgres", &format!("sslmode={mode}"));
        let (trouble, words) = plain.refused(&url);
        assert_eq!(trouble, Trouble::Encryption);
        assert!(words.contains("server does not support TLS"), "{words}");
    }
    assert_eq!(plain.met(&plain.url("localhost", "postgres", "")), "f");
}

impl Encrypted {
    /// Runs the program with the legacy at one address and the target at another.
    fn run(&self, arguments: &[&str], (legacy, target): (&str, &str)) -> (Option<i32>, String) {
        let text = format!(
            "[target]\nurl = \"{target}\"\n[[source]]\nname = \"inps\"\nurl = \"{legacy}\"\n\
             [rules]\nas_of = \"2013-11-03\"\n[run]\nwork_dir = \"work\"\n"
        );
        fs::write(self.path("pinferry.toml"), text).expect("a configuration");
        let output = Command::new(env!("CARGO_BIN_EXE_pinferry"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("it runs");
        let Output {
            stdout,
            stderr,
            status,
        } = output;
        let told = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (status.code(), told.concat())
    }

    /// How many tables and schemas there are that somebody made.
    fn made(&self) -> String {
        let settings = parsed(&self.server.url(SUPERUSER, "postgres"));
        let mut session = Session::connect(&settings, "test", &Limits::READING).expect("a session");
        let sql = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
                    WHERE relkind = 'r' AND relnamespace NOT IN ('pg_catalog'::regnamespace,
                          'information_schema'::regnamespace)";
        let rows = session.rows("looking", sql, PgArguments::default());
        rows.expect("a row")[0].get(0)
    }
}

#[test]
fn the_commands_write_nothing_while_a_certificate_does_not_fit_and_do_the_job_when_it_does() {
    let encrypted = Encrypted::new();
    encrypted.batch(
        "CREATE TABLE pin_legacy (id text PRIMARY KEY, codice_fiscale text, cognome text, nome text,
           data_nascita text, classe_utente text, codice_ente text, stato text, tipo_pin text, pin_hash text,
           algoritmo text, data_rilascio text, data_scadenza text, ultimo_accesso text, sede text, canale text,
           meta_consegnate text, email text, telefono text, cf_tutore text)",
    );
    encrypted.batch(
        "INSERT INTO pin_legacy (id, codice_fiscale, cognome, nome, classe_utente, stato, tipo_pin, pin_hash,
           algoritmo, data_rilascio)
         VALUES ('1', 'RSSMRA80A01H501U', 'ROSSI', 'MARIO', 'CIT', 'A', 'ORD', repeat('a', 64), 'SHA256',
           '2013-11-01')",
    );
    encrypted.batch("ALTER TABLE pin_legacy OWNER TO reader");
    encrypted.batch("GRANT CREATE ON DATABASE postgres TO reader");
    encrypted.batch("CREATE SCHEMA reader AUTHORIZATION reader");
    let right = encrypted.url("localhost", "postgres", VERIFIED);
    let stranger = encrypted.url(
        "localhost",
        "postgres",
        "sslmode=verify-full&sslrootcert=others.pem",
    );
    let elsewhere = encrypted.url("127.0.0.1", "postgres", VERIFIED);
    for wrong in [&stranger, &elsewhere] {
        for (arguments, places) in [
            (&["doctor"][..], (wrong.as_str(), "sqlite://target.db")),
            (&["plan"], (wrong, "sqlite://target.db")),
            (&["run"], (wrong, "sqlite://target.db")),
            (&["run"], (&right, wrong)),
            (
                &["lock", "engage", "--reason", "a trial"],
                (wrong, "sqlite://target.db"),
            ),
        ] {
            let (code, told) = encrypted.run(arguments, places);
            assert_eq!(code, Some(2), "{arguments:?}: {told}");
            assert!(told.contains("invalid peer certificate"), "{told}");
            assert!(
                told.contains("next: write the host as the server's certificate names it"),
                "{told}"
            );
            assert!(told.contains("sslrootcert=FILE"), "{told}");
            assert!(!told.contains("s3cret"), "{told}");
            assert_eq!(encrypted.made(), "pin_legacy", "{arguments:?}");
            assert!(!encrypted.path("target.db").exists(), "{arguments:?}");
        }
    }
    let (code, told) = encrypted.run(&["run"], (&right, &right));
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = encrypted.run(&["verify"], (&right, &right));
    assert_eq!(code, Some(0), "{told}");
}
