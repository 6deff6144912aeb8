//! PostgreSQL for tests: one server for all test processes of a run, or one of a test's own.
//!
//! The shared server is started by whoever needs it first. Every process that uses it holds a shared lock on a
//! file; a watchdog of the server's own stops it once nobody has held that lock for ten seconds, however the
//! processes ended. Inside, each test has a database to itself.

use std::{
    env,
    fmt::Write as _,
    fs::{self, File},
    net::TcpListener,
    os::unix::{fs::MetadataExt, net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use pinferry::{
    config::postgres::PostgresSettings,
    postgres::{Limits, Session},
};
use sqlx::{
    Row as _,
    postgres::{PgArguments, PgRow},
};

/// Whom the server takes for its superuser; the socket asks for no password, TCP does.
pub(crate) const SUPERUSER: &str = "postgres";

const WATCH_SHARED: &str = r#"
idle=0
while sleep 1; do
    exec 8>"$1"; flock 8
    exec 9>"$2"
    if flock --nonblock 9; then idle=$((idle + 1)); else idle=0; fi
    if [ "$idle" -ge 10 ]; then break; fi
    exec 9>&- 8>&-
done
shift 2
"$@"; rm -rf "$SERVER"
"#;

const WATCH_PRIVATE: &str = r#"read -r _; "$@"; rm -rf "$SERVER""#;

/// A running server.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    /// What keeps it running: a lock or a pipe.
    _users: Option<File>,
    watchdog: Option<Child>,
}

/// A database of a test's own, dropped with it.
pub(crate) struct Database {
    server: &'static Server,
    pub(crate) name: String,
}

impl Server {
    /// The server that all tests of a run share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| {
            let locks = Path::new(env!("CARGO_TARGET_TMPDIR"));
            fs::create_dir_all(locks).expect("a folder for locks");
            let open = |name: &str| {
                let path = locks.join(name);
                (File::create(&path).expect("a lock file"), path)
            };
            let (gate, gate_path) = open("postgres.gate");
            let (users, users_path) = open("postgres.users");
            gate.lock().expect("the gate");
            users.lock_shared().expect("the users' lock");
            let folder = env::temp_dir().join(format!("pinferry-pg-{:016x}", name_of(locks)));
            if let Some(port) = port_of_running(&folder) {
                return Self {
                    folder,
                    port,
                    _users: Some(users),
                    watchdog: None,
                };
            }
            drop(fs::remove_dir_all(&folder));
            let port = start(&folder);
            let mut watch = Command::new("setsid");
            watch.args(["--fork", "sh", "-c", WATCH_SHARED, "watch"]);
            watch.args([&gate_path, &users_path]);
            watch.args(stop_command(&folder)).env("SERVER", &folder);
            watch.stdin(Stdio::null());
            let watches = silent(&mut watch).status().expect("setsid");
            assert!(watches.success(), "a watchdog");
            Self {
                folder,
                port,
                _users: Some(users),
                watchdog: None,
            }
        })
    }

    /// A server that no other test sees, to be stopped, restarted and broken at will.
    pub(crate) fn private() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pinferry-pg-own-{}-{count}", std::process::id());
        let folder = env::temp_dir().join(name);
        drop(fs::remove_dir_all(&folder));
        let port = start(&folder);
        let mut watch = Command::new("setsid");
        watch.args(["sh", "-c", WATCH_PRIVATE, "watch"]);
        watch.args(stop_command(&folder)).env("SERVER", &folder);
        watch.stdin(Stdio::piped());
        let watchdog = silent(&mut watch).spawn().expect("a watchdog");
        Self {
            folder,
            port,
            _users: None,
            watchdog: Some(watchdog),
        }
    }

    /// Stops the server: `fast` ends sessions properly, `immediate` is a crash.
    pub(crate) fn stop(&self, mode: &str) {
        let data = self.folder.join("data");
        let data = data.to_str().expect("a plain path");
        run(
            "pg_ctl",
            &self.folder,
            &["-D", data, "-m", mode, "-w", "stop"],
        );
    }

    /// Starts it again on the same port.
    pub(crate) fn restart(&self) {
        launch(&self.folder, self.port).expect("a server that starts again");
    }

    /// The port it has on 127.0.0.1, and by which its socket is named.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database for a role, by the socket, which asks for no password.
    pub(crate) fn url(&self, role: &str, database: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!("postgres://{role}@/{database}?host={folder}&port={port}")
    }

    /// The same by TCP, which asks for a password.
    pub(crate) fn tcp_url(&self, role: &str, password: &str, database: &str) -> String {
        let port = self.port;
        format!("postgres://{role}:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
    }
}

