//! Whom to tell what, office by office: as many rows as there are people, never all of them at once.

mod sql;

use std::ops::ControlFlow;

use jiff::Timestamp;
use serde_json::json;

use super::Reader;
use crate::{
    domain::{
        activation::{
            kind::Kind,
            receipt::Half,
            refusal::{Failure, Refusal, RequestMistake},
            waiting::WhyNotYet,
        },
        folding,
        notice::{Addressee, Awaited, Event, Notice, Sort, Staying, Undelivered, WhyNot},
        quarantine::Reason,
        status::{GrantStatus, PinStatus},
    },
    store::{
        StoreError,
        database::{Columns, Row, damaged, values},
    },
};

const ACTION: &str = "find whom to tell";

/// Which notices are asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Events from then on; all where it is not said.
    pub since: Option<Timestamp>,
    /// Of these offices, the empty text for those without; of all where there is none.
    pub offices: Vec<String>,
}

impl Reader {
    /// Begins a snapshot, which ends with the reader: what follows is all of one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub fn hold_still(&self) -> Result<(), StoreError> {
        self.database.begin_to_read()
    }

    /// Gives every notice, office by office and within an office sort by sort, people in the order of their names.
    ///
    /// # Errors
    /// When the database fails or holds what this program does not understand.
    pub fn each_notice(
        &self,
        asked: &Asked,
        mut each: impl FnMut(Notice) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let since = asked.since.unwrap_or(Timestamp::UNIX_EPOCH);
        let (last_request, last_receipt) = match asked.since {
            Some(since) => (
                self.last_before(since, "last_request")?,
                self.last_before(since, "last_receipt")?,
            ),
            None => (0, 0),
        };
        let offices = asked.offices.iter().map(|code| json!({ "code": code }));
        let offices = serde_json::Value::from_iter(offices).to_string();
        let offices = Some(offices).filter(|_| !asked.offices.is_empty());
        self.database.each_row(
            ACTION,
            &sql::query(&self.database),
            values![since, last_request, &offices, last_receipt],
            &mut |row| Ok(each(notice(row)?)),
        )
    }

    /// The number of the last request, or receipt, of those that were taken in before `since`, as the audit log has it.
    /// A file that came late holds some whose hour at the counter was before; nobody was told of them.
    fn last_before(&self, since: Timestamp, which: &str) -> Result<i64, StoreError> {
        let last = self.database.json_text("detail", which);
        let sql = format!(
            "SELECT coalesce(max(CAST({last} AS BIGINT)), 0) FROM audit_event
             WHERE action = 'intake' AND at < ?1"
        );
        self.database.value(ACTION, &sql, values![since])
    }
}

/// Who it is about: as the request says, and as the model does.
struct Persons {
    known: Option<Addressee>,
    asked: Option<Addressee>,
}

impl Persons {
    /// The request's name and contacts, and what it leaves open from the model, where it means the same person there:
    /// a code that was written wrong may be somebody else's.
    fn settled(self) -> Result<Addressee, StoreError> {
        match (self.known, self.asked) {
            (Some(known), None) => Ok(known),
            (None, Some(asked)) => Ok(asked),
            (Some(known), Some(asked)) if is_same(&known, &asked) => Ok(Addressee {
                email: known.email.or(asked.email),
                phone: known.phone.or(asked.phone),
                ..known
            }),
            (Some(_), Some(asked)) => Ok(asked),
            (None, None) => Err(damaged("a notice about nobody")),
        }
    }
}

/// Who takes rights away need not say a name.
fn is_same(known: &Addressee, asked: &Addressee) -> bool {
    let given = |person: &Addressee| person.given_name.clone().unwrap_or_default();
    asked.surname.is_empty()
        || folding::same(&known.surname, &asked.surname)
            && folding::same(&given(known), &given(asked))
}

fn notice(row: &Row) -> Result<Notice, StoreError> {
    let mut columns = row.columns();
    let office = columns.next()?;
    let sort = sort(columns.next()?)?;
    let known = addressee(&mut || columns.next())?;
    let asked = addressee(&mut || columns.next())?;
    let (profile, entity) = (columns.next()?, columns.next()?);
    let at = columns.next()?;
    let name = columns.next()?;
    let request = Request {
        kind: columns.next()?,
        state: columns.next()?,
        reason: columns.next()?,
        not_before: columns.next()?,
        halves_delivered: columns.next()?,
    };
    let (half, outcome): (Option<String>, Option<String>) = (columns.next()?, columns.next()?);
    let last_used_on = columns.next()?;
    let staying = staying(&mut columns)?;
    let profile_now = profile_now(columns.next()?)?;
    let there = || damaged("a notice without the PIN that stays");
    let event = match sort {
        Sort::PinRetired => Event::PinRetired {
            last_used_on,
            staying: staying.ok_or_else(there)?,
            profile: profile_now,
        },
        Sort::PinActive => Event::PinActive(match request.kind {
            Some(_) => Some(request.kind()?),
            None => None,
        }),
        Sort::PinSuspended => Event::PinSuspended,
        Sort::ProfileActive => Event::ProfileActive(staying.ok_or_else(there)?.status),
        Sort::NotDone => Event::NotDone(request.kind()?, request.why_not()?),
        Sort::Waiting => Event::Waiting {
            kind: request.kind()?,
            awaited: request.awaited(known.as_ref())?,
        },
        Sort::HalfBack => half_back(half.as_deref(), outcome.as_deref(), staying)?,
        Sort::TakenAway => Event::TakenAway {
            kind: request.kind()?,
            in_use: staying.map(|pin| pin.name),
        },
    };
    Ok(Notice {
        office,
        addressee: Persons { known, asked }.settled()?,
        profile,
        entity,
        at,
        name,
        event,
    })
}

