//! Tells the program which commit it is built from, where git knows.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let paths = ["HEAD", "logs/HEAD"];
    for path in paths
        .iter()
        .filter_map(|path| git(&["rev-parse", "--git-path", path]))
    {
        println!("cargo::rerun-if-changed={path}");
    }
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=PINFERRY_COMMIT={commit}");
    }
}