/// A private server stops before the next line, not only at the end of the process.
impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut watchdog) = self.watchdog.take() {
            drop(watchdog.stdin.take());
            drop(watchdog.wait());
        }
    }
}

impl Database {
    /// An empty database on the shared server.
    pub(crate) fn new() -> Self {
        Self::with("")
    }

    /// An empty database, created with these options (`TEMPLATE template0 ENCODING …`).
    pub(crate) fn with(options: &str) -> Self {
        Self::on(Server::shared(), options)
    }

    /// The same on a server of the test's own.
    pub(crate) fn on(server: &'static Server, options: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = since.expect("a clock past 1970").subsec_nanos();
        let name = format!("t{}_{count}_{nanos}", std::process::id());
        session(server, "postgres")
            .batch(
                "making a database",
                &format!("CREATE DATABASE {name} {options}"),
            )
            .expect("a database");
        Self { server, name }
    }

    /// The server it is on.
    pub(crate) fn server(&self) -> &'static Server {
        self.server
    }

    /// Its address for the superuser.
    pub(crate) fn url(&self) -> String {
        self.server.url(SUPERUSER, &self.name)
    }

    /// Its address as settings.
    pub(crate) fn settings(&self) -> PostgresSettings {
        parsed(&self.url())
    }

    /// A session of the superuser.
    pub(crate) fn session(&self) -> Session {
        session(self.server, &self.name)
    }

    /// Runs statements as the superuser.
    pub(crate) fn batch(&self, sql: &str) {
        let done = self.session().batch("laying out", sql);
        done.unwrap_or_else(|error| panic!("{error}: {}", error.server_message()));
    }

    /// The first column of every row, which must be text, one a line.
    pub(crate) fn text(&self, sql: &str) -> String {
        let rows = self.session().rows("looking", sql, PgArguments::default());
        lines(rows.unwrap_or_else(|error| panic!("{error}")))
    }

    /// The same, or nothing while there is no such table, or no server.
    pub(crate) fn try_text(&self, sql: &str) -> Option<String> {
        let settings = self.settings();
        let mut session = Session::connect(&settings, "test", &Limits::READING).ok()?;
        let rows = session.rows("looking", sql, PgArguments::default());
        rows.ok().map(lines)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let limits = Limits::READING;
        let settings = parsed(&self.server.url(SUPERUSER, "postgres"));
        if let Ok(mut session) = Session::connect(&settings, "test", &limits) {
            drop(session.batch("dropping a database", &sql));
        }
    }
}

fn lines(rows: Vec<PgRow>) -> String {
    let mut text = String::new();
    for row in rows {
        writeln!(text, "{}", row.get::<String, _>(0)).expect("a string takes all");
    }
    text.trim_end().to_owned()
}

/// A URL that is known to be right.
pub(crate) fn parsed(url: &str) -> PostgresSettings {
    PostgresSettings::parse(url, Path::new("/")).expect("an address")
}

fn session(server: &Server, database: &str) -> Session {
    let settings = parsed(&server.url(SUPERUSER, database));
    Session::connect(&settings, "test", &Limits::READING).expect("a session")
}

/// Makes a server and starts it.
fn start(folder: &Path) -> u16 {
    fs::create_dir(folder).expect("a folder for the server");
    if let Some(account) = account() {
        let owner = format!("{}:{}", account.uid, account.gid);
        let given = Command::new("chown").arg(owner).arg(folder).status();
        assert!(given.expect("chown").success());
    }
    let data = folder.join("data");
    let data = data.to_str().expect("a plain path");
    // The language's own collation, so that whoever forgets COLLATE "C" is found out.
    let options = [
        "-D",
        data,
        "-U",
        SUPERUSER,
        "-E",
        "UTF8",
        "-A",
        "trust",
        "--no-sync",
        "--locale=C.UTF-8",
        "--locale-provider=icu",
        "--icu-locale=it-IT",
    ];
    run("initdb", folder, &options);
    let hba = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    fs::write(folder.join("data/pg_hba.conf"), hba).expect("who may come");
    for _ in 0..5 {
        let port = free_port();
        if launch(folder, port).is_ok() {
            fs::write(folder.join("port"), port.to_string()).expect("the port");
            return port;
        }
    }
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("the PostgreSQL server for the tests does not start:\n{log}");
}

