//! How long a run will take, in words.

use crate::domain::forecast::{Against, Fits, Forecast};

/// The forecast in a sentence.
#[must_use]
pub fn sentence(forecast: &Forecast) -> String {
    let seconds = &forecast.seconds;
    let taken = format!(
        "a run takes about {} ({} to {})",
        span(seconds.likely),
        span(seconds.low),
        span(seconds.high)
    );
    let known = match forecast.measured_runs {
        0 => "derived from this dry run alone, for no run into such a target was measured yet"
            .to_owned(),
        1 => "as an earlier run into this target tells".to_owned(),
        runs => format!("as {runs} earlier runs into this target tell"),
    };
    let window = span(forecast.window_seconds as f64);
    let window = match forecast.against {
        Against::Window => format!("the {window} of the window"),
        Against::Expected => format!("the {window} of lock.expected"),
    };
    let fits = match forecast.fits {
        Fits::Yes => format!("fits into {window}"),
        Fits::Maybe => format!("may take longer than {window}"),
        Fits::No => format!("does not fit into {window}"),
    };
    format!("forecast: {taken}, {known}; it {fits}")
}

/// `41 s`, `12 min 05 s`, `2 h 05 min`.
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
