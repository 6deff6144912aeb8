//! The page of a report in a real browser: Chromium, with no window and no network.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use assert_cmd::cargo::cargo_bin;

/// What is appended to a copy of the page: does what a reader does, and leaves what there is to see.
const READER: &str = r##"<script>
const seen = {};
seen.tables = [...document.querySelectorAll("table")].map(table => table.id);
const column = (table, at) => [...document.querySelectorAll(`#${table} tbody tr`)]
  .filter(row => !row.hidden).map(row => row.cells[at].textContent.trim());
const press = (table, at) => document.querySelectorAll(`#${table} th button`)[at].click();
const sorted = () => [...document.querySelectorAll("#quarantine th")].map(head => head.ariaSort).join();
press("quarantine", 0); seen.upwards = column("quarantine", 0); seen.marked = sorted();
press("quarantine", 0); seen.downwards = column("quarantine", 0);
press("quarantine", 1); seen.most = column("quarantine", 1); seen.moved = sorted();
press("quarantine", 1); seen.least = column("quarantine", 1);
const filter = document.querySelector("input.filter");
filter.value = "IDENTITY"; filter.dispatchEvent(new Event("input"));
seen.filtered = column("quarantine", 0);
seen.pictures = [...document.querySelectorAll("svg")].map(svg => svg.getBoundingClientRect().height > 40);
seen.overflow = document.documentElement.scrollWidth > window.innerWidth;
seen.ground = getComputedStyle(document.body).backgroundColor;
const said = document.createElement("pre"); said.id = "seen"; said.textContent = JSON.stringify(seen); document.body.append(said);
</script>"##;

fn chromium() -> PathBuf {
    let path = env::var_os("PATH").expect("a PATH");
    let named = |name: &str| {
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|file| file.exists())
    };
    (named("chromium").or_else(|| named("chromium-browser")))
        .expect("chromium, which ./tests/all installs")
}

/// Opens a page; what the document holds in the end, and what the console said.
fn open(page: &Path, profile: &Path, flags: &[&str]) -> (String, String) {
    let output = Command::new(chromium())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--enable-logging=stderr",
        ])
        .args([
            "--disable-dev-shm-usage",
            "--window-size=1100,900",
            "--dump-dom",
        ])
        .args(flags)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .env("HOME", profile)
        .output()
        .expect("Chromium starts");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let stderr = text(output.stderr);
    let console = stderr.lines().filter(|line| line.contains("CONSOLE"));
    (text(output.stdout), console.collect::<Vec<_>>().join("\n"))
}

fn seen(page: &Path, folder: &Path, flags: &[&str]) -> serde_json::Value {
    let text = fs::read_to_string(page).expect("a page");
    let copy = folder.join("read.html");
    fs::write(&copy, text.replace("</body>", &format!("{READER}</body>"))).expect("a copy");
    let (document, console) = open(&copy, &folder.join("profile"), flags);
    assert_eq!(console, "", "the console is silent");
    let seen = document
        .split("<pre id=\"seen\">")
        .nth(1)
        .and_then(|rest| rest.split("</pre>").next());
    let seen = seen.unwrap_or_else(|| panic!("the reader came to an end: {document}"));
    serde_json::from_str(
        &seen
            .replace("&amp;", "&")
            .replace("&lt;", "<")
            .replace("&gt;", ">"),
    )
    .expect("JSON")
}

#[test]
fn a_report_opens_sorts_and_filters_in_chromium_in_either_language_and_light() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let pinferry = |arguments: &[&str]| {
        let mut command = Command::new(cargo_bin!("pinferry"));
        let output = command
            .current_dir(folder)
            .env_clear()
            .args(arguments)
            .output();
        output.expect("it ran").status.code()
    };
    assert_eq!(pinferry(&["demo", "--dir", "."]), Some(0));
    let mut grounds = Vec::new();
    for (language, scheme) in [
        ("en", "--blink-settings=preferredColorScheme=1"),
        ("it", "--blink-settings=preferredColorScheme=0"),
    ] {
        fs::remove_dir_all(folder.join("out")).unwrap_or_default();
        assert_eq!(
            pinferry(&["plan", "--report", language, "--lang", language]),
            Some(3)
        );
        let seen = seen(
            &folder.join(language).join("report.html"),
            folder,
            &[scheme],
        );
        assert_eq!(
            seen["tables"],
            serde_json::json!(["quarantine", "findings", "offices", "profiles", "sources"])
        );
        let column = |name: &str| -> Vec<String> {
            serde_json::from_value(seen[name].clone()).expect("a column")
        };
        let names = column("upwards");
        assert!(names.len() > 10 && names.is_sorted(), "{names:?}");
        let mut backwards = names.clone();
        backwards.reverse();
        assert_eq!(column("downwards"), backwards);
        assert_eq!(
            (&seen["marked"], &seen["moved"]),
            (&"ascending,,,,,".into(), &",descending,,,,".into())
        );
        let numbers = |name| -> Vec<u32> {
            column(name)
                .iter()
                .map(|n| n.parse().expect("a number"))
                .collect()
        };
        assert!(numbers("least").is_sorted() && numbers("most").iter().rev().is_sorted());
        assert_ne!(numbers("least"), numbers("most"));
        assert_eq!(
            column("filtered"),
            ["identity_missing", "identity_conflict"]
        );
        assert_eq!(seen["pictures"], serde_json::json!([true, true, true]));
        assert_eq!(seen["overflow"], false);
        grounds.push(seen["ground"].clone());
    }
    assert_eq!(
        grounds,
        ["rgb(255, 255, 255)", "rgb(22, 24, 27)"],
        "light, then dark"
    );
}
