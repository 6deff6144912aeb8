//! The Debian package: made of the program under test, installed into an empty root, used there and taken away again.

use std::{
    collections::BTreeSet,
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

/// What is installed beside the manual pages and schemas, and the mode of each.
const INSTALLED: [(&str, u32); 16] = [
    ("etc/pinferry/pinferry.toml", 0o644),
    ("usr/bin/pinferry", 0o755),
    ("usr/lib/systemd/system/pinferry-activate.service", 0o644),
    ("usr/lib/systemd/system/pinferry-activate.timer", 0o644),
    ("usr/lib/systemd/system/pinferry-plan.service", 0o644),
    ("usr/lib/systemd/system/pinferry-plan.timer", 0o644),
    ("usr/lib/systemd/system/pinferry-run.service", 0o644),
    ("usr/lib/systemd/system/pinferry-run.timer", 0o644),
    ("usr/lib/sysusers.d/pinferry.conf", 0o644),
    ("usr/lib/tmpfiles.d/pinferry.conf", 0o644),
    ("usr/share/bash-completion/completions/pinferry", 0o644),
    ("usr/share/doc/pinferry/README.md", 0o644),
    ("usr/share/doc/pinferry/copyright", 0o644),
    ("usr/share/doc/pinferry/examples/cron", 0o644),
    ("usr/share/fish/vendor_completions.d/pinferry.fish", 0o644),
    ("usr/share/zsh/vendor-completions/_pinferry", 0o644),
];

/// What making the user leaves; the package takes no user away.
const OF_THE_USER: [&str; 5] = [
    "etc/.pwd.lock",
    "etc/group",
    "etc/gshadow",
    "etc/passwd",
    "etc/shadow",
];

const MANUAL: &str = "usr/share/man/man1";
const SCHEMAS: &str = "usr/share/pinferry/schemas";

/// Runs a program to its end; one that is missing is named.
fn ended(command: &mut Command) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    (command.output())
        .unwrap_or_else(|error| panic!("{program}, which ./tests/all installs: {error}"))
}

/// What a program that ends well has written, to standard output and to standard error.
fn said(command: &mut Command) -> (String, String) {
    let output = ended(command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{stdout}{stderr}");
    (stdout, stderr)
}

/// The package of the program under test, which takes the place of a release.
fn package(folder: &Path) -> PathBuf {
    let built = folder.join("target/release");
    fs::create_dir_all(&built).expect("a folder");
    fs::copy(cargo_bin!("pinferry"), built.join("pinferry")).expect("the program");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/deb");
    let mut command = Command::new(script);
    command.env("CARGO_TARGET_DIR", folder.join("target"));
    let (_, warned) = said(command.args(["--no-build", "--fast", "--offline"]));
    assert_eq!(warned, "");
    let made = fs::read_dir(folder.join("target/debian")).expect("a folder");
    let made: Vec<_> = made.map(|entry| entry.expect("ours").path()).collect();
    let [package] = &made[..] else {
        panic!("one package: {made:?}")
    };
    package.clone()
}

/// A machine's files, of which there are none but those of the package manager.
struct Root(TempDir);

impl Root {
    fn empty() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "usr/sbin"] {
            fs::create_dir_all(root.path().join(folder)).expect("a folder");
        }
        fs::write(root.path().join("var/lib/dpkg/status"), "").expect("written");
        // This machine's own services are nobody's here to stop.
        let policy = root.path().join("usr/sbin/policy-rc.d");
        fs::write(&policy, "#!/bin/sh\nexit 101\n").expect("written");
        fs::set_permissions(&policy, fs::Permissions::from_mode(0o755)).expect("ours");
        Self(root)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    fn dpkg(&self, arguments: &[&str]) {
        let path = env::var("PATH").expect("a PATH");
        let mut command = Command::new("dpkg");
        command
            .env("PATH", format!("{path}:/usr/sbin:/sbin"))
            .arg(format!("--root={}", self.0.path().display()))
            .args(["--log=/dev/null", "--force-not-root"])
            // There is neither a C library nor a shell in it: the scripts are this machine's to run.
            .args(["--force-depends", "--force-script-chrootless"])
            .args(arguments);
        said(&mut command);
    }

    /// All but folders and the package manager's own files.
    fn files(&self) -> BTreeSet<String> {
        let mut files = BTreeSet::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder") {
                let entry = entry.expect("ours");
                let path = entry.path();
                let shown = path.strip_prefix(self.0.path()).expect("below the root");
                if shown.starts_with("var/lib/dpkg") || shown.ends_with("policy-rc.d") {
                    continue;
                }
                if entry.file_type().expect("ours").is_dir() {
                    assert_eq!(mode(&path), 0o755, "{}", shown.display());
                    folders.push(path);
                } else {
                    files.insert(shown.display().to_string());
                }
            }
        }
        files
    }

    fn manual_pages(&self) -> Vec<PathBuf> {
        let pages = fs::read_dir(self.path(MANUAL)).expect("a folder");
        pages.map(|page| page.expect("ours").path()).collect()
    }
}

