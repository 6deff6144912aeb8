//! What became of a configuration since a lock was engaged with it.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

/// A key whose value is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// As the configuration spells it.
    pub key: String,
    /// The value the lock was engaged with; `None` where it had none.
    pub was: Option<Value>,
    /// The value now.
    pub is: Option<Value>,
}

impl Drift {
    /// Compares two sets of keys, and what lies under a key one level deeper. `name` spells a key as the
    /// configuration does.
    pub(in crate::source) fn between(
        was: &Map<String, Value>,
        is: &Map<String, Value>,
        name: &dyn Fn(&str) -> String,
    ) -> Vec<Self> {
        let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let mut drifts = Vec::new();
        for key in keys {
            match (was.get(key), is.get(key)) {
                (was, is) if was == is => {}
                (Some(Value::Object(was)), Some(Value::Object(is))) => {
                    let deeper = |inner: &str| name(&format!("{key}.{inner}"));
                    drifts.extend(Self::between(was, is, &deeper));
                }
                (was, is) => drifts.push(Self {
                    key: name(key),
                    was: was.cloned(),
                    is: is.cloned(),
                }),
            }
        }
        drifts
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| match value {
            Some(value) => value.to_string(),
            None => "absent".to_owned(),
        };
        let (was, is) = (shown(&self.was), shown(&self.is));
        write!(f, "{} was {was}, is {is}", self.key)
    }
}

/// All of them in one sentence.
pub(super) fn listed(drifts: &[Drift]) -> String {
    if drifts.is_empty() {
        return "by another version of pinferry".to_owned();
    }
    let drifts: Vec<String> = drifts.iter().map(Drift::to_string).collect();
    drifts.join("; ")
}
