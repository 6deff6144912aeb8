//! What to tell people, in Italian.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Awaited, Event, Notice, Sort, Staying, Undelivered, WhyNot, failure, reason};
use crate::domain::{
    activation::{kind::Kind, receipt::Half},
    status::{GrantStatus, PinStatus},
};

/// Why, and what to bring next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words(pub(super) &'static str, pub(super) &'static str);

/// What to tell of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// What happened, in a sentence or some.
    pub what: String,
    /// What to bring next time; empty where nothing is asked for again.
    pub bring: String,
}

/// When it is told, and in which zone.
#[derive(Clone, Debug)]
pub struct Told {
    /// Now.
    pub now: Timestamp,
    /// The zone the offices live in.
    pub zone: TimeZone,
    /// What holds requests up.
    pub maintenance: Maintenance,
}

/// What of the requests waits until work on the target is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maintenance {
    /// Nothing does.
    Over,
    /// A later source is merged, and only what takes away takes effect.
    Merging,
    /// Everything: nothing was cut over yet, or a run that was is not finished.
    UnderWay,
}

impl Maintenance {
    const fn holds(self, kind: Kind) -> bool {
        match self {
            Self::Over => false,
            Self::Merging => !kind.takes_away(),
            Self::UnderWay => true,
        }
    }
}

const MONTHS: [&str; 12] = [
    "gennaio",
    "febbraio",
    "marzo",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "agosto",
    "settembre",
    "ottobre",
    "novembre",
    "dicembre",
];

/// A date as people write it: `4 novembre 2013`, `1º novembre 2013`.
#[must_use]
pub fn day(date: Date) -> String {
    let ordinal = if date.day() == 1 { "º" } else { "" };
    let month = MONTHS
        .iter()
        .zip(1..)
        .find(|(_, number)| *number == date.month());
    let month = month.map_or("", |(name, _)| name);
    format!("{}{ordinal} {month} {}", date.day(), date.year())
}

impl Told {
    /// A moment as people write it: `4 novembre 2013, ore 10:15`.
    #[must_use]
    pub fn moment(&self, at: Timestamp) -> String {
        let local = self.zone.to_datetime(at);
        let (hour, minute) = (local.hour(), local.minute());
        format!("{}, ore {hour}:{minute:02}", day(local.date()))
    }

    /// A moment as programs write it, in the offices' zone: `2013-11-04T10:15`.
    #[must_use]
    pub fn iso(&self, at: Timestamp) -> String {
        let local = self.zone.to_datetime(at);
        local.strftime("%Y-%m-%dT%H:%M").to_string()
    }

    /// What to tell of a notice.
    #[must_use]
    pub fn saying(&self, notice: &Notice) -> Saying {
        let what = |what: String| Saying {
            what,
            bring: String::new(),
        };
        match &notice.event {
            Event::PinRetired {
                last_used_on,
                staying,
                profile,
            } => what(retired(notice, *last_used_on, staying, *profile)),
            Event::PinActive(Some(Kind::Replacement)) => {
                what("Il nuovo PIN è attivo e prende il posto di quello che aveva.".to_owned())
            }
            Event::PinActive(_) => what("Il PIN è attivo e si può usare.".to_owned()),
            Event::PinSuspended => what(
                "Il nuovo PIN prende il posto di quello che aveva, ed è sospeso come quello: non si può usare."
                    .to_owned(),
            ),
            Event::ProfileActive(pin) => what(profile_active(*pin).to_owned()),
            Event::NotDone(kind, why) => not_done(*kind, why),
            Event::Waiting { kind, awaited } => what(match awaited {
                Awaited::Holder => format!(
                    "{} vale, ma nessuno è ancora registrato con questo codice fiscale: avrà effetto non appena \
                     qualcuno lo sarà.",
                    request(*kind)
                ),
                Awaited::EarlierRequest => format!(
                    "{} avrà effetto quando sarà attivo il PIN chiesto prima.",
                    request(*kind)
                ),
                Awaited::Hour {
                    not_before,
                    halves_delivered,
                } => self.waiting(*kind, *not_before, *halves_delivered),
            }),
            Event::HalfBack {
                half,
                why,
                opens_with,
            } => half_back(*half, *why, opens_with.as_deref()),
            Event::TakenAway { kind, in_use } => {
                what(taken_away(*kind, &notice.profile, in_use.as_deref()))
            }
        }
    }

    fn waiting(&self, kind: Kind, not_before: Timestamp, halves_delivered: u8) -> String {
        let thing = request(kind);
        let missing = match halves_delivered {
            0 if kind.brings_pin() => Some("saranno consegnate entrambe le parti del PIN"),
            1 if kind.brings_pin() => Some("sarà consegnata la parte del PIN che manca"),
            _ => None,
        };
        let works = (self.maintenance.holds(kind)).then_some("sarà finita la manutenzione");
        let missing: Vec<_> = missing.into_iter().chain(works).collect();
        let missing = missing.join(" e ");
        let day = (not_before > self.now).then(|| self.moment(not_before));
        match (day, missing.as_str()) {
            (Some(day), "") => format!("{thing} avrà effetto dal {day}."),
            (Some(day), missing) => {
                format!("{thing} avrà effetto dal {day}, se per allora {missing}.")
            }
            (None, "") => format!("{thing} avrà effetto alla prossima attivazione."),
            (None, missing) => format!("{thing} avrà effetto non appena {missing}."),
        }
    }
}

