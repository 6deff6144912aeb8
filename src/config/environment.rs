//! The environment: `${NAME}` in URLs, and `PINFERRY_*` variables over the file.
//!
//! `PINFERRY_RUN__MEMORY` stands for `run.memory` and `PINFERRY_SOURCE__INPS__URL` for the `url` of the source
//! called `inps` (letters in upper case, every other character as `_`). One underscore does where two are
//! written here. Lists are given with commas. A variable that the file itself names as `${…}` is left alone.

use std::collections::BTreeMap;

use super::{
    mistake::{Mistakes, Origin, list},
    node::{Node, Table, Value},
};

/// Names and values; whoever calls decides where they come from.
pub type Environment = BTreeMap<String, String>;

const PREFIX: &str = "PINFERRY_";

/// The sections a variable can reach, beside the sources.
const SECTIONS: [&str; 8] = [
    "target",
    "catalogue",
    "rules",
    "run",
    "lock",
    "activation",
    "hooks",
    "verify",
];

/// What a hook is told: no key, though it may call the program again.
const TOLD: &str = "PINFERRY_RUN_ID";

/// The process's environment; values that are not UTF-8 are nobody's configuration.
#[must_use]
pub fn of_process() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Puts the variables that mean a key into the tree, over what the file says.
pub(crate) fn overlay(root: &mut Table, text: &str, environment: &Environment, wrong: &Mistakes) {
    for (name, value) in environment {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if name == TOLD || text.contains(&format!("${{{name}}}")) {
            continue;
        }
        let rest = rest.to_ascii_lowercase();
        let node = Node {
            value: Value::Text(value.clone()),
            origin: Origin::Environment(name.clone()),
        };
        if let Some(rest) = after(&rest, "source") {
            overlay_source(root, rest, node, wrong);
        } else if let Some((section, key)) = SECTIONS
            .into_iter()
            .find_map(|section| Some((section, after(&rest, section)?)))
        {
            set(root, section, key, node);
        }
    }
}

/// Puts one value into a section, over whatever is there.
pub(crate) fn set(root: &mut Table, section: &str, key: &str, node: Node) {
    let entry = root.entry(section.to_owned()).or_insert_with(|| Node {
        value: Value::Table(Table::new()),
        origin: Origin::Missing,
    });
    if let Value::Table(table) = &mut entry.value {
        table.insert(key.to_owned(), node);
    }
}

fn after<'n>(name: &'n str, first: &str) -> Option<&'n str> {
    let rest = name.strip_prefix(first)?.strip_prefix('_')?;
    let rest = rest.strip_prefix('_').unwrap_or(rest);
    (!rest.is_empty()).then_some(rest)
}

fn overlay_source(root: &mut Table, rest: &str, node: Node, wrong: &Mistakes) {
    let mut names = Vec::new();
    if let Some(Node {
        value: Value::List(sources),
        ..
    }) = root.get_mut("source")
    {
        for source in sources {
            let Value::Table(table) = &mut source.value else {
                continue;
            };
            let Some(Node {
                value: Value::Text(name),
                ..
            }) = table.get("name")
            else {
                continue;
            };
            if let Some(key) = after(rest, &spelt(name)) {
                table.insert(key.to_owned(), node);
                return;
            }
            names.push(name.clone());
        }
    }
    wrong.add(
        &node.origin,
        "",
        "names no source of the file",
        format!("sources: {}", list(names.iter().map(String::as_str))),
    );
}

fn spelt(name: &str) -> String {
    name.chars()
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => c,
            _ => '_',
        })
        .collect()
}

/// Replaces every `${NAME}`.
///
/// # Errors
/// Says which variable is missing or what is not closed; never shows a value.
pub(crate) fn expand(text: &str, environment: &Environment) -> Result<String, String> {
    expand_as(text, environment, str::to_owned)
}

/// Replaces every `${NAME}` by another spelling of the variable's value.
///
/// # Errors
/// As [`expand`].
pub(crate) fn expand_as(
    text: &str,
    environment: &Environment,
    spell: impl Fn(&str) -> String,
) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, opened)) = rest.split_once("${") {
        out.push_str(before);
        let (name, after) = opened
            .split_once('}')
            .ok_or("holds ${ without a closing }")?;
        match environment.get(name) {
            Some(value) => out.push_str(&spell(value)),
            None => return Err(format!("the environment has no variable {name}")),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
