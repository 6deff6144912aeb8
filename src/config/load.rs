//! From file, environment and flags to [`Settings`], with every mistake reported at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    num::NonZeroU64,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{civil::Date, tz::TimeZone};

use crate::domain::{
    activation::{policy::Policy, schedule::Schedule},
    field::Field,
    rules::DEFAULT_SCHEMES,
    status::vocabulary,
};

use super::{
    environment::{self, Environment},
    files,
    location::{Place, place},
    mistake::{ConfigError, Mistake, Mistakes, Origin, list},
    node::{self, Node, Table, Value},
    offices, quantity,
    section::{Given, Section},
    settings::{
        ActivationSettings, CredentialChange, Hook, HookSettings, LoadSettings, LockMode,
        LockSettings, RunSettings, Settings, SourceLocation, SourceSettings, TargetSettings,
    },
    source,
};

vocabulary! {
    /// A key that a flag of the command line can set.
    FlagKey {
        /// `--chunk-records`.
        ChunkRecords = "chunk_records",
        /// `--workers`.
        Workers = "workers",
        /// `--memory`.
        Memory = "memory",
        /// `--work-dir`.
        WorkDir = "work_dir",
        /// `--max-quarantine-ratio`.
        MaxQuarantineRatio = "max_quarantine_ratio",
        /// `--as-of`.
        AsOf = "as_of",
        /// `--expected`.
        Expected = "expected",
    }
}

impl FlagKey {
    fn section(self) -> &'static str {
        match self {
            Self::ChunkRecords
            | Self::Workers
            | Self::Memory
            | Self::WorkDir
            | Self::MaxQuarantineRatio => "run",
            Self::AsOf => "rules",
            Self::Expected => "lock",
        }
    }

    fn flag(self) -> String {
        format!("--{}", self.as_str().replace('_', "-"))
    }
}

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The file.
    pub file: PathBuf,
    /// The environment: `${NAME}` and `PINFERRY_*`.
    pub environment: Environment,
    /// What flags set, over file and environment.
    pub flags: Vec<(FlagKey, String)>,
}

const TARGETS: &str =
    "sqlite://FILE, a relative FILE starting at this file, or postgres://USER@HOST/DATABASE";

impl Settings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Every mistake in the file, in what the environment and the flags put over it, and in the files it
    /// names.
    pub fn load(inputs: &Inputs) -> Result<Self, ConfigError> {
        let text = read(&inputs.file)?;
        let file = fs::canonicalize(&inputs.file).unwrap_or_else(|_| inputs.file.clone());
        let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let mistakes = Mistakes::new(inputs.file.clone());
        let mut root = node::parse(&text, &mistakes);
        environment::overlay(&mut root, &text, &inputs.environment, &mistakes);
        for (key, value) in &inputs.flags {
            let node = Node {
                value: Value::Text(value.clone()),
                origin: Origin::Flag(key.flag()),
            };
            environment::set(&mut root, key.section(), key.as_str(), node);
        }
        let root = Section::new("", Origin::Missing, root, &mistakes);
        let settings = whole(root, file, &base, &inputs.environment);
        let found = mistakes.into_found();
        match settings {
            Some(settings) if found.is_empty() => Ok(settings),
            Some(_) | None => Err(ConfigError::new(
                found,
                format!(
                    "correct {} and try `pinferry doctor`",
                    inputs.file.display()
                ),
            )),
        }
    }
}