fn launch(folder: &Path, port: u16) -> Result<(), String> {
    let settings = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={} -c fsync=off -c max_connections=250",
        folder.display()
    );
    let (data, log) = (folder.join("data"), folder.join("log"));
    let options = [
        "-D",
        data.to_str().expect("a plain path"),
        "-l",
        log.to_str().expect("a plain path"),
        "-o",
        &settings,
        "-t",
        "60",
        "-w",
        "start",
    ];
    try_run("pg_ctl", folder, &options)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn port_of_running(folder: &Path) -> Option<u16> {
    let port = fs::read_to_string(folder.join("port")).ok()?.parse().ok()?;
    UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).ok()?;
    Some(port)
}

fn stop_command(folder: &Path) -> Vec<String> {
    let data = folder.join("data").display().to_string();
    let mut command = as_account(&program("pg_ctl"));
    command.extend([
        "-D".into(),
        data,
        "-m".into(),
        "immediate".into(),
        "stop".into(),
    ]);
    command
}

fn run(name: &str, folder: &Path, options: &[&str]) {
    try_run(name, folder, options).unwrap_or_else(|complaint| panic!("{name}: {complaint}"));
}

fn try_run(name: &str, folder: &Path, options: &[&str]) -> Result<(), String> {
    let command = as_account(&program(name));
    let complaints = folder.join(format!("{name}.out"));
    let file = File::create(&complaints).expect("a file for complaints");
    // A pipe would stay open in the server that pg_ctl leaves behind.
    let status = Command::new(&command[0])
        .args(&command[1..])
        .args(options)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("the file"))
        .stderr(file)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(fs::read_to_string(complaints).unwrap_or_default()),
        Err(error) => Err(error.to_string()),
    }
}

fn silent(command: &mut Command) -> &mut Command {
    command.stdout(Stdio::null()).stderr(Stdio::null())
}

/// The account that the server runs as, where the tests run as root, which it refuses.
struct Account {
    uid: String,
    gid: String,
}

fn account() -> Option<&'static Account> {
    static ACCOUNT: OnceLock<Option<Account>> = OnceLock::new();
    let find = || {
        let uid = fs::metadata("/proc/self").expect("this process").uid();
        if uid != 0 {
            return None;
        }
        let id = |option: &str, user: &str| {
            let found = Command::new("id").args([option, user]).output().ok()?;
            let text = String::from_utf8(found.stdout).ok()?;
            found.status.success().then(|| text.trim().to_owned())
        };
        let account = ["postgres", "nobody"].into_iter().find_map(|user| {
            Some(Account {
                uid: id("-u", user)?,
                gid: id("-g", user)?,
            })
        });
        Some(account.expect("an account other than root for the PostgreSQL server"))
    };
    ACCOUNT.get_or_init(find).as_ref()
}

fn as_account(program: &Path) -> Vec<String> {
    let program = program.display().to_string();
    match account() {
        None => vec![program],
        Some(Account { uid, gid }) => vec![
            "setpriv".to_owned(),
            format!("--reuid={uid}"),
            format!("--regid={gid}"),
            "--clear-groups".to_owned(),
            program,
        ],
    }
}

/// A program of the newest PostgreSQL there is.
fn program(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
        let newest = packaged
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let version: u32 = path.file_name()?.to_str()?.parse().ok()?;
                Some((version, path.join("bin")))
            })
            .filter(|(_, folder)| folder.join("initdb").exists())
            .max();
        let configured = || {
            let found = Command::new("pg_config").arg("--bindir").output().ok()?;
            Some(PathBuf::from(String::from_utf8(found.stdout).ok()?.trim()))
        };
        let paths = env::var_os("PATH").unwrap_or_default();
        let folders = newest.map(|(_, folder)| folder).into_iter();
        folders
            .chain(configured())
            .chain(env::split_paths(&paths))
            .find(|folder| folder.join("initdb").exists())
            .expect("these tests need a PostgreSQL server: apt-get install postgresql")
    });
    folder.join(name)
}

/// A number for a folder: a socket's path may have a hundred characters and no more.
fn name_of(folder: &Path) -> u64 {
    let bytes = folder.as_os_str().as_encoded_bytes().iter();
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
