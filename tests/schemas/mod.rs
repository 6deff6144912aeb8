//! Holds what the program writes for other programs to the schemas in `packaging/schemas`.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

/// Where the schemas are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/schemas")
}

/// A schema, by the name of its document.
pub(crate) fn schema(name: &str) -> Value {
    let path = folder().join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("no schema of {name}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Finds what a schema refers to beside it.
struct Beside;

impl Retrieve for Beside {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let file = uri.path().as_str().rsplit('/').next().unwrap_or_default();
        Ok(schema(file.trim_end_matches(".json")))
    }
}

fn validator(name: &str) -> Arc<Validator> {
    static MADE: OnceLock<Mutex<BTreeMap<String, Arc<Validator>>>> = OnceLock::new();
    let made = MADE.get_or_init(Mutex::default).lock();
    let mut made = made.unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let options = jsonschema::options()
            .with_retriever(Beside)
            .with_base_uri(format!("file:///schemas/{name}.json"));
        let validator = options.build(&schema(name));
        Arc::new(validator.unwrap_or_else(|error| panic!("{name}: {error}")))
    };
    Arc::clone(made.entry(name.to_owned()).or_insert_with(make))
}

/// What of a document its schema does not allow, place by place.
pub(crate) fn complaints(name: &str, document: &Value) -> Vec<String> {
    let validator = validator(name);
    let errors = validator.iter_errors(document);
    errors
        .map(|error| format!("{name}{}: {error}", error.instance_path()))
        .collect()
}

fn hold(name: &str, document: &Value) {
    assert_eq!(complaints(name, document), [""; 0], "{document}");
    if name == "demo" {
        for scene in document["scenes"].as_array().into_iter().flatten() {
            let typed = scene["typed"].as_str().unwrap_or_default();
            let words: Vec<_> = typed.split(' ').skip(1).collect();
            let document = &scene["document"];
            hold(&of_command(&words, document), document);
        }
    }
}

/// Holds each document of a text to its schema: one, or one a line.
fn hold_text(text: &[u8], name: impl Fn(&Value) -> String) {
    for document in serde_json::Deserializer::from_slice(text).into_iter() {
        let document = document.expect("a JSON document");
        hold(&name(&document), &document);
    }
}

fn hold_file(path: &Path, name: &str) {
    if let Ok(text) = fs::read(path) {
        hold_text(&text, |_| name.to_owned());
    }
}

/// Holds what an ended call of the program wrote to standard output, and the files its arguments name, to their schemas.
pub(crate) fn hold_call(folder: &Path, arguments: &[&str], code: Option<i32>, stdout: &[u8]) {
    let mut words = Vec::new();
    let mut in_json = false;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match *argument {
            "--format" => in_json = rest.next() == Some(&"json"),
            "--config" | "--log-format" => drop(rest.next()),
            word => words.push(word),
        }
    }
    if let Some(0 | 3) = code {
        hold_files(folder, &words);
    }
    match plain(&words).as_slice() {
        ["audit", "export"] => hold_text(stdout, |_| "audit-entry".to_owned()),
        _other if in_json => hold_text(stdout, |document| of_command(&words, document)),
        _other => {}
    }
}

/// Holds the files that a command was to write to their schemas.
fn hold_files(folder: &Path, words: &[&str]) {
    let named = |flag: &str| {
        let at = words.iter().position(|word| *word == flag)?;
        words.get(at + 1).map(|file| folder.join(file))
    };
    let is_lines = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "jsonl");
    if let Some(plan) = named("--save") {
        hold_file(&plan, "plan-file");
    }
    for kept in ["--report", "--to"].into_iter().filter_map(named) {
        hold_file(&kept.join("report.json"), "report-file");
    }
    match plain(words).as_slice() {
        ["intake", file, ..] => {
            let beside = folder.join(file.replace(".jsonl", ".result.jsonl"));
            let answers = named("--result").unwrap_or(beside);
            if is_lines(&answers) {
                hold_file(&answers, "intake-answer");
            }
        }
        ["audit", "export", ..] => {
            if let Some(file) = named("--out").filter(is_lines) {
                hold_file(&file, "audit-entry");
            }
        }
        _other => {}
    }
}

/// The words that are no flags.
fn plain<'w>(words: &[&'w str]) -> Vec<&'w str> {
    let plain = words.iter().copied();
    plain.filter(|word| !word.starts_with('-')).collect()
}

/// The document that a command writes.
fn of_command(words: &[&str], document: &Value) -> String {
    let has = |flag: &str| words.contains(&flag);
    match plain(words).as_slice() {
        ["verify", ..] => "verification",
        // A run tells what verification found where that fails it.
        ["run", ..] if document.get("mismatches").is_some() => "verification",
        ["report", ..] if has("--notices") => "notices",
        ["plan" | "run" | "report", ..] => "report",
        ["lock", "engage", ..] => "lock-status",
        ["activate", ..] if has("--dry-run") => "activate-dry-run",
        ["pause" | "resume" | "throttle", ..] => "control",
        [command @ ("lock" | "quarantine" | "audit"), what, ..] => {
            return format!("{command}-{what}");
        }
        [command, ..] => command,
        [] => "nothing",
    }
    .to_owned()
}
