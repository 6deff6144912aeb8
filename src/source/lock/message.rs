//! What the application's users read when the lock refuses something.

use jiff::{Timestamp, tz::TimeZone};

use super::{LockError, Place, control::Control};

/// What every refusal of an engaged lock begins with.
pub(in crate::source) const LOCKED: &str = "PIN management is locked";

/// The words of one lock.
pub(in crate::source) struct Messages {
    reason: String,
    expected_end: String,
    successor: String,
}

impl Messages {
    pub(in crate::source) fn of(place: &Place, control: &Control) -> Self {
        Self {
            reason: control.reason.clone(),
            expected_end: local(&control.expected_end, &place.source.time_zone),
            successor: control.successor.clone(),
        }
    }

    /// An engaged lock refuses something.
    pub(in crate::source) fn locked(&self, what: &str) -> String {
        format!(
            "{LOCKED}: {what}. Reason: {}. Expected end: {}.",
            self.reason, self.expected_end
        )
    }

    /// A sealed legacy refuses everything.
    pub(in crate::source) fn sealed(&self) -> String {
        format!(
            "This PIN database is closed, nothing can be written: its PINs have moved to {}.",
            self.successor
        )
    }
}

/// A reason or a name, trimmed, if it can stand in a message.
pub(in crate::source) fn worded<'w>(
    what: &'static str,
    text: &'w str,
) -> Result<&'w str, LockError> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= 200;
    if fits && !text.chars().any(char::is_control) {
        Ok(text)
    } else {
        Err(LockError::Wording { what })
    }
}

/// The time on the office's wall clock.
fn local(utc: &str, zone: &str) -> String {
    let shown = utc.parse::<Timestamp>().ok().and_then(|time| {
        let zoned = time.to_zoned(TimeZone::get(zone).ok()?);
        Some(format!("{} ({zone})", zoned.strftime("%Y-%m-%d %H:%M")))
    });
    shown.unwrap_or_else(|| utc.to_owned())
}
