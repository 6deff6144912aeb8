//! What a service manager is told.

use std::{
    fs, io::ErrorKind, os::unix::net::UnixDatagram, path::Path, process::Command, time::Duration,
};

use assert_cmd::cargo::cargo_bin;

use crate::{folder, run};

const JOB: &str = "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"csv://clean.csv\"\n\
                   [rules]\nas_of = \"2013-11-03\"\n[hooks]\nbefore_cut_over = [\"sleep\", \"2\"]\n";

fn job(folder: &Path) {
    let sample = [
        "sample-data",
        "--records",
        "50",
        "--dirty",
        "0",
        "--out",
        "clean.csv",
    ];
    assert_eq!(run(folder, &sample).code, 0);
    fs::write(folder.join("pinferry.toml"), JOB).expect("a configuration");
}

/// Runs the program as a service manager does; its exit code and all that it told.
fn told(folder: &Path, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let path = folder.join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_nonblocking(true).expect("ours");
    let mut command = Command::new(cargo_bin!("pinferry"));
    let command = command.current_dir(folder).env_clear().args(arguments);
    let command = command
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "600000");
    let mut child = command.spawn().expect("it starts");
    let (mut told, mut buffer) = (Vec::new(), [0; 1024]);
    let code = loop {
        let ended = child.try_wait().expect("ours");
        loop {
            match socket.recv(&mut buffer) {
                Ok(length) => {
                    let text = String::from_utf8_lossy(&buffer[..length]);
                    told.extend(text.lines().map(str::to_owned));
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        if let Some(status) = ended {
            break status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    fs::remove_file(&path).expect("ours");
    (code, told)
}

#[test]
fn a_service_manager_is_told_that_the_run_is_ready_at_what_it_is_that_it_lives_and_that_it_stops() {
    let folder = folder();
    let folder = folder.path();
    job(folder);
    let (code, told) = told(folder, &["run"]);
    assert_eq!(code, Some(0), "{told:?}");
    assert_eq!(told.first().map(String::as_str), Some("READY=1"));
    assert_eq!(told.last().map(String::as_str), Some("STOPPING=1"));
    let phases: Vec<_> = (told.iter())
        .filter_map(|line| line.strip_prefix("STATUS="))
        .collect();
    assert_eq!(
        phases,
        [
            "lock", "extract", "sort", "load", "index", "verify", "cut_over", "seal"
        ]
    );
    let lives = told.iter().filter(|line| *line == "WATCHDOG=1").count();
    assert!(lives >= 5, "{told:?}");
}

#[test]
fn a_service_whose_window_is_closed_was_ready_all_the_same_and_a_manager_that_is_gone_is_no_failure()
 {
    let folder = folder();
    let folder = folder.path();
    job(folder);
    // A day that is not today.
    let today = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .weekday();
    let other = match today {
        jiff::civil::Weekday::Monday | jiff::civil::Weekday::Tuesday => "Thu 10:00-11:00 UTC",
        jiff::civil::Weekday::Sunday => "Wed 10:00-11:00 UTC",
        _other => "Mon 10:00-11:00 UTC",
    };
    let (code, told) = told(folder, &["run", "--if-due", "--window", other]);
    assert_eq!(
        (code, told),
        (Some(0), vec!["READY=1".to_owned(), "STOPPING=1".to_owned()])
    );
    let mut command = Command::new(cargo_bin!("pinferry"));
    let command = command.current_dir(folder).env_clear().arg("run");
    let ended = command
        .env("NOTIFY_SOCKET", folder.join("nowhere"))
        .output();
    assert_eq!(ended.expect("it starts").status.code(), Some(0));
}