fn staying(columns: &mut Columns<'_>) -> Result<Option<Staying>, StoreError> {
    let name: Option<String> = columns.next()?;
    let (office, channel): (Option<String>, Option<String>) = (columns.next()?, columns.next()?);
    let last_used_on = columns.next()?;
    name.map(|name| {
        Ok(Staying {
            name,
            office: office.unwrap_or_default(),
            channel: channel.unwrap_or_default(),
            last_used_on,
            status: columns.word(PinStatus::by_name)?,
        })
    })
    .transpose()
}

fn profile_now(status: Option<String>) -> Result<Option<GrantStatus>, StoreError> {
    let known = |status: String| {
        let known = GrantStatus::by_name(&status);
        known.ok_or_else(|| damaged(&format!("the status of a profile `{status}`")))
    };
    status.map(known).transpose()
}

fn half_back(
    half: Option<&str>,
    outcome: Option<&str>,
    staying: Option<Staying>,
) -> Result<Event, StoreError> {
    let half = half.and_then(Half::by_name);
    let outcome = outcome.and_then(Undelivered::by_name);
    let both = half.zip(outcome);
    let (half, why) = both.ok_or_else(|| damaged("a half that came back from nowhere"))?;
    Ok(Event::HalfBack {
        half,
        why,
        opens_with: staying.map(|pin| pin.name),
    })
}

fn sort(number: i64) -> Result<Sort, StoreError> {
    let mut sorts = Sort::ALL.iter().copied();
    let found = sorts.find(|sort| *sort as i64 == number);
    found.ok_or_else(|| damaged("a sort of notice that there is not"))
}

/// The next five columns, where the first holds a code.
fn addressee(
    next: &mut impl FnMut() -> Result<Option<String>, StoreError>,
) -> Result<Option<Addressee>, StoreError> {
    let (code, surname, given_name) = (next()?, next()?, next()?);
    let (email, phone) = (next()?, next()?);
    Ok(code.map(|fiscal_code| Addressee {
        fiscal_code,
        surname: surname.unwrap_or_default(),
        given_name,
        email,
        phone,
    }))
}

/// What a notice about a request says of it.
struct Request {
    kind: Option<String>,
    state: Option<String>,
    reason: Option<String>,
    not_before: Option<Timestamp>,
    halves_delivered: Option<u8>,
}

impl Request {
    fn kind(&self) -> Result<Kind, StoreError> {
        let word = self.kind.as_deref().unwrap_or_default();
        Kind::by_name(word).ok_or_else(|| damaged(&format!("the kind of request `{word}`")))
    }

    /// Nobody may have the code of what takes rights away; a drain that met it said so.
    fn awaited(&self, known: Option<&Addressee>) -> Result<Awaited, StoreError> {
        if known.is_none() && self.reason.as_deref() == Some(Failure::HolderUnknown.as_str()) {
            return Ok(Awaited::Holder);
        }
        if self.reason.as_deref() == Some(WhyNotYet::EarlierRequest.as_str()) {
            return Ok(Awaited::EarlierRequest);
        }
        let not_before = self.not_before;
        Ok(Awaited::Hour {
            not_before: not_before.ok_or_else(|| damaged("a request that waits for no time"))?,
            halves_delivered: self.halves_delivered.unwrap_or_default(),
        })
    }

    /// The word that a reason begins with says it; what follows is for the office.
    fn why_not(&self) -> Result<WhyNot, StoreError> {
        let reason = self.reason.as_deref().unwrap_or_default();
        let word = reason.split(':').next().unwrap_or_default();
        let why = match self.state.as_deref() {
            Some("refused") => refusal(word).map(WhyNot::Refused),
            Some("failed") => Failure::by_name(word).map(WhyNot::Failed),
            Some("superseded") => {
                let later = reason.strip_prefix("by ");
                later.map(|later| WhyNot::Superseded(later.to_owned()))
            }
            Some(_) | None => None,
        };
        why.ok_or_else(|| damaged(&format!("the reason `{word}` of a request without effect")))
    }
}

fn refusal(word: &str) -> Option<Refusal> {
    let of_record = Reason::by_name(word).map(Refusal::Record);
    of_record.or_else(|| RequestMistake::by_name(word).map(Refusal::Request))
}
