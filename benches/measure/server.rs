//! A PostgreSQL server of a benchmark's own.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const SETTINGS: &str = "-c listen_addresses= -c port=5432 -c shared_buffers=512MB -c max_wal_size=8GB \
                        -c maintenance_work_mem=256MB -c checkpoint_timeout=30min -c max_connections=300";

/// A PostgreSQL server in a folder of its own, stopped at the end.
pub(crate) struct Server {
    folder: tempfile::TempDir,
    binaries: PathBuf,
}

impl Server {
    pub(crate) fn start() -> Self {
        let server = Self {
            folder: tempfile::tempdir().expect("a folder for the server"),
            binaries: binaries(),
        };
        server.give(server.folder.path());
        let data = server.data();
        server.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
        );
        let options = format!(
            "{SETTINGS} -c unix_socket_directories={}",
            server.folder.path().display()
        );
        let log = server.folder.path().join("log").display().to_string();
        server.run(
            "pg_ctl",
            &["-D", &data, "-w", "-l", &log, "-o", &options, "start"],
        );
        server
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres@/{database}?host={}",
            self.folder.path().display()
        )
    }

    pub(crate) fn recreate(&self, database: &str) {
        self.psql(
            "postgres",
            &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"),
        );
        self.psql("postgres", &format!("CREATE DATABASE {database}"));
        self.psql("postgres", "CHECKPOINT");
    }

    pub(crate) fn psql(&self, database: &str, script: &str) {
        let file = tempfile::NamedTempFile::new().expect("a script");
        fs::write(file.path(), script).expect("a script");
        let mut psql = self.program("psql");
        psql.args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"]);
        let status = psql.arg(file.path()).stdout(Stdio::null()).status();
        let status = status.expect("psql starts");
        assert!(status.success(), "psql failed");
    }

    /// One of the server's own client programs, to connect as its superuser.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command
            .args(["-U", "postgres", "-h"])
            .arg(self.folder.path());
        command
    }

    /// A file or folder the server may write to; it refuses to run as root.
    pub(crate) fn give(&self, path: &Path) {
        if is_root() {
            let status = Command::new("chown").arg("postgres").arg(path).status();
            assert!(status.expect("chown starts").success());
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.binaries.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
            command.arg(program);
            command
        } else {
            Command::new(program)
        };
        let status = command.args(arguments).stdout(Stdio::null()).status();
        assert!(status.expect("it starts").success(), "{arguments:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.run(
            "pg_ctl",
            &["-D", &self.data(), "-w", "-m", "immediate", "stop"],
        );
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("a process").uid() == 0
}

/// The newest installed server.
fn binaries() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL from Debian's packages");
    let mut found: Vec<_> = versions
        .map(|entry| entry.expect("a version").path())
        .collect();
    found.sort();
    found.pop().expect("an installed version").join("bin")
}