fn mode(path: &Path) -> u32 {
    let permissions = fs::symlink_metadata(path).expect("there").permissions();
    permissions.mode() & 0o7777
}

#[test]
fn the_package_brings_what_it_should_can_be_used_and_is_taken_away_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let package = package(folder.path());
    let named = package.to_str().expect("UTF-8");
    let root = Root::empty();
    root.dpkg(&["--install", named]);
    everything_is_there_and_nothing_else(&package, &root);
    the_program_says_its_version(&root);
    the_manual_pages_format_without_a_warning(&root);
    the_shells_complete(&root);
    the_units_verify(&root);
    the_run_is_begun_in_the_time_zone_of_its_window(&root);
    the_services_have_a_user_and_folders(&root);
    the_lines_of_units_and_cron_are_understood(&root);
    what_the_administrator_wrote_stays_until_it_is_purged(named, &root);
}

fn everything_is_there_and_nothing_else(package: &Path, root: &Root) {
    let mut files = root.files();
    for file in OF_THE_USER {
        files.remove(file);
    }
    // What says that each timer was not enabled, for the day it is removed.
    files.retain(|file| !file.starts_with("var/lib/systemd/deb-systemd-helper-enabled/"));
    // Every schema of the repository.
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/schemas");
    for schema in fs::read_dir(kept).expect("a folder") {
        let schema = schema.expect("ours").path();
        let name = schema.file_name().expect("a name").to_string_lossy();
        let installed = format!("{SCHEMAS}/{name}");
        assert_eq!(mode(&root.path(&installed)), 0o644, "{name}");
        let text = fs::read_to_string(&schema).expect("a schema");
        assert_eq!(root.text(&installed), text, "{name}");
        assert!(files.remove(&installed), "{name}");
    }
    for page in root.manual_pages() {
        let name = page.file_name().expect("a name").to_string_lossy();
        assert!(name.starts_with("pinferry") && name.ends_with(".1.gz"));
        assert_eq!(mode(&page), 0o644, "{name}");
        assert!(files.remove(&format!("{MANUAL}/{name}")), "{name}");
    }
    for (file, expected) in INSTALLED {
        assert_eq!(mode(&root.path(file)), expected, "{file}");
    }
    let expected: BTreeSet<_> = INSTALLED.map(|(file, _)| file.to_owned()).into();
    assert_eq!(files, expected);
    let (listed, _) = said(Command::new("dpkg-deb").arg("--contents").arg(package));
    for line in listed.lines() {
        let owner = line.split_whitespace().nth(1);
        assert!(matches!(owner, Some("root/root" | "0/0")), "{line}");
    }
}

fn the_program_says_its_version(root: &Root) {
    let (version, _) = said(Command::new(root.path("usr/bin/pinferry")).arg("--version"));
    let expected = concat!("pinferry ", env!("CARGO_PKG_VERSION"));
    assert_eq!(version.lines().next(), Some(expected));
}

fn the_manual_pages_format_without_a_warning(root: &Root) {
    let pages = root.manual_pages();
    assert!(pages.len() > 20, "{pages:?}");
    let reader = |arguments: &[&str]| {
        let mut command = Command::new("man");
        command.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80");
        command.args(["--warnings=w", "-Tutf8"]).args(arguments);
        command
    };
    let (_, warned) = said(reader(&["--local-file"]).args(&pages));
    assert_eq!(warned, "");
    let pages = root.path("usr/share/man");
    let (page, _) = said(reader(&["--manpath"]).arg(pages).arg("pinferry-run"));
    assert!(page.contains("cut over"), "{page}");
    assert!(page.contains(concat!("pinferry ", env!("CARGO_PKG_VERSION"))));
}

fn the_shells_complete(root: &Root) {
    let script = r#". "$0" && COMP_WORDS=(pinferry quar) && COMP_CWORD=1 && _pinferry pinferry quar pinferry &&
                    complete -p pinferry && printf '%s\n' "${COMPREPLY[@]}""#;
    let completions = root.path("usr/share/bash-completion/completions/pinferry");
    let bash = ["--noprofile", "--norc", "-c", script];
    let (words, warned) = said(Command::new("bash").args(bash).arg(completions));
    assert_eq!(words.lines().last(), Some("quarantine"), "{words}");
    assert_eq!(warned, "");
    let zsh = root.text("usr/share/zsh/vendor-completions/_pinferry");
    assert!(zsh.starts_with("#compdef pinferry"));
    let fish = root.text("usr/share/fish/vendor_completions.d/pinferry.fish");
    assert!(fish.contains("complete -c pinferry"));
}

/// Units of the system's own that ours build on; removed again.
fn the_units_verify(root: &Root) {
    let system = root.path("etc/systemd/system");
    fs::create_dir_all(&system).expect("a folder");
    let targets = [
        "basic",
        "network-online",
        "shutdown",
        "sysinit",
        "time-set",
        "time-sync",
        "timers",
    ];
    let targets = targets.map(|name| system.join(format!("{name}.target")));
    for target in &targets {
        fs::write(target, "[Unit]\nDescription=of the system\n").expect("written");
    }
    let units = INSTALLED.map(|(file, _)| Path::new(file));
    let units = units
        .iter()
        .filter(|file| file.starts_with("usr/lib/systemd"));
    let (said, warned) = said(
        Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(format!("--root={}", root.0.path().display()))
            .args(units.map(|file| file.file_name().expect("a name"))),
    );
    assert_eq!((said.as_str(), warned.as_str()), ("", ""));
    for target in &targets {
        fs::remove_file(target).expect("ours");
    }
}

