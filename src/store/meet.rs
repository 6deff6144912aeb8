//! The people of a target in use whom records of a later run meet, read in bulk.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::{
    LeasedTx, Reader, StoreError,
    database::{Database, Row, damaged, values},
};
use crate::domain::{
    finding::FindingKind,
    fiscal_code::FiscalCode,
    standing::{StandingPeople, StandingPerson, StandingPin},
    status::Level,
};

const ACTION: &str = "read the people that stand";

/// The ids of somebody who stands in the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingIds {
    /// The person's.
    pub person_id: i64,
    /// That of the active, suspended or pending PIN.
    pub live_pin_id: Option<i64>,
}

/// People who stand in the target.
#[derive(Debug, Default)]
pub struct Met {
    /// As the judge sees them.
    pub people: StandingPeople,
    ids: HashMap<FiscalCode, StandingIds>,
}

/// Current codes of the target that have omocodia letters, so that siblings are found without asking for each of
/// the 127 spellings a code may have.
#[derive(Debug, Default)]
pub struct Lettered(HashMap<[u8; 16], Vec<FiscalCode>>);

impl Met {
    /// The ids of the person with this current code.
    ///
    /// # Errors
    /// There is none among them.
    pub fn ids(&self, code: FiscalCode) -> Result<StandingIds, StoreError> {
        let ids = self.ids.get(&code).copied();
        ids.ok_or_else(|| StoreError::Damaged {
            what: "a person who joins nobody".to_owned(),
        })
    }
}

impl LeasedTx<'_> {
    /// The people these codes lead to, and the codes of their omocodia siblings. The people are locked, in the
    /// order of their ids, until the transaction ends: what is judged of them is still true when it commits.
    ///
    /// # Errors
    /// When the database fails or holds what this program does not understand.
    pub fn meet(
        &self,
        codes: &BTreeSet<FiscalCode>,
        lettered: &Lettered,
    ) -> Result<Met, StoreError> {
        read(
            &self.database,
            find(&self.database, codes, lettered)?,
            "{hold whole}",
        )
    }

    /// Current codes with omocodia letters, of everybody in the target.
    ///
    /// # Errors
    /// When the database fails.
    pub fn lettered(&self) -> Result<Lettered, StoreError> {
        lettered(&self.database)
    }
}

impl Reader {
    /// The people these codes lead to, and the codes of their omocodia siblings.
    ///
    /// # Errors
    /// When the database fails or holds what this program does not understand.
    pub fn meet(
        &self,
        codes: &BTreeSet<FiscalCode>,
        lettered: &Lettered,
    ) -> Result<Met, StoreError> {
        read(&self.database, find(&self.database, codes, lettered)?, "")
    }

    /// Current codes with omocodia letters, of everybody in the target.
    ///
    /// # Errors
    /// When the database fails.
    pub fn lettered(&self) -> Result<Lettered, StoreError> {
        lettered(&self.database)
    }
}

/// By person: the current code, if it is a valid one, and all of them.
type CodesOf = HashMap<i64, (Option<FiscalCode>, BTreeSet<String>)>;

/// The people that codes lead to.
struct Found {
    ids: BTreeSet<i64>,
    codes: CodesOf,
    /// Current codes that are omocodia siblings of those asked for.
    siblings: Vec<FiscalCode>,
}

fn find(
    database: &Database,
    codes: &BTreeSet<FiscalCode>,
    lettered: &Lettered,
) -> Result<Found, StoreError> {
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut found = Found {
        ids: BTreeSet::new(),
        codes: HashMap::new(),
        siblings: Vec::new(),
    };
    for code in codes {
        asked.insert(code.as_str().to_owned());
        let base = code.base();
        let siblings = lettered.0.get(&base.0).into_iter().flatten();
        found.siblings.extend(siblings.copied());
        if code.omocodia_mask() != 0 {
            // The base is the code with digits in place of its letters.
            asked.insert(String::from_utf8_lossy(&base.0).into_owned());
        }
    }
    if asked.is_empty() {
        return Ok(found);
    }
    let sql = format!(
        "SELECT fiscal_code, person_id, current FROM fiscal_code WHERE person_id IN (
             SELECT led.person_id FROM fiscal_code AS led
             WHERE led.fiscal_code IN (SELECT listed.code FROM {}))",
        database.listed("?1", &[("code", "TEXT")])
    );
    let listed: Vec<_> = asked.iter().map(|code| json!({ "code": code })).collect();
    let listed = serde_json::Value::from(listed).to_string();
    for row in database.rows(ACTION, &sql, values![&listed])? {
        let mut columns = row.columns();
        let (text, person_id, current): (String, i64, bool) =
            (columns.next()?, columns.next()?, columns.next()?);
        // An old code may be of no valid form, and then it was not asked for.
        let code = text.parse::<FiscalCode>().ok();
        if let Some(code) = code.filter(|_| asked.contains(&text)) {
            if codes.contains(&code) {
                found.ids.insert(person_id);
            }
            if current {
                found.siblings.push(code);
            }
        }
        let (now, all) = found.codes.entry(person_id).or_default();
        if current {
            *now = code;
        }
        all.insert(text);
    }
    Ok(found)
}