/// What a request asked for, with its article.
const fn request(kind: Kind) -> &'static str {
    match kind {
        Kind::NewPin => "La richiesta di un PIN",
        Kind::FurtherProfile => "La richiesta di un ulteriore profilo",
        Kind::Replacement => "La richiesta di sostituire il PIN",
        Kind::Revocation => "La richiesta di revoca",
        Kind::Suspension => "La richiesta di sospensione",
    }
}

fn retired(
    notice: &Notice,
    last_used_on: Option<Date>,
    staying: &Staying,
    profile: Option<GrantStatus>,
) -> String {
    let used = |date: Option<Date>| match date {
        Some(date) => format!("usato l'ultima volta il {}", day(date)),
        None => "mai usato, per quanto risulta".to_owned(),
    };
    let mut text = format!(
        "Il PIN {} ({}) non vale più. Resta il PIN {} ({}",
        notice.name,
        used(last_used_on),
        staying.name,
        used(staying.last_used_on)
    );
    if !staying.channel.is_empty() {
        text += &format!(", canale {}", staying.channel);
    }
    text += ")";
    text += match staying.status {
        PinStatus::Active => opens(profile),
        PinStatus::Suspended => ", che però è sospeso.",
        PinStatus::Pending => ", che vale solo quando ne saranno consegnate entrambe le parti.",
        PinStatus::Retired | PinStatus::Revoked | PinStatus::Ceased => {
            ", che però nel frattempo non è più in uso."
        }
    };
    if staying.office != notice.office {
        text += &match staying.office.as_str() {
            "" => " Il PIN che resta non ha una sede.".to_owned(),
            office => format!(" Il PIN che resta è di un'altra sede: {office}."),
        };
    }
    text
}

/// What the PIN that stays opens, by what became of the profile of the other one.
const fn opens(profile: Option<GrantStatus>) -> &'static str {
    match profile {
        Some(GrantStatus::Active) | None => ": da ora si usa quello, per tutti i profili.",
        Some(GrantStatus::Suspended) => {
            ": da ora si usa quello, ma il profilo del PIN di prima è sospeso."
        }
        Some(GrantStatus::Pending) => {
            ": da ora si usa quello, anche per il profilo del PIN di prima non appena di quello saranno consegnate \
             entrambe le parti."
        }
        Some(GrantStatus::Ended) => {
            ": da ora si usa quello, ma il profilo del PIN di prima non vale più."
        }
    }
}

fn not_done(kind: Kind, why: &WhyNot) -> Saying {
    let thing = request(kind);
    let (what, bring) = match why {
        WhyNot::Refused(refusal) => {
            let Words(why, bring) = reason::words(*refusal);
            (format!("{thing} non è stata accolta: {why}."), bring)
        }
        WhyNot::Failed(failure) => {
            let Words(why, bring) = failure::words(*failure);
            (format!("{thing} non ha avuto effetto: {why}."), bring)
        }
        WhyNot::Superseded(by) => (
            format!("{thing} è sostituita da una presentata dopo ({by}), che vale al suo posto."),
            "",
        ),
    };
    Saying {
        what,
        bring: bring.to_owned(),
    }
}

fn half_back(half: Half, why: Undelivered, opens_with: Option<&str>) -> Saying {
    let half = match half {
        Half::First => "La prima parte del PIN",
        Half::Second => "La seconda parte del PIN",
    };
    let why = match why {
        Undelivered::Refused => "è stata rifiutata alla consegna",
        Undelivered::Returned => "è tornata indietro perché non si è potuta consegnare",
    };
    let until = match opens_with {
        None => "il PIN non si può usare.".to_owned(),
        Some(pin) => format!("il profilo non si può usare; poi si usa con il PIN {pin}."),
    };
    Saying {
        what: format!("{half} {why}. Finché non è consegnata {until}"),
        bring: "un documento d'identità, e il recapito giusto".to_owned(),
    }
}

const fn profile_active(pin: PinStatus) -> &'static str {
    match pin {
        PinStatus::Active => "Il profilo è attivo: si usa con il PIN che ha già.",
        PinStatus::Pending => {
            "Il profilo è attivo: si usa con il PIN, non appena ne saranno consegnate entrambe le parti."
        }
        PinStatus::Suspended => {
            "Il profilo è attivo, ma il PIN è sospeso: per ora non si può usare."
        }
        PinStatus::Retired | PinStatus::Revoked | PinStatus::Ceased => {
            "Il profilo è attivo, ma non c'è più un PIN con cui usarlo."
        }
    }
}