fn the_run_is_begun_in_the_time_zone_of_its_window(root: &Root) {
    let service = root.text("usr/lib/systemd/system/pinferry-run.service");
    let (_, window) = service.split_once("--window \"").expect("a window");
    let (window, _) = window.split_once('"').expect("an end");
    let zone = window.split_whitespace().last().expect("a time zone");
    let timer = root.text("usr/lib/systemd/system/pinferry-run.timer");
    let hours = timer.lines().filter(|line| line.starts_with("OnCalendar="));
    let hours: Vec<_> = hours.collect();
    assert_eq!(hours.len(), 2, "{timer}");
    assert!(hours.iter().all(|hour| hour.ends_with(zone)), "{timer}");
}

fn the_services_have_a_user_and_folders(root: &Root) {
    let users = root.text("etc/passwd");
    let user = users.lines().find(|line| line.starts_with("pinferry:"));
    let user = user.expect("a user");
    assert!(
        user.ends_with(":/var/lib/pinferry:/usr/sbin/nologin"),
        "{user}"
    );
    let services = INSTALLED.map(|(file, _)| file);
    for file in services.iter().filter(|file| file.ends_with(".service")) {
        let unit = root.text(file);
        for line in ["User=pinferry", "StateDirectory=pinferry", "LimitCORE=0"] {
            assert!(
                unit.lines().any(|written| written == line),
                "{file}: {line}"
            );
        }
    }
    let folders = root.text("usr/lib/tmpfiles.d/pinferry.conf");
    for line in [
        "d /etc/pinferry 0750 root pinferry",
        "z /etc/pinferry/pinferry.toml 0640 root pinferry",
        "d /var/lib/pinferry 0700 pinferry pinferry",
    ] {
        assert!(folders.lines().any(|written| written == line), "{line}");
    }
}

/// What a unit or a line of cron types, asked for help instead: an option that is no longer there is an error.
fn the_lines_of_units_and_cron_are_understood(root: &Root) {
    let services = INSTALLED.map(|(file, _)| file);
    let services = services.iter().filter(|file| file.ends_with(".service"));
    let mut typed: Vec<String> = (services)
        .flat_map(|file| {
            root.text(file)
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter_map(|line| Some(line.strip_prefix("ExecStart=/usr/bin/")?.to_owned()))
        .collect();
    let cron = root.text("usr/share/doc/pinferry/examples/cron");
    typed.extend((cron.lines()).filter_map(|line| {
        let (_, command) = line.split_once(" pinferry cd /etc/pinferry && ")?;
        Some(command.to_owned())
    }));
    assert_eq!(typed.len(), 7, "{typed:?}");
    let bin = root.path("usr/bin");
    for line in typed {
        let mut shell = Command::new("/bin/sh");
        shell
            .env("PATH", &bin)
            .args(["-c", &format!("{line} --help")]);
        let (help, _) = said(&mut shell);
        assert!(help.contains("Usage: pinferry"), "{line}");
    }
}

fn what_the_administrator_wrote_stays_until_it_is_purged(package: &str, root: &Root) {
    let configuration = root.path("etc/pinferry/pinferry.toml");
    let mut init = Command::new(root.path("usr/bin/pinferry"));
    said(
        init.current_dir(&root.0)
            .args(["--config", "fresh.toml", "init"]),
    );
    assert_eq!(
        root.text("fresh.toml"),
        root.text("etc/pinferry/pinferry.toml")
    );
    fs::remove_file(root.path("fresh.toml")).expect("ours");
    fs::write(&configuration, "# ours\n").expect("written");
    fs::set_permissions(&configuration, fs::Permissions::from_mode(0o640)).expect("ours");
    // A timer that is enabled, as systemctl does it.
    let wanted = root.path("etc/systemd/system/timers.target.wants");
    fs::create_dir_all(&wanted).expect("a folder");
    let unit = "/usr/lib/systemd/system/pinferry-plan.timer";
    symlink(unit, wanted.join("pinferry-plan.timer")).expect("made");
    root.dpkg(&["--install", package]);
    let kept = |root: &Root| {
        assert_eq!(root.text("etc/pinferry/pinferry.toml"), "# ours\n");
        assert_eq!(mode(&root.path("etc/pinferry/pinferry.toml")), 0o640);
    };
    kept(root);
    assert!(wanted.join("pinferry-plan.timer").is_symlink());
    root.dpkg(&["--remove", "pinferry"]);
    kept(root);
    assert!(!root.path("usr/bin/pinferry").exists());
    root.dpkg(&["--purge", "pinferry"]);
    assert_eq!(root.files(), OF_THE_USER.map(str::to_owned).into());
}