/// Reads people; `hold` keeps them as they are.
fn read(database: &Database, found: Found, hold: &str) -> Result<Met, StoreError> {
    let Found {
        ids,
        codes,
        siblings,
    } = found;
    if ids.is_empty() {
        return Ok(Met {
            people: StandingPeople::new(Vec::new(), siblings),
            ids: HashMap::new(),
        });
    }
    let reading = Reading::of(database, &ids);
    let mut people = reading.people(codes, hold)?;
    let mut live_pins = HashMap::new();
    for row in reading.rows(
        "SELECT pin.person_id, finding.kind, pin.status IN ('active', 'suspended', 'pending'),
             pin.pin_id, pin.source, pin.legacy_id, pin.level, pin.last_used_on
         FROM pin LEFT JOIN finding ON finding.source = pin.source AND finding.legacy_id = pin.legacy_id
         WHERE pin.person_id {of}",
    )? {
        let mut columns = row.columns();
        let person_id = columns.next()?;
        let person = reading.add_to(&mut people, person_id)?;
        if let Some(kind) = columns.next::<Option<String>>()? {
            let known = FindingKind::by_name(&kind);
            let known = known.ok_or_else(|| damaged(&format!("the finding `{kind}`")))?;
            person.findings.insert(known);
        }
        if columns.next()? {
            live_pins.insert(person_id, columns.next()?);
            person.live_pin = Some(StandingPin {
                source: columns.next()?,
                legacy_id: columns.next()?,
                level: columns.word(Level::by_name)?,
                last_used_on: columns.next()?,
            });
        }
    }
    for row in
        reading.rows("SELECT person_id, profile, entity FROM profile_grant WHERE person_id {of}")?
    {
        let person = reading.add_to(&mut people, row.get(0)?)?;
        person.grants.insert((row.get(1)?, row.get(2)?));
    }
    for row in reading
        .rows("SELECT person_id, guardian_fiscal_code FROM delegation WHERE person_id {of}")?
    {
        let person = reading.add_to(&mut people, row.get(0)?)?;
        person.guardians.insert(row.get(1)?);
    }
    let ids = people.iter().map(|(person_id, person)| {
        let ids = StandingIds {
            person_id: *person_id,
            live_pin_id: live_pins.get(person_id).copied(),
        };
        (person.fiscal_code, ids)
    });
    Ok(Met {
        ids: ids.collect(),
        people: StandingPeople::new(people.into_values().collect(), siblings),
    })
}

/// What is asked of some people.
struct Reading<'d> {
    database: &'d Database,
    /// A JSON array.
    ids: String,
}

impl<'d> Reading<'d> {
    fn of(database: &'d Database, ids: &BTreeSet<i64>) -> Self {
        let ids: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
        Self {
            database,
            ids: serde_json::Value::from(ids).to_string(),
        }
    }

    fn people(
        &self,
        mut codes: CodesOf,
        hold: &str,
    ) -> Result<BTreeMap<i64, StandingPerson>, StoreError> {
        let mut people = BTreeMap::new();
        let sql = format!(
            "SELECT person_id, surname, given_name, birth_date FROM person WHERE person_id {{of}}
             ORDER BY person_id{hold}"
        );
        for row in self.rows(&sql)? {
            let mut columns = row.columns();
            let person_id = columns.next()?;
            let Some((Some(fiscal_code), codes)) = codes.remove(&person_id) else {
                return Err(StoreError::Damaged {
                    what: "a person without a valid current code".to_owned(),
                });
            };
            let person = StandingPerson {
                fiscal_code,
                codes,
                surname: columns.next()?,
                given_name: columns.next()?,
                birth_date: columns.next()?,
                live_pin: None,
                grants: BTreeSet::new(),
                guardians: BTreeSet::new(),
                findings: BTreeSet::new(),
            };
            people.insert(person_id, person);
        }
        Ok(people)
    }

    fn rows(&self, sql: &str) -> Result<Vec<Row>, StoreError> {
        let ids = self.database.listed("?1", &[("id", "BIGINT")]);
        let sql = sql.replace("{of}", &format!("IN (SELECT listed.id FROM {ids})"));
        self.database.rows(ACTION, &sql, values![&self.ids])
    }

    fn add_to<'p>(
        &self,
        people: &'p mut BTreeMap<i64, StandingPerson>,
        person_id: i64,
    ) -> Result<&'p mut StandingPerson, StoreError> {
        people
            .get_mut(&person_id)
            .ok_or_else(|| StoreError::Damaged {
                what: "rows of a person that does not exist".to_owned(),
            })
    }
}

fn lettered(database: &Database) -> Result<Lettered, StoreError> {
    let sql = format!(
        "SELECT fiscal_code FROM fiscal_code WHERE length(fiscal_code) = 16 AND current AND NOT {}",
        database.is_spelt_with_digits("fiscal_code")
    );
    let mut lettered = Lettered::default();
    for row in database.rows("read the codes with omocodia letters", &sql, &[])? {
        // What is no code of a person is nobody's sibling.
        if let Ok(code) = row.get::<String>(0)?.parse::<FiscalCode>() {
            lettered.0.entry(code.base().0).or_default().push(code);
        }
    }
    Ok(lettered)
}
