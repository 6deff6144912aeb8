//! The person and his requests as the target has them.

use std::{collections::BTreeMap, fmt};

use super::history::{Level, Profile};

/// A row of `pin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PinSeen {
    /// `inps:M1`, or `activation:Q1`.
    pub(super) name: String,
    pub(super) status: String,
    pub(super) level: Level,
    pub(super) superseded_by: Option<String>,
}

impl PinSeen {
    /// The number of the request that brought it.
    pub(super) fn request(&self) -> Option<usize> {
        self.name.strip_prefix("activation:Q")?.parse().ok()
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.status.as_str(), "active" | "suspended" | "pending")
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// How many people have one of the codes.
    pub(super) people: i64,
    pub(super) pins: Vec<PinSeen>,
    /// Status and level.
    pub(super) grants: BTreeMap<Profile, (String, Level)>,
    /// What he may do.
    pub(super) access: BTreeMap<Profile, Level>,
    /// State and reason, by number.
    pub(super) requests: BTreeMap<usize, (String, String)>,
    /// Of which each is, state and reason.
    pub(super) receipts: Vec<(String, String, String)>,
}

impl Seen {
    /// What the query [`query`] came to, a line of text each.
    pub(super) fn of(lines: &[String]) -> Self {
        let mut seen = Self::default();
        for line in lines {
            let fields: Vec<_> = line.splitn(7, '|').collect();
            let text = |at: usize| fields[at].to_owned();
            match fields[0] {
                "people" => seen.people = fields[1].parse().expect("a number"),
                "pin" => seen.pins.push(PinSeen {
                    name: text(1),
                    status: text(2),
                    level: level(fields[3]),
                    superseded_by: Some(text(4)).filter(|name| !name.is_empty()),
                }),
                "grant" => {
                    let grant = (text(2), level(fields[3]));
                    seen.grants.insert(profile(fields[1]), grant);
                }
                "access" => {
                    seen.access.insert(profile(fields[1]), level(fields[2]));
                }
                "request" => {
                    let number = fields[1].trim_start_matches('Q');
                    let number = number.parse().expect("a number");
                    seen.requests.insert(number, (text(2), text(3)));
                }
                _receipt => seen.receipts.push((text(1), text(2), text(3))),
            }
        }
        seen.pins.sort_by(|one, other| one.name.cmp(&other.name));
        seen.receipts.sort();
        seen
    }

    pub(super) fn live_pin(&self) -> Option<&PinSeen> {
        self.pins.iter().find(|pin| pin.is_live())
    }

    pub(super) fn state(&self, request: usize) -> &str {
        self.requests.get(&request).map_or("", |(state, _)| state)
    }

    pub(super) fn is_done(&self, request: usize) -> bool {
        self.state(request) == "done"
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for pin in &self.pins {
            let by = pin.superseded_by.as_deref().unwrap_or("nobody");
            writeln!(f, "  {} {} {:?}, by {by}", pin.name, pin.status, pin.level)?;
        }
        for (profile, (status, level)) in &self.grants {
            writeln!(f, "  {profile:?} {status} {level:?}")?;
        }
        writeln!(f, "  access {:?}", self.access)?;
        for (number, (state, reason)) in &self.requests {
            writeln!(f, "  Q{number} {state} {reason}")?;
        }
        writeln!(f, "  receipts {:?}", self.receipts)
    }
}

/// One text for each thing that is seen of whoever has one of these codes.
pub(super) fn query(codes: [&str; 2]) -> String {
    let codes = format!("'{}', '{}'", codes[0], codes[1]);
    let held =
        format!("person_id IN (SELECT person_id FROM fiscal_code WHERE fiscal_code IN ({codes}))");
    format!(
        "SELECT 'people|' || CAST(count(*) AS text) FROM person WHERE {held}
         UNION ALL SELECT 'pin|' || pin.source || ':' || pin.legacy_id || '|' || pin.status || '|' || pin.level
                 || '|' || coalesce(later.source || ':' || later.legacy_id, '')
             FROM pin LEFT JOIN pin AS later ON later.pin_id = pin.superseded_by WHERE pin.{held}
         UNION ALL SELECT 'grant|' || profile || '|' || status || '|' || level FROM profile_grant WHERE {held}
         UNION ALL SELECT 'access|' || profile || '|' || level FROM effective_access
             WHERE fiscal_code IN ({codes})
         UNION ALL SELECT 'request|' || request_id || '|' || state || '|' || reason FROM delayed_activation
         UNION ALL SELECT 'receipt|' || coalesce(of_request, of_source || ':' || of_legacy_id) || '|' || state
                 || '|' || reason FROM delivery_receipt"
    )
}

fn level(name: &str) -> Level {
    match name {
        "dispositive" => Level::Dispositive,
        _lower => Level::Ordinary,
    }
}

fn profile(code: &str) -> Profile {
    let found = Profile::ALL.into_iter().find(|one| one.code() == code);
    found.expect("a profile of the alphabet")
}
