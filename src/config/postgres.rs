//! Where a PostgreSQL database is, and as whom to go there.

use std::{
    ffi::OsString,
    fmt,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use sqlx::postgres::{PgConnectOptions, PgSslMode};

const DEFAULT_PORT: u16 = 5432;

/// What may stand after `?`. Whatever else a session needs, pinferry sets itself.
const PARAMETERS: [&str; 9] = [
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
];

/// Those that name a file.
const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];

/// Files, each with the option that names it.
type Files = Vec<(&'static str, PathBuf)>;

/// A PostgreSQL database and the role that goes there. A password that the URL leaves out comes from PGPASSWORD
/// or the password file, user and host that it leaves out from PGUSER and PGHOST, as with every PostgreSQL
/// client.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    url: String,
    shown: String,
    files: Files,
}

impl PostgresSettings {
    /// Reads a `postgres://` URL; files it names start at `base` where they are relative.
    ///
    /// # Errors
    /// What is wrong with it, without the URL, which may hold a password.
    pub fn parse(url: &str, base: &Path) -> Result<Self, String> {
        let (url, files) = with_files(url, base)?;
        let url = with_host(&url);
        let Ok(options) = PgConnectOptions::from_str(&url) else {
            return Err(
                "is no address of a PostgreSQL database; characters such as @ : / # in a password are written as %40 %3A %2F %23, or the password given as ${NAME}"
                    .to_owned(),
            );
        };
        let is_named = |name: &str| files.iter().any(|(option, _)| *option == name);
        let compares = matches!(
            options.get_ssl_mode(),
            PgSslMode::VerifyCa | PgSslMode::VerifyFull
        );
        if is_named("sslrootcert") && !compares {
            return Err(
                "names an sslrootcert that nobody would look at; that takes sslmode=verify-full (or verify-ca, for any host of this authority)"
                    .to_owned(),
            );
        }
        if is_named("sslcert") != is_named("sslkey") {
            return Err("names one of sslcert and sslkey, which go together".to_owned());
        }
        let Some(database) = options.get_database() else {
            return Err("names no database".to_owned());
        };
        let socket = options
            .get_socket()
            .map(|path| path.display().to_string())
            .or_else(|| {
                let host = options.get_host();
                host.starts_with('/').then(|| host.to_owned())
            });
        let port = match options.get_port() {
            DEFAULT_PORT => String::new(),
            port => format!(":{port}"),
        };
        let user = options.get_username();
        let shown = match socket {
            Some(folder) => format!("postgres://{user}@{port}/{database}?host={folder}"),
            None => format!("postgres://{user}@{}{port}/{database}", options.get_host()),
        };
        Ok(Self { url, shown, files })
    }

    /// The address as tables and messages may show it: never a secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The files for TLS, each with the option that names it.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let files = self.files.iter();
        files.map(|(option, path)| (*option, path.as_path()))
    }

    /// The whole address, which may hold a password: for connecting and for nothing else.
    #[must_use]
    pub fn secret_url(&self) -> &str {
        &self.url
    }
}

/// Without the password.
impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresSettings")
            .field(&self.shown)
            .finish()
    }
}

/// The URL with the files it names found from anywhere, and these files. An option that nobody knows is refused: sqlx
/// would only say so in a log, value and all.
fn with_files(url: &str, base: &Path) -> Result<(String, Files), String> {
    let Some((address, options)) = url.split_once('?') else {
        return Ok((url.to_owned(), Vec::new()));
    };
    let (mut kept, mut files) = (Vec::new(), Vec::new());
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        if !PARAMETERS.contains(&name) {
            return Err(format!(
                "has an unknown option after ?; known are {}",
                PARAMETERS.join(", ")
            ));
        }
        let Some(file) = FILES.into_iter().find(|file| *file == name) else {
            kept.push(option.to_owned());
            continue;
        };
        let path = base.join(percent_decoded(value));
        kept.push(format!(
            "{file}={}",
            percent_encoded(&path.to_string_lossy())
        ));
        files.push((file, path));
    }
    Ok((format!("{address}?{}", kept.join("&")), files))
}

