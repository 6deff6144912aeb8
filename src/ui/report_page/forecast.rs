//! How long a run will take, as the page shows it.

use super::language::{Language, Text};
use crate::{
    domain::forecast::{Against, Fits, Forecast, Seconds, Stage},
    ui::forecast::span,
};

/// Where the bars begin and how far the longest reaches, in the units of the picture.
const LEFT: f64 = 150.0;
const LONGEST: f64 = 380.0;
/// What is there is seen, however short it is.
const WIDTH_MIN: f64 = 3.0;

/// What is shown of a forecast.
pub(super) struct Expected {
    /// How the verdict looks.
    pub(super) class: &'static str,
    /// Whether the window holds the run, in a sentence.
    pub(super) verdict: String,
    /// Where that is known from.
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

impl Expected {
    pub(super) fn of(forecast: &Forecast, language: Language) -> Self {
        let text = |en, it| Text::new(en, it).in_(language);
        let longest = forecast.seconds.high.max(1.0);
        let stages = forecast.stages.iter();
        let mut bars: Vec<_> = stages
            .map(|(stage, seconds)| range(label(*stage).in_(language), seconds, longest, language))
            .collect();
        bars.push(range(
            text("in all", "in tutto"),
            &forecast.seconds,
            longest,
            language,
        ));
        let known = match (forecast.measured_runs, language) {
            (0, _) => text(
                "No run into such a target was measured yet: these are wide ranges, derived from the time that this dry \
                 run took to read and judge. A rehearsal into the same kind of target narrows them.",
                "Nessuna migrazione verso una destinazione come questa è stata ancora misurata: questi intervalli, ampi, \
                 derivano dal tempo che questa prova ha impiegato per leggere e giudicare. Una prova generale verso una \
                 destinazione dello stesso tipo li restringe.",
            )
            .to_owned(),
            (runs, Language::English) => format!("From the stages of earlier runs into this target ({runs})."),
            (runs, Language::Italian) => {
                format!("Dalle fasi delle migrazioni precedenti verso questa destinazione ({runs}).")
            }
        };
        Self {
            class: match forecast.fits {
                Fits::Yes => "ready",
                Fits::Maybe => "maybe",
                Fits::No => "",
            },
            verdict: verdict(forecast, language),
            known,
            bars,
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
