//! Where what gives rights meets what takes them away.

use jiff::Timestamp;

/// Whether what was taken away at `taken` overtakes what was accepted at `given`: it was accepted before it, or at the
/// same minute. Counters note the minute, so that within one nobody knows the order.
#[must_use]
pub fn overtakes(taken: Timestamp, given: Timestamp) -> bool {
    minute(given) <= minute(taken)
}

fn minute(at: Timestamp) -> i64 {
    // Whole seconds would round towards 1970.
    at.as_millisecond().div_euclid(60_000)
}

#[cfg(test)]
mod tests {
    use super::overtakes;

    #[test]
    fn who_takes_away_wins_over_what_was_before_it_or_at_the_same_minute() {
        for (taken, given, wins) in [
            ("10:15:00", "10:14:59.999", true),
            ("10:15:00", "10:15:59.999", true),
            ("10:15:59.999", "10:15:00", true),
            ("10:15:59.999", "10:16:00", false),
        ] {
            for date in ["2013-11-04", "1950-11-04"] {
                let at = |hour| format!("{date}T{hour}Z").parse().expect("a time");
                assert_eq!(overtakes(at(taken), at(given)), wins, "{taken} {given}");
            }
        }
    }
}