/// An address without a host means this machine's socket, as with every PostgreSQL client; the URL parser allows
/// nobody before a host that is not there, so user and password move behind the question mark.
fn with_host(url: &str) -> String {
    let moved = || {
        let (scheme, rest) = url.split_once("://")?;
        let (somebody, rest) = rest.split_once("@/")?;
        let beside = |text: &str| text.contains(['/', '?', '#']);
        let (user, password) = somebody.split_once(':').unwrap_or((somebody, ""));
        let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
        // There a plus would be a space.
        let option = |name: &str, value: &str| match value {
            "" => String::new(),
            value => format!("{name}={}&", value.replace('+', "%2B")),
        };
        let (user, password) = (option("user", user), option("password", password));
        (!beside(somebody)).then(|| format!("{scheme}:///{path}?{user}{password}{options}"))
    };
    moved().unwrap_or_else(|| url.to_owned())
}

/// A value behind the question mark, where a plus is a space.
fn percent_decoded(text: &str) -> PathBuf {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        let hex = more
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match (first, byte) {
            (b'%', Some(byte)) => {
                out.push(byte);
                &more[2..]
            }
            (b'+', _) => {
                out.push(b' ');
                more
            }
            (other, _) => {
                out.push(*other);
                more
            }
        };
    }
    PathBuf::from(OsString::from_vec(out))
}

/// A text as it may stand anywhere in a URL.
pub(super) fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::PostgresSettings;

    fn parsed(url: &str) -> Result<PostgresSettings, String> {
        PostgresSettings::parse(url, Path::new("/etc/pin ferry"))
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (url, shown) in [
            (
                "postgres://anna:s3cret@db.example/pin",
                "postgres://anna@db.example/pin",
            ),
            (
                "postgresql://anna@db.example:5433/pin",
                "postgres://anna@db.example:5433/pin",
            ),
            (
                "postgres://anna@db.example:5432/pin",
                "postgres://anna@db.example/pin",
            ),
            (
                "postgres://anna:s3cret@/pin?host=/run/pg",
                "postgres://anna@/pin?host=/run/pg",
            ),
            (
                "postgres://anna@%2Frun%2Fpg/pin",
                "postgres://anna@/pin?host=/run/pg",
            ),
            (
                "postgres://anna@/pin?host=/run/pg&port=6000",
                "postgres://anna@:6000/pin?host=/run/pg",
            ),
            (
                "postgres://db/pin?user=anna&password=s3cret",
                "postgres://anna@db/pin",
            ),
        ] {
            let settings = parsed(url).expect(url);
            assert_eq!(settings.shown(), shown, "{url}");
            assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
        }
    }

    #[test]
    fn an_address_that_leads_nowhere_is_refused_without_showing_it() {
        for (url, problem) in [
            ("postgres://anna:s3cret@db", "names no database"),
            ("postgres://anna:s3cret@db/pin?s3cret=1", "unknown option"),
            (
                "postgres://anna:s3cret@db/pin?options=-c%20s3cret",
                "unknown option",
            ),
            ("postgres://anna:s3cret@db:port/pin", "is no address"),
            ("postgres://anna:s3cret#x@db/pin", "is no address"),
            (
                "postgres://anna:s3cret@db/pin?sslmode=s3cret",
                "is no address",
            ),
            (
                "postgres://anna:s3cret@db/pin?sslmode=require&sslrootcert=s3cret.pem",
                "sslmode=verify-full",
            ),
            (
                "postgres://anna:s3cret@db/pin?sslcert=s3cret.pem",
                "go together",
            ),
            (
                "postgres://anna:s3cret@db/pin?sslkey=s3cret.pem",
                "go together",
            ),
        ] {
            let found = parsed(url).expect_err(url);
            assert!(found.contains(problem), "{url}: {found}");
            assert!(!found.contains("s3cret"), "{found}");
        }
    }

    #[test]
    fn files_are_found_from_the_configuration() {
        let url = "postgres://anna@db/pin?sslmode=verify-full&sslrootcert=ca+%2B.pem&sslcert=/c.pem&sslkey=%2Fk.pem";
        let settings = parsed(url).expect("an address");
        let expected = "postgres://anna@db/pin?sslmode=verify-full&sslrootcert=%2Fetc%2Fpin%20ferry%2Fca%20%2B.pem&sslcert=%2Fc.pem&sslkey=%2Fk.pem";
        assert_eq!(settings.secret_url(), expected);
        let files: Vec<_> = settings.files().collect();
        let expected = [
            ("sslrootcert", "/etc/pin ferry/ca +.pem"),
            ("sslcert", "/c.pem"),
            ("sslkey", "/k.pem"),
        ];
        assert_eq!(
            files,
            expected.map(|(option, path)| (option, Path::new(path)))
        );
    }
}