fn taken_away(kind: Kind, profile: &str, in_use: Option<&str>) -> String {
    let thing = if profile.is_empty() {
        "Il PIN"
    } else {
        "Il profilo"
    };
    let how = match kind {
        Kind::Revocation => "è stato revocato, come chiesto allo sportello",
        Kind::Suspension => "è stato sospeso, come chiesto allo sportello",
        Kind::NewPin | Kind::FurtherProfile | Kind::Replacement => "è cambiato",
    };
    match in_use {
        None => format!("{thing} {how}."),
        Some(pin) if profile.is_empty() => {
            format!("{thing} {how}. Quello chiesto dopo vale: {pin}.")
        }
        Some(pin) => format!("{thing} {how}. Chiesto di nuovo dopo, vale con il PIN {pin}."),
    }
}

impl Sort {
    /// The heading of its table.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::PinRetired => "PIN che non valgono più",
            Self::PinActive => "PIN attivi",
            Self::PinSuspended => "PIN sospesi",
            Self::ProfileActive => "Profili attivi",
            Self::NotDone => "Richieste senza effetto",
            Self::Waiting => "Richieste in attesa",
            Self::HalfBack => "Parti del PIN non consegnate",
            Self::TakenAway => "Revoche e sospensioni",
        }
    }

    /// What its table is about, in a sentence.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::PinRetired => {
                "Con il passaggio al nuovo sistema ogni persona ha un solo PIN per tutti i suoi profili: \
                 queste persone ne avevano, o ne hanno chiesto, più d'uno e d'ora in poi usano quello che resta."
            }
            Self::PinActive => "Queste persone da ora possono usare il PIN che aspettavano.",
            Self::PinSuspended => {
                "Il PIN che queste persone hanno avuto al posto di uno sospeso è sospeso come quello."
            }
            Self::ProfileActive => {
                "Queste persone hanno da ora, con il PIN che hanno, un profilo in più."
            }
            Self::NotDone => {
                "Queste richieste non sono state accolte o non hanno avuto effetto: \
                 le persone vanno avvisate del motivo e di che cosa portare la prossima volta."
            }
            Self::Waiting => {
                "Queste richieste sono state accolte e non hanno ancora effetto: \
                 le persone vanno avvisate del giorno e di ciò che manca."
            }
            Self::HalfBack => {
                "Una parte del PIN di queste persone non è arrivata: vanno avvisate di ritirarla."
            }
            Self::TakenAway => {
                "Il PIN o il profilo di queste persone è stato revocato o sospeso allo sportello."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{civil::date, tz::TimeZone};

    use super::*;

    #[test]
    fn days_are_written_as_people_write_them() {
        for (day, text) in [
            (date(2013, 11, 4), "4 novembre 2013"),
            (date(2014, 1, 1), "1º gennaio 2014"),
            (date(2024, 12, 31), "31 dicembre 2024"),
        ] {
            assert_eq!(super::day(day), text);
        }
    }

    #[test]
    fn a_request_that_waits_says_from_when_and_for_what() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let told = |maintenance| Told {
            now: at("2013-11-05T12:00:00Z"),
            zone: TimeZone::get("Europe/Rome").expect("a zone"),
            maintenance,
        };
        let (past, future) = (at("2013-11-04T23:00:00Z"), at("2013-11-06T07:30:00Z"));
        let (over, under_way) = (Maintenance::Over, Maintenance::UnderWay);
        for (maintenance, kind, not_before, halves, text) in [
            (
                over,
                Kind::NewPin,
                past,
                2,
                "La richiesta di un PIN avrà effetto alla prossima attivazione.",
            ),
            (
                over,
                Kind::NewPin,
                past,
                0,
                "La richiesta di un PIN avrà effetto non appena saranno consegnate entrambe le parti del PIN.",
            ),
            (
                over,
                Kind::Replacement,
                future,
                1,
                "La richiesta di sostituire il PIN avrà effetto dal 6 novembre 2013, ore 8:30, se per allora sarà \
                 consegnata la parte del PIN che manca.",
            ),
            (
                Maintenance::Merging,
                Kind::Revocation,
                past,
                2,
                "La richiesta di revoca avrà effetto alla prossima attivazione.",
            ),
            (
                Maintenance::Merging,
                Kind::FurtherProfile,
                future,
                0,
                "La richiesta di un ulteriore profilo avrà effetto dal 6 novembre 2013, ore 8:30, se per allora sarà \
                 finita la manutenzione.",
            ),
            (
                under_way,
                Kind::Revocation,
                past,
                2,
                "La richiesta di revoca avrà effetto non appena sarà finita la manutenzione.",
            ),
            (
                under_way,
                Kind::NewPin,
                past,
                1,
                "La richiesta di un PIN avrà effetto non appena sarà consegnata la parte del PIN che manca e sarà \
                 finita la manutenzione.",
            ),
        ] {
            let said = told(maintenance).waiting(kind, not_before, halves);
            assert_eq!(said, text);
        }
    }
}
