//! Keeps the shape of the code: who may import whom, where SQL and printing may stand, how long a file may be.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folders of `src`, and which of the others each may name.
const MAY_IMPORT: [(&str, &[&str]); 9] = [
    ("domain", &[]),
    ("config", &["domain", "exit"]),
    ("postgres", &["config", "exit"]),
    (
        "source",
        &["config", "domain", "exit", "failpoint", "postgres"],
    ),
    (
        "store",
        &["config", "domain", "exit", "failpoint", "postgres"],
    ),
    (
        "engine",
        &["config", "domain", "exit", "failpoint", "source", "store"],
    ),
    ("sample", &["config", "domain", "exit", "source"]),
    (
        "ui",
        &[
            "commands", "config", "domain", "engine", "exit", "source", "store",
        ],
    ),
    (
        "commands",
        &[
            "config",
            "domain",
            "engine",
            "exit",
            "failpoint",
            "sample",
            "source",
            "store",
            "ui",
        ],
    ),
];

const MOST_LINES: usize = 600;

struct Source {
    /// Path below `src`.
    path: String,
    text: String,
}

impl Source {
    fn folder(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.trim_end_matches(".rs")
    }

    /// The code before the file's own tests.
    fn code(&self) -> &str {
        let end = self.text.find("#[cfg(test)]\nmod tests {");
        &self.text[..end.unwrap_or(self.text.len())]
    }

    /// Lines of code with their numbers; comments left out.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code().lines().enumerate();
        lines
            .map(|(at, line)| (at + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&root).expect("below src");
                sources.push(Source {
                    path: below.display().to_string(),
                    text: fs::read_to_string(&path).expect("a text"),
                });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 20, "the sources were found");
    sources
}

/// The folders that one line names as `crate::folder` or inside `use crate::{`.
fn imported(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (line, text) in source.lines() {
        for (at, _) in text.match_indices("crate::") {
            let rest = &text[at + "crate::".len()..];
            let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
            found.push((line, name));
        }
        if text.starts_with("use crate::{") {
            inside = true;
        } else if inside && text.starts_with("};") {
            inside = false;
        } else if inside && text.starts_with("    ") && !text.starts_with("     ") {
            let name: String = text.trim().chars().take_while(|c| is_word(*c)).collect();
            found.push((line, name));
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn folders_import_only_what_lies_upstream() {
    let mut complaints = Vec::new();
    for source in sources() {
        let Some((folder, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == source.folder())
        else {
            continue;
        };
        for (line, name) in imported(&source) {
            let known = MAY_IMPORT.iter().any(|(other, _)| *other == name);
            if known && name != **folder && !allowed.contains(&name.as_str()) {
                complaints.push(format!("src/{}:{line}: {folder} names {name}", source.path));
            }
        }
    }
    none(&complaints);
}

#[test]
fn the_rules_are_pure() {
    const IMPURE: [&str; 9] = [
        "std::fs",
        "std::io",
        "std::env",
        "std::net",
        "std::time",
        "std::thread",
        "tokio",
        "rusqlite",
        "tracing",
    ];
    let mut complaints = Vec::new();
    for source in sources().iter().filter(|one| one.folder() == "domain") {
        for (line, text) in source.lines() {
            for name in IMPURE.iter().filter(|name| text.contains(**name)) {
                complaints.push(format!("src/{}:{line}: {name}", source.path));
            }
            if text.contains("async fn") || text.contains("now()") {
                complaints.push(format!("src/{}:{line}: {}", source.path, text.trim()));
            }
        }
    }
    none(&complaints);
}

#[test]
fn sql_stands_in_store_and_source_only() {
    const SQL: [&str; 12] = [
        "\"SELECT ",
        "\"INSERT ",
        "\"UPDATE ",
        "\"DELETE ",
        "\"CREATE ",
        "\"DROP ",
        "\"PRAGMA ",
        "\"BEGIN",
        "\"COMMIT",
        "\"ALTER ",
        "\"WITH ",
        "\"VACUUM",
    ];
    let mut complaints = Vec::new();
    for source in sources() {
        if ["store", "source"].contains(&source.folder()) {
            continue;
        }
        for (line, text) in source.lines() {
            if SQL.iter().any(|start| text.contains(start)) {
                complaints.push(format!("src/{}:{line}: {}", source.path, text.trim()));
            }
        }
    }
    none(&complaints);
}

#[test]
fn only_ui_writes_to_the_terminal() {
    const PRINTING: [&str; 6] = [
        "println!",
        "eprintln!",
        "print!(",
        "eprint!(",
        "io::stdout",
        "io::stderr",
    ];
    let mut complaints = Vec::new();
    for source in sources().iter().filter(|one| one.folder() != "ui") {
        for (line, text) in source.lines() {
            if PRINTING.iter().any(|name| text.contains(name)) {
                complaints.push(format!("src/{}:{line}: {}", source.path, text.trim()));
            }
        }
    }
    none(&complaints);
}

#[test]
fn no_file_is_longer_than_six_hundred_lines() {
    let mut complaints = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > MOST_LINES {
            complaints.push(format!("src/{}: {lines} lines", source.path));
        }
    }
    none(&complaints);
}

#[test]
fn nothing_is_left_for_later() {
    let mut complaints = Vec::new();
    for source in sources() {
        for (line, text) in source.text.lines().enumerate() {
            let later = ["TODO", "FIXME", "todo!(", "unimplemented!(", "#[allow("];
            if later.iter().any(|word| text.contains(word)) {
                complaints.push(format!("src/{}:{}: {}", source.path, line + 1, text.trim()));
            }
        }
    }
    none(&complaints);
}