fn read(file: &Path) -> Result<String, ConfigError> {
    let fail = |problem: String, hint: &str| {
        let mistake = Mistake {
            file: file.to_owned(),
            line: None,
            given_by: None,
            key: String::new(),
            problem,
            accepted: String::new(),
        };
        ConfigError::new(vec![mistake], hint)
    };
    let bytes = fs::read(file).map_err(|error| {
        fail(
            format!("cannot be read: {error}"),
            "name the file with --config FILE, or lay one out with `pinferry init`",
        )
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|_| fail("is not UTF-8 text".to_owned(), "save the file as UTF-8"))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

fn whole(
    mut root: Section<'_>,
    file: PathBuf,
    base: &Path,
    environment: &Environment,
) -> Option<Settings> {
    let target = target(root.section("target"), base, environment);
    let sources = sources(&mut root, base, environment);
    let mut catalogue = root.section("catalogue");
    let profiles = files::catalogue(&mut catalogue, base);
    let links = files::links(&mut catalogue, base);
    let credential_schemes = schemes(&mut catalogue);
    catalogue.finish();
    let mut rules = root.section("rules");
    let as_of = rules.parsed("as_of", "a date such as \"2013-11-03\"", |text| {
        text.parse::<Date>().map_err(|_| "is not a date")
    });
    rules.finish();
    let run = run(root.section("run"), base, target.as_ref());
    let lock = lock(root.section("lock"), &sources);
    let activation = activation(root.section("activation"), base);
    let hooks = hooks(root.section("hooks"));
    let mut verify = root.section("verify");
    let canary = verify.text("canary").map(|given| base.join(given.text));
    verify.finish();
    if let Some(target) = &target {
        apart(&root, target, &sources);
    }
    root.finish();
    Some(Settings {
        file,
        target: target?,
        sources,
        catalogue: profiles,
        links,
        credential_schemes,
        as_of,
        run,
        lock,
        activation,
        hooks,
        canary,
    })
}

fn target(
    mut section: Section<'_>,
    base: &Path,
    environment: &Environment,
) -> Option<TargetSettings> {
    let place = place(&mut section, base, environment, TARGETS);
    let refuse = |problem: &str| {
        let origin = section.origin().clone();
        section.wrong(&origin, "url", problem, TARGETS);
        None
    };
    let target = match place? {
        Place::Sqlite(path) => Some(TargetSettings::Sqlite(path)),
        Place::Csv(_) => refuse("a CSV file cannot be a target"),
        Place::Postgres(place) => Some(TargetSettings::Postgres(place)),
    };
    section.finish();
    target
}

fn sources(root: &mut Section<'_>, base: &Path, environment: &Environment) -> Vec<SourceSettings> {
    const ACCEPTED: &str = "at least one [[source]] with name and url";
    let mistakes = root.mistakes();
    let nodes = match root.take("source") {
        None => Vec::new(),
        Some(Node {
            value: Value::List(nodes),
            ..
        }) => nodes,
        Some(node) => {
            root.wrong(&node.origin, "source", "is written once", ACCEPTED);
            return Vec::new();
        }
    };
    if nodes.is_empty() || nodes.len() > usize::from(u16::MAX) {
        root.wrong(&Origin::Missing, "source", "is missing", ACCEPTED);
    }
    let mut sources = Vec::new();
    let mut names = BTreeSet::new();
    for (position, node) in nodes.into_iter().enumerate() {
        let path = format!("source {}", position + 1);
        let Value::Table(table) = node.value else {
            mistakes.add(&node.origin, &path, "is not a section", ACCEPTED);
            continue;
        };
        let origin = first_line(&table).unwrap_or(node.origin);
        let section = Section::new(&path, origin.clone(), table, mistakes);
        let Some(source) = source::read(section, base, environment) else {
            continue;
        };
        let name = source.rules.name.clone();
        if !names.insert(name.clone()) {
            let problem = "another source has this name";
            mistakes.add(&origin, &format!("source {name}"), problem, "");
        }
        sources.push(source);
    }
    sources
}

fn first_line(table: &Table) -> Option<Origin> {
    let lines = table.values().filter_map(|node| match node.origin {
        Origin::Line(line) => Some(line),
        Origin::Environment(_) | Origin::Flag(_) | Origin::Missing => None,
    });
    lines.min().map(Origin::Line)
}

fn schemes(section: &mut Section<'_>) -> Vec<String> {
    let Some(given) = section.texts("credential_schemes") else {
        return DEFAULT_SCHEMES.map(str::to_owned).to_vec();
    };
    if given.is_empty() {
        let origin = section.origin().clone();
        let accepted = list(DEFAULT_SCHEMES);
        section.wrong(&origin, "credential_schemes", "is empty", accepted);
    }
    let schemes: BTreeSet<String> = given
        .into_iter()
        .map(|scheme| scheme.text.trim().to_ascii_uppercase())
        .collect();
    schemes.into_iter().collect()
}

fn run(mut section: Section<'_>, base: &Path, target: Option<&TargetSettings>) -> RunSettings {
    const MEMORY: u64 = 256 << 20;
    const LEAST_MEMORY: u64 = 1 << 20;
    let chunk = section.integer("chunk_records", 1..=10_000_000);
    let workers = section.integer("workers", 1..=256);
    let memory = section.parsed("memory", quantity::SIZES, |text| {
        match quantity::bytes(text) {
            Ok(bytes) if bytes < LEAST_MEMORY => Err("is less than 1MiB"),
            other => other,
        }
    });
    let work_dir = section.text("work_dir");
    let ratio = section.ratio("max_quarantine_ratio");
    let lease = section.parsed(
        "lease",
        quantity::DURATIONS,
        |text| match quantity::duration(text) {
            Ok(lease) if lease < Duration::from_secs(3) => Err("is shorter than 3 seconds"),
            other => other,
        },
    );
    let load = load(&mut section, target);
    section.finish();
    RunSettings {
        load,
        chunk_records: chunk
            .and_then(NonZeroU64::new)
            .unwrap_or(NonZeroU64::MIN.saturating_add(19_999)),
        workers: workers.and_then(|n| usize::try_from(n).ok()).unwrap_or(2),
        memory_bytes: memory.unwrap_or(MEMORY),
        work_dir: base.join(work_dir.map_or_else(|| "out/work".to_owned(), |given| given.text)),
        max_quarantine_ratio: ratio.unwrap_or(0.10),
        lease: lease.unwrap_or(Duration::from_secs(30)),
    }
}

fn hooks(mut section: Section<'_>) -> HookSettings {
    const COMMAND: &str =
        "a program and its arguments, such as [\"/usr/local/sbin/maintenance\", \"on\"]";
    const LONGEST: Duration = Duration::from_secs(3600);
    let mut commands = BTreeMap::new();
    for hook in Hook::ALL {
        let Some(given) = section.texts(hook.as_str()) else {
            continue;
        };
        let words: Vec<_> = given.into_iter().map(|given| given.text).collect();
        if words.first().is_none_or(String::is_empty) {
            let origin = section.origin().clone();
            section.wrong(&origin, hook.as_str(), "names no program", COMMAND);
        }
        commands.insert(*hook, words);
    }
    let timeout = section.parsed(
        "timeout",
        quantity::DURATIONS,
        |text| match quantity::duration(text) {
            Ok(timeout) if timeout > LONGEST => Err("is longer than an hour"),
            other => other,
        },
    );
    section.finish();
    HookSettings {
        commands,
        timeout: timeout.unwrap_or(Duration::from_secs(60)),
    }
}

/// When the target's server is too busy: a query and a limit, or neither.
fn load(section: &mut Section<'_>, target: Option<&TargetSettings>) -> Option<LoadSettings> {
    const QUERY: &str = "a query that gives one number, such as SELECT count(*) FROM pg_stat_activity WHERE state = 'active'";
    const LIMIT: &str = "a number, above which nothing is written";
    let query = section.text("load_query");
    let has_limit = section.has("load_limit");
    let limit = section.number("load_limit", LIMIT);
    if let (Some(TargetSettings::Sqlite(_)), Some(given)) = (target, &query) {
        let problem = "asks a server how busy it is, and the target is a SQLite file";
        section.wrong(
            &given.origin,
            "load_query",
            problem,
            "leave it out, and load_limit with it",
        );
    }
    match (query, limit) {
        (Some(query), _) if query.text.trim().is_empty() => {
            section.wrong(&query.origin, "load_query", "is empty", QUERY);
            None
        }
        (Some(query), Some((limit, _))) => Some(LoadSettings {
            query: query.text,
            limit,
        }),
        (Some(query), None) => {
            if !has_limit {
                section.wrong(
                    &query.origin,
                    "load_limit",
                    "is missing beside load_query",
                    LIMIT,
                );
            }
            None
        }
        (None, Some((_, origin))) => {
            section.wrong(&origin, "load_query", "is missing beside load_limit", QUERY);
            None
        }
        (None, None) => None,
    }
}

fn lock(mut section: Section<'_>, sources: &[SourceSettings]) -> LockSettings {
    let mode = section.parsed("mode", "refuse or divert", |text| {
        LockMode::by_name(text).ok_or("is no mode of the lock")
    });
    let expected = section.parsed("expected", quantity::DURATIONS, quantity::duration);
    let role = section.text("application_role");
    let change = section.parsed("credential_change", "refuse or capture", |text| {
        CredentialChange::by_name(text).ok_or("is no way to treat a change of credential")
    });
    let allowed = section.texts("allow_columns");
    for given in allowed.iter().flatten() {
        refuse_mapped(&section, given, sources);
    }
    section.finish();
    let last_used = sources
        .iter()
        .filter_map(|source| source.columns.get(&Field::LastUsedOn).cloned())
        .filter(|column| !column.is_empty());
    let allow_columns: BTreeSet<String> = match allowed {
        Some(given) => given.into_iter().map(|given| given.text).collect(),
        None => last_used.collect(),
    };
    LockSettings {
        mode: mode.unwrap_or(LockMode::Refuse),
        expected: expected.unwrap_or(Duration::from_secs(4 * 3600)),
        allow_columns: allow_columns.into_iter().collect(),
        credential_change: change.unwrap_or(CredentialChange::Refuse),
        application_role: role.map(|given| given.text),
    }
}

fn activation(mut section: Section<'_>, base: &Path) -> ActivationSettings {
    let delay = section.integer("delay_working_days", 0..=365);
    let hour = section.parsed("hour", "local time such as \"08:30\"", quantity::hour);
    let zone = section.parsed("time_zone", "a name such as Europe/Rome", |text| {
        TimeZone::get(text).map_err(|_| "is not a known time zone")
    });
    let offices = offices::read(&mut section, base);
    let proxies = section.parsed(
        "proxies",
        "\"accepted\" or \"refused\"",
        |text| match text {
            "accepted" => Ok(true),
            "refused" => Ok(false),
            _other => Err("is neither"),
        },
    );
    let domains = section.texts("certified_domains");
    let within = section.integer("accepted_within_days", 1..=36_500);
    section.finish();
    let usual = Policy::default();
    ActivationSettings {
        policy: Policy {
            proxies: proxies.unwrap_or(usual.proxies),
            certified_domains: domains.map_or(usual.certified_domains, |domains| {
                domains.into_iter().map(|given| given.text).collect()
            }),
            accepted_within_days: within
                .and_then(|days| u32::try_from(days).ok())
                .or(Some(60)),
        },
        schedule: Schedule {
            delay_working_days: delay.and_then(|days| u32::try_from(days).ok()).unwrap_or(1),
            hour: hour.unwrap_or_default(),
            zone: zone.unwrap_or_else(office_zone),
            offices,
        },
    }
}

/// Where Italian offices live.
fn office_zone() -> TimeZone {
    TimeZone::get("Europe/Rome").expect("the zones of the world are built in")
}

/// What people are entitled to must not change during the lock.
fn refuse_mapped(section: &Section<'_>, given: &Given, sources: &[SourceSettings]) {
    for source in sources {
        let mapped = source
            .columns
            .iter()
            .find(|(_, column)| column.eq_ignore_ascii_case(&given.text));
        if let Some((field, column)) = mapped
            && *field != Field::LastUsedOn
        {
            section.wrong(
                &given.origin,
                "allow_columns",
                format!(
                    "{column} is read as {} of source {}",
                    field.name(),
                    source.rules.name
                ),
                "only the column of last_used_on, and columns that are not mapped, may change",
            );
        }
    }
}

/// The target is nobody's source, and no source is read twice.
fn apart(root: &Section<'_>, target: &TargetSettings, sources: &[SourceSettings]) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for source in sources {
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let place = match &source.location {
            SourceLocation::Csv { path, .. } => real(path).display().to_string(),
            SourceLocation::Sqlite { path, table, .. } => {
                format!("{}\n{}", real(path).display(), table.to_ascii_lowercase())
            }
            location @ SourceLocation::Postgres { .. } => location.shown(),
        };
        let key = format!("source {}.url", source.rules.name);
        let is_target = match target {
            TargetSettings::Sqlite(target) => {
                source.location.path().map(real) == Some(real(target))
            }
            TargetSettings::Postgres(_) => false,
        };
        if is_target {
            root.wrong(&Origin::Missing, &key, "is the target itself", "");
        }
        if let Some(other) = seen.insert(place, &source.rules.name) {
            let problem = format!("is read by source {other} already");
            root.wrong(&Origin::Missing, &key, problem, "");
        }
    }
}
