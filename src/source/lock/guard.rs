//! Comparing the guards that are there with those that should be.

use super::Guards;

/// One trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct Guard {
    pub(in crate::source) name: String,
    /// What it is, in a spelling that is equal where that is.
    pub(in crate::source) definition: String,
}

/// Compares what is there with what should be.
pub(in crate::source) fn compare(expected: &[Guard], present: &[Guard]) -> Guards {
    if present.is_empty() {
        return if expected.is_empty() {
            Guards::Absent
        } else {
            Guards::Damaged(vec!["every guard is missing".to_owned()])
        };
    }
    let mut damage = Vec::new();
    for wanted in expected {
        match present.iter().find(|found| found.name == wanted.name) {
            None => damage.push(format!("{:?} is missing", wanted.name)),
            Some(found) if found.definition != wanted.definition => {
                damage.push(format!("{:?} was altered", wanted.name));
            }
            Some(_) => {}
        }
    }
    for found in present {
        if !expected.iter().any(|wanted| wanted.name == found.name) {
            damage.push(format!("{:?} is none of this lock", found.name));
        }
    }
    if damage.is_empty() {
        Guards::Present
    } else {
        Guards::Damaged(damage)
    }
}
