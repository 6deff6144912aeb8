//! How long a run will take, or took, as the page shows it.

use std::collections::BTreeMap;

use super::language::{Language, Text};
use crate::domain::{
    forecast::{Against, Fits, Forecast, Seconds, Stage},
    span::span,
};

/// Where the bars begin and how far the longest reaches, in the units of the picture.
const LEFT: f64 = 150.0;
const LONGEST: f64 = 380.0;
/// What is there is seen, however short it is.
const WIDTH_MIN: f64 = 3.0;

/// Whether the window holds a run.
pub(super) struct Verdict {
    /// How it looks.
    pub(super) class: &'static str,
    /// In a sentence.
    pub(super) sentence: String,
}

/// The stages of a run.
pub(super) struct Duration {
    pub(super) title: &'static str,
    /// Where it is known from.
    pub(super) known: String,
    /// By stage, and in all.
    pub(super) bars: Vec<Range>,
}

/// A bar from the shortest to the longest time.
pub(super) struct Range {
    pub(super) label: &'static str,
    pub(super) from: u32,
    pub(super) width: u32,
    pub(super) likely: u32,
    pub(super) shown: String,
}

impl Verdict {
    /// Of a run that cannot be made as it is, nothing but the time.
    pub(super) fn of(forecast: &Forecast, ready: bool, language: Language) -> Self {
        if !ready {
            return Self {
                class: "time",
                sentence: time(forecast, language),
            };
        }
        Self {
            class: match forecast.fits {
                Fits::Yes => "ready",
                Fits::Maybe => "maybe",
                Fits::No => "",
            },
            sentence: verdict(forecast, language),
        }
    }
}

impl Duration {
    pub(super) fn expected(forecast: &Forecast, language: Language) -> Self {
        let longest = forecast.seconds.high.max(1.0);
        let bar =
            |label: Text, seconds: &Seconds| range(label.in_(language), seconds, longest, language);
        let stages = forecast.stages.iter();
        let stages = stages.map(|(stage, seconds)| bar(label(*stage), seconds));
        Self {
            title: Text::new("How long a run takes", "Quanto dura la migrazione").in_(language),
            known: known(forecast.measured_runs, language),
            bars: stages.chain([bar(IN_ALL, &forecast.seconds)]).collect(),
        }
    }

    /// Seconds that each stage took.
    pub(super) fn taken(took: &BTreeMap<Stage, f64>, language: Language) -> Self {
        let longest = took.values().copied().fold(1.0, f64::max);
        let bars = took.iter().map(|(stage, seconds)| {
            let exactly = Seconds {
                low: 0.0,
                likely: *seconds,
                high: *seconds,
            };
            Range {
                shown: span(*seconds),
                ..range(label(*stage).in_(language), &exactly, longest, language)
            }
        });
        Self {
            title: Text::new("How long the run took", "Quanto è durata la migrazione")
                .in_(language),
            known: Text::new(
                "The stages that one process did from begin to end.",
                "Le fasi svolte da un solo processo dall'inizio alla fine.",
            )
            .in_(language)
            .to_owned(),
            bars: bars.collect(),
        }
    }
}

const IN_ALL: Text = Text::new("in all", "in tutto");

fn known(runs: usize, language: Language) -> String {
    const DERIVED: Text = Text::new(
        "No run into such a target was measured yet: these are wide ranges, derived from the time that this dry run took to \
         read and judge. A rehearsal into the same kind of target narrows them.",
        "Nessuna migrazione verso una destinazione come questa è stata ancora misurata: questi intervalli, ampi, derivano \
         dal tempo che questa prova ha impiegato per leggere e giudicare. Una prova generale verso una destinazione dello \
         stesso tipo li restringe.",
    );
    match (runs, language) {
        (0, _) => DERIVED.in_(language).to_owned(),
        (runs, Language::English) => {
            format!("From the stages of earlier runs into this target ({runs}).")
        }
        (runs, Language::Italian) => {
            format!("Dalle fasi delle migrazioni precedenti verso questa destinazione ({runs}).")
        }
    }
}

fn verdict(forecast: &Forecast, language: Language) -> String {
    let [likely, low, high] = {
        let Seconds { low, likely, high } = forecast.seconds;
        [likely, low, high].map(span)
    };
    let window = span(forecast.window_seconds as f64);
    match language {
        Language::English => {
            let window = match forecast.against {
                Against::Window => format!("the {window} of the window"),
                Against::Expected => format!("the {window} the lock is expected to last"),
            };
            let fits = match forecast.fits {
                Fits::Yes => format!("Go: {window} hold it"),
                Fits::Maybe => format!("Perhaps: it may take longer than {window}"),
                Fits::No => format!("No go: {window} do not hold it"),
            };
            format!("{fits}. A run takes about {likely} ({low} to {high}).")
        }
        Language::Italian => {
            let window = match forecast.against {
                Against::Window => format!("{window} della finestra"),
                Against::Expected => format!("{window} di blocco previsto"),
            };
            let fits = match forecast.fits {
                Fits::Yes => format!("Si può: ci sta in {window}"),
                Fits::Maybe => format!("Forse: potrebbe durare più di {window}"),
                Fits::No => format!("Non si può: non ci sta in {window}"),
            };
            format!("{fits}. La migrazione dura circa {likely} (da {low} a {high}).")
        }
    }
}

/// How long a run would take, with no word on whether it can be made.
fn time(forecast: &Forecast, language: Language) -> String {
    let Seconds { low, likely, high } = forecast.seconds;
    let [likely, low, high] = [likely, low, high].map(span);
    let window = span(forecast.window_seconds as f64);
    match language {
        Language::English => {
            let window = match forecast.against {
                Against::Window => format!("the window lasts {window}"),
                Against::Expected => format!("the lock is expected to last {window}"),
            };
            format!("A run would take about {likely} ({low} to {high}); {window}.")
        }
        Language::Italian => {
            let window = match forecast.against {
                Against::Window => format!("la finestra dura {window}"),
                Against::Expected => format!("il blocco previsto dura {window}"),
            };
            format!("La migrazione durerebbe circa {likely} (da {low} a {high}); {window}.")
        }
    }
}

fn range(label: &'static str, seconds: &Seconds, longest: f64, language: Language) -> Range {
    let [low, likely, high] = [seconds.low, seconds.likely, seconds.high];
    let place = |seconds: f64| LEFT + seconds / longest * LONGEST;
    let (from, to) = match language {
        Language::English => ("", "to"),
        Language::Italian => ("da ", "a"),
    };
    Range {
        label,
        from: place(low) as u32,
        width: (place(high) - place(low)).max(WIDTH_MIN) as u32,
        likely: place(likely) as u32,
        shown: format!("{} ({from}{} {to} {})", span(likely), span(low), span(high)),
    }
}

const fn label(stage: Stage) -> Text {
    match stage {
        Stage::Lock => Text::new("lock", "blocco"),
        Stage::Read => Text::new("read and sort", "lettura e ordinamento"),
        Stage::Load => Text::new("judge and load", "giudizio e carico"),
        Stage::Index => Text::new("indexes and keys", "indici e chiavi"),
        Stage::Verify => Text::new("verification", "verifica"),
        Stage::CutOver => Text::new("cut-over and seal", "passaggio e sigillo"),
    }
}
