//! Moments in date columns: a timestamp that carries a zone is a date only somewhere.

use jiff::{Timestamp, tz::TimeZone};

use crate::domain::field::Field;

/// Where a source's timestamps with a zone are read.
#[derive(Clone, Debug)]
pub(super) struct Zone(TimeZone);

/// What a text in a date column stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// Itself.
    AsItIs,
    /// No date: `infinity`.
    Never,
    /// This local date and time.
    Local(String),
}

impl Zone {
    /// The zone of this IANA name, which the configuration has checked.
    pub(super) fn named(name: &str) -> Self {
        Self(TimeZone::get(name).expect("the configuration names a zone that exists"))
    }

    /// What a text of this field stands for.
    pub(super) fn moment(&self, field: Field, text: &str) -> Moment {
        if !is_date(field) {
            return Moment::AsItIs;
        }
        let trimmed = text.trim();
        if trimmed.len() == 10 || trimmed.is_empty() {
            return Moment::AsItIs;
        }
        if ["infinity", "-infinity"].contains(&trimmed) {
            return Moment::Never;
        }
        // A text without an offset is no timestamp, and stays what it is.
        match trimmed.parse::<Timestamp>() {
            Ok(at) => Moment::Local(self.local(at)),
            Err(_) => Moment::AsItIs,
        }
    }

    /// The local date and time at an instant.
    pub(super) fn local(&self, at: Timestamp) -> String {
        self.0.to_datetime(at).to_string()
    }
}

fn is_date(field: Field) -> bool {
    matches!(
        field,
        Field::BirthDate | Field::IssuedOn | Field::ExpiresOn | Field::LastUsedOn
    )
}

#[cfg(test)]
mod tests {
    use super::{Moment, Zone};
    use crate::domain::field::Field;

    #[test]
    fn a_timestamp_with_a_zone_is_a_date_in_the_zone_of_its_source() {
        let rome = Zone::named("Europe/Rome");
        let local = |text: &str| Moment::Local(text.to_owned());
        for (text, expected) in [
            ("2013-01-01T23:30:00Z", local("2013-01-02T00:30:00")),
            ("2013-07-01 22:30:00+00:00", local("2013-07-02T00:30:00")),
            (" 2013-01-01T23:30:00+01:00 ", local("2013-01-01T23:30:00")),
            ("2013-01-01T23:30:00", Moment::AsItIs),
            ("2013-01-01", Moment::AsItIs),
            ("yesterday", Moment::AsItIs),
            ("infinity", Moment::Never),
            ("-infinity", Moment::Never),
            ("", Moment::AsItIs),
        ] {
            assert_eq!(rome.moment(Field::LastUsedOn, text), expected, "{text}");
        }
        assert_eq!(rome.moment(Field::Office, "infinity"), Moment::AsItIs);
    }
}
