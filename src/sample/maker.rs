//! Works out any record from its number.

use super::{
    SampleFormat, SampleOptions,
    code::{Code, put_digits},
    draft::Draft,
    flaw::{self, Flaw, Holder, Others},
    noise::Dice,
    person::{Kind, Person, Registry},
    record,
};
use crate::domain::field::Field;

/// Numbers of people who hold no record but a flawed one of their own.
const STRANGERS: u64 = 1 << 40;
/// Numbers of people whose code was replaced or discarded.
const LINKED: u64 = 1 << 41;
const LINKS_MAX: u64 = 10_000;
const ID_DIGITS: usize = 8;

/// Knows everything about the sample and holds none of it.
pub(super) struct Maker {
    options: SampleOptions,
    registry: Registry,
}

impl Maker {
    pub(super) fn new(options: &SampleOptions) -> Self {
        Self {
            options: *options,
            registry: Registry::new(options.seed),
        }
    }

    /// How many codes were replaced or discarded.
    pub(super) fn links(&self) -> u64 {
        if self.options.dirty > 0.0 {
            (self.options.records / 2_000).clamp(2, LINKS_MAX)
        } else {
            0
        }
    }

    /// An old code and what replaced it, if anything did.
    pub(super) fn link(&self, link: u64) -> (Code, Option<Code>) {
        let holder = self.registry.person(Kind::Adult, LINKED + link);
        if link.is_multiple_of(2) {
            let before = self.registry.born_earlier(&holder, 1);
            (before.code, Some(holder.code))
        } else {
            (holder.code, None)
        }
    }

    /// The source a record is in. Records that stand side by side share theirs, so that copies do.
    pub(super) fn source_of(&self, record: u64) -> u16 {
        let mut dice = Dice::new(self.options.seed, 6, record / 2);
        dice.below(usize::from(self.options.sources.get())) as u16
    }

    /// Writes the record with this number.
    pub(super) fn write(&self, record: u64, draft: &mut Draft) {
        draft.clear();
        let flaw = self.flaw_of(record);
        match flaw {
            Some(Flaw::IdenticalCopy) => return self.write(record - 1, draft),
            Some(Flaw::DifferingCopy) => {
                self.write(record - 1, draft);
                draft.set(Field::Office, "another");
                return;
            }
            Some(_) | None => {}
        }
        let mut dice = Dice::new(self.options.seed, 7, record);
        let id = draft.cell(Field::LegacyId);
        id.resize(ID_DIGITS, 0);
        put_digits(id, record + 1);
        let slot = record::slot(self.options.seed, record);
        let (person, pin) = match flaw.map(Flaw::holder) {
            Some(Holder::Stranger) => (self.stranger(flaw, record), 0),
            Some(Holder::Own | Holder::Neighbour | Holder::Discarded | Holder::Renamed) | None => {
                (self.registry.anyone(slot.person), slot.pin)
            }
        };
        record::write(draft, &self.registry, &person, pin, dice.clone());
        if let Some(flaw) = flaw {
            let others = self.others(record, &mut dice);
            flaw::apply(
                flaw,
                draft,
                &self.registry,
                &person,
                &others.borrow(),
                &mut dice,
            );
        }
    }

    /// What is wrong with a record. Only an odd record is a copy, of the even one before it.
    fn flaw_of(&self, record: u64) -> Option<Flaw> {
        let mut dice = Dice::new(self.options.seed, 5, record);
        let roll = (dice.next() >> 11) as f64 / (1_u64 << 53) as f64;
        if roll >= self.options.dirty {
            return None;
        }
        Some(match (dice.pick(Flaw::ALL), self.options.format) {
            (Flaw::IdenticalCopy | Flaw::DifferingCopy, _) if record.is_multiple_of(2) => {
                Flaw::Untidy
            }
            (Flaw::RowMalformed, SampleFormat::Sqlite) => Flaw::IdMissing,
            (flaw, SampleFormat::Csv | SampleFormat::Sqlite) => flaw,
        })
    }

    fn stranger(&self, flaw: Option<Flaw>, record: u64) -> Person {
        let kind = if flaw == Some(Flaw::MinorWithoutGuardian) {
            Kind::Minor
        } else {
            Kind::Adult
        };
        self.registry.person(kind, STRANGERS + record)
    }

    fn others(&self, record: u64, dice: &mut Dice) -> OtherPeople {
        let neighbour = record::slot(self.options.seed, record ^ 1).person;
        let link = dice.below(self.links() as usize) as u64;
        let renamed = self.registry.person(Kind::Adult, LINKED + (link & !1));
        OtherPeople {
            neighbour: self.registry.anyone(neighbour),
            discarded: self.registry.person(Kind::Adult, LINKED + (link | 1)),
            renamed: if dice.percent(50) {
                self.registry.born_earlier(&renamed, 1)
            } else {
                renamed
            },
        }
    }
}

/// The people a flaw may need.
struct OtherPeople {
    neighbour: Person,
    discarded: Person,
    renamed: Person,
}

impl OtherPeople {
    const fn borrow(&self) -> Others<'_> {
        Others {
            neighbour: &self.neighbour,
            discarded: &self.discarded,
            renamed: &self.renamed,
        }
    }
}
