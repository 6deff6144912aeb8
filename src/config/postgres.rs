//! Where a PostgreSQL database is, and as whom to go there.

use std::{fmt, path::Path, str::FromStr};

use sqlx::postgres::PgConnectOptions;

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

/// A PostgreSQL database and the role that goes there. A password that the URL leaves out comes from PGPASSWORD
/// or the password file, user and host that it leaves out from PGUSER and PGHOST, as with every PostgreSQL
/// client.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    url: String,
    shown: String,
}

impl PostgresSettings {
    /// Reads a `postgres://` URL; files it names start at `base` where they are relative.
    ///
    /// # Errors
    /// What is wrong with it, without the URL, which may hold a password.
    pub fn parse(url: &str, base: &Path) -> Result<Self, String> {
        let url = with_host(&with_files(url, base)?);
        let Ok(options) = PgConnectOptions::from_str(&url) else {
            return Err(
                "is no address of a PostgreSQL database; characters such as @ : / # in a password are written as %40 %3A %2F %23, or the password given as ${NAME}"
                    .to_owned(),
            );
        };
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
        Ok(Self { url, shown })
    }

    /// The address as tables and messages may show it: never a secret.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
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

/// The URL with the files it names found from anywhere. An option that nobody knows is refused: sqlx would only
/// say so in a log, value and all.
fn with_files(url: &str, base: &Path) -> Result<String, String> {
    let Some((address, options)) = url.split_once('?') else {
        return Ok(url.to_owned());
    };
    let mut kept = Vec::new();
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        if !PARAMETERS.contains(&name) {
            return Err(format!(
                "has an unknown option after ?; known are {}",
                PARAMETERS.join(", ")
            ));
        }
        kept.push(if FILES.contains(&name) && !value.starts_with(['/', '%']) {
            let folder = percent_encoded(&base.to_string_lossy());
            format!("{name}={folder}%2F{value}")
        } else {
            option.to_owned()
        });
    }
    Ok(format!("{address}?{}", kept.join("&")))
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
        ] {
            let found = parsed(url).expect_err(url);
            assert!(found.contains(problem), "{url}: {found}");
            assert!(!found.contains("s3cret"), "{found}");
        }
    }

    #[test]
    fn files_are_found_from_the_configuration() {
        let url = "postgres://anna@db/pin?sslmode=verify-full&sslrootcert=ca.pem&sslkey=/k.pem";
        let expected = "postgres://anna@db/pin?sslmode=verify-full&sslrootcert=%2Fetc%2Fpin%20ferry%2Fca.pem&sslkey=/k.pem";
        assert_eq!(parsed(url).expect("an address").secret_url(), expected);
    }
}
