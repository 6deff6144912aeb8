//! A span of time as people read it.

/// `41 s`, `12 min 05 s`, `2 h 05 min`: in English and in Italian alike.
#[must_use]
pub fn span(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {:02} s", seconds % 60),
        _long => format!("{hours} h {:02} min", minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn times_are_told_in_two_units_at_most() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (59.4, "59 s"),
            (59.6, "1 min 00 s"),
            (725.0, "12 min 05 s"),
            (14_400.0, "4 h 00 min"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
