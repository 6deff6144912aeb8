//! How long a run will take, in words.

use crate::domain::{
    forecast::{Against, Fits, Forecast},
    span::span,
};

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
