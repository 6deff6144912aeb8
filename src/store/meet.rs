//! The people of a target in use whom records of a later run meet, read in bulk.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use super::{
    LeasedTx, Reader, StoreError,
    database::{Database, Row, values},
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
        let (people, siblings) = find(&self.database, codes, lettered)?;
        if !people.is_empty() {
            let reading = Reading::of(&self.database, &people);
            reading.rows(
                "SELECT person_id FROM person WHERE person_id {of} ORDER BY person_id{hold whole}",
            )?;
        }
        read(&self.database, &people, siblings)
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
        let (people, siblings) = find(&self.database, codes, lettered)?;
        read(&self.database, &people, siblings)
    }

    /// Current codes with omocodia letters, of everybody in the target.
    ///
    /// # Errors
    /// When the database fails.
    pub fn lettered(&self) -> Result<Lettered, StoreError> {
        lettered(&self.database)
    }
}

/// The ids of the people, and the siblings.
fn find(
    database: &Database,
    codes: &BTreeSet<FiscalCode>,
    lettered: &Lettered,
) -> Result<(BTreeSet<i64>, Vec<FiscalCode>), StoreError> {
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut siblings = Vec::new();
    for code in codes {
        asked.insert(code.as_str().to_owned());
        let base = code.base();
        siblings.extend(lettered.0.get(&base.0).into_iter().flatten().copied());
        if code.omocodia_mask() != 0 {
            // The base is the code with digits in place of its letters.
            asked.insert(String::from_utf8_lossy(&base.0).into_owned());
        }
    }
    let mut people = BTreeSet::new();
    if asked.is_empty() {
        return Ok((people, siblings));
    }
    let sql = format!(
        "SELECT fiscal_code, person_id, current FROM fiscal_code WHERE fiscal_code IN (SELECT listed.code FROM {})",
        database.listed("?1", &[("code", "TEXT")])
    );
    let asked: Vec<_> = asked.iter().map(|code| json!({ "code": code })).collect();
    let asked = serde_json::Value::from(asked).to_string();
    for row in database.rows(ACTION, &sql, values![&asked])? {
        let mut columns = row.columns();
        let (code, person_id, current): (String, i64, bool) =
            (columns.next()?, columns.next()?, columns.next()?);
        // An old code may be of no valid form, and then it was not asked for.
        let Ok(code) = code.parse::<FiscalCode>() else {
            continue;
        };
        if codes.contains(&code) {
            people.insert(person_id);
        }
        if current {
            siblings.push(code);
        }
    }
    Ok((people, siblings))
}

fn read(
    database: &Database,
    ids: &BTreeSet<i64>,
    siblings: Vec<FiscalCode>,
) -> Result<Met, StoreError> {
    if ids.is_empty() {
        return Ok(Met {
            people: StandingPeople::new(Vec::new(), siblings),
            ids: HashMap::new(),
        });
    }
    let reading = Reading::of(database, ids);
    let mut people = reading.people()?;
    let mut live_pins = HashMap::new();
    for row in reading.rows(
        "SELECT person_id, pin_id, source, legacy_id, level, last_used_on FROM pin
         WHERE person_id {of} AND (status = 'active' OR status = 'suspended' OR status = 'pending')",
    )? {
        let mut columns = row.columns();
        let person_id = columns.next()?;
        live_pins.insert(person_id, columns.next()?);
        reading.add_to(&mut people, person_id)?.live_pin = Some(StandingPin {
            source: columns.next()?,
            legacy_id: columns.next()?,
            level: columns.word(Level::by_name)?,
            last_used_on: columns.next()?,
        });
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
    for row in reading.rows(
        "SELECT pin.person_id, finding.kind FROM pin
         JOIN finding ON finding.source = pin.source AND finding.legacy_id = pin.legacy_id
         WHERE pin.person_id {of}",
    )? {
        let person = reading.add_to(&mut people, row.get(0)?)?;
        let mut columns = row.columns();
        columns.next::<i64>()?;
        person.findings.insert(columns.word(FindingKind::by_name)?);
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

    fn people(&self) -> Result<BTreeMap<i64, StandingPerson>, StoreError> {
        let mut codes: HashMap<i64, (Option<FiscalCode>, BTreeSet<String>)> = HashMap::new();
        for row in self
            .rows("SELECT person_id, fiscal_code, current FROM fiscal_code WHERE person_id {of}")?
        {
            let code: String = row.get(1)?;
            let (current, all) = codes.entry(row.get(0)?).or_default();
            if row.get(2)? {
                *current = code.parse().ok();
            }
            all.insert(code);
        }
        let mut people = BTreeMap::new();
        for row in self.rows(
            "SELECT person_id, surname, given_name, birth_date FROM person WHERE person_id {of}",
        )? {
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
