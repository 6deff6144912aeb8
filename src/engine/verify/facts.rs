//! What the sources say of people beyond single PINs, kept small: 40 bytes a record, found by fiscal code.

use xxhash_rust::xxh3::xxh3_64;

/// What one record says of its person. Texts are kept as hashes, 0 for none; dates as the number `yyyymmdd`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fact {
    pub(super) code: CodeKey,
    pub(super) record: RecordKey,
    pub(super) names: u32,
    pub(super) birth_date: u32,
    pub(super) email: u32,
    pub(super) phone: u32,
    pub(super) guardian: u32,
    pub(super) expires_on: u32,
    /// Whether it was written with the code the person has today.
    pub(super) written_current: bool,
}

/// What a person is found by: the first letters of the fiscal code, so that people who are neighbours in the target
/// are neighbours here as well, and a hash of all of it. Who shares both with somebody is told apart by the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CodeKey {
    letters: [u8; 4],
    hash: u32,
}

/// Key of a fiscal code.
pub(super) fn code_key(code: &str) -> CodeKey {
    let mut letters = [0; 4];
    for (letter, byte) in letters.iter_mut().zip(code.bytes()) {
        *letter = byte;
    }
    CodeKey {
        letters,
        hash: xxh3_64(code.as_bytes()) as u32,
    }
}

/// 48 bits of a hash of a record's name: enough to tell the records of one person apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RecordKey([u8; 6]);

/// Hash of a record's name. The source is no seed: XXH3 only adds a seed to the bytes of a short input, so that
/// like ids of different sources would meet. It goes in by a multiplication and a fold that lose nothing.
pub(super) fn record_key(source: usize, id: &str) -> RecordKey {
    let apart = (source as u64)
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (xxh3_64(id.as_bytes()) ^ apart).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let [a, b, c, d, e, f, ..] = (mixed ^ (mixed >> 32)).to_le_bytes();
    RecordKey([a, b, c, d, e, f])
}

/// Hash of a text; 0 only for none.
pub(super) fn text_key(text: &str) -> u32 {
    if text.is_empty() {
        0
    } else {
        xxh3_64(text.as_bytes()) as u32 | 1
    }
}

/// Hash of surname and given name.
pub(super) fn names_key(surname: &str, given_name: &str, buffer: &mut String) -> u32 {
    buffer.clear();
    buffer.push_str(surname);
    buffer.push('\0');
    buffer.push_str(given_name);
    text_key(buffer)
}

/// `yyyy-mm-dd` as a number; 0 for what is no date.
pub(super) fn date_key(text: &str) -> u32 {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return 0;
    }
    let mut number = 0_u32;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number = number * 10 + u32::from(byte - b'0'),
            b'-' if at == 4 || at == 7 => {}
            _ => return 0,
        }
    }
    number
}

/// The facts of all records, or of an even share of the people where memory does not hold them all.
#[derive(Debug, Default)]
pub(super) struct Facts {
    kept: Vec<Fact>,
    limit: u32,
    capacity: usize,
}

impl Facts {
    /// Room for so many records within so many bytes.
    pub(super) fn within(records: u64, bytes: u64) -> Self {
        let room = (bytes / size_of::<Fact>() as u64).max(1);
        let limit = if records <= room {
            u32::MAX
        } else {
            // Hashes are even: a share of their range is a share of the people. A tenth is left for luck.
            (u128::from(u32::MAX) * u128::from(room) * 9 / 10 / u128::from(records)) as u32
        };
        Self {
            kept: Vec::with_capacity(usize::try_from(records.min(room)).unwrap_or(0)),
            limit,
            capacity: usize::try_from(room).unwrap_or(usize::MAX),
        }
    }

    /// Whether the people with this code are kept.
    pub(super) fn keeps(&self, code: CodeKey) -> bool {
        code.hash <= self.limit
    }

    /// Share of the people that are kept.
    pub(super) fn share(&self) -> f64 {
        f64::from(self.limit) / f64::from(u32::MAX)
    }

    /// Keeps a fact. A source that grew far beyond what was announced shrinks the share instead of the memory.
    pub(super) fn add(&mut self, fact: Fact) {
        if !self.keeps(fact.code) {
            return;
        }
        if self.kept.len() >= self.capacity {
            self.limit /= 2;
            let limit = self.limit;
            self.kept.retain(|kept| kept.code.hash <= limit);
            if !self.keeps(fact.code) {
                return;
            }
        }
        self.kept.push(fact);
    }

    /// To be called once all are added.
    pub(super) fn sort(&mut self) {
        self.kept.sort_unstable();
    }

    /// All facts under a code that is kept. People are looked for one neighbour after the other, so that the way
    /// there is in the processor's caches.
    pub(super) fn of(&self, code: CodeKey) -> &[Fact] {
        let from = self.kept.partition_point(|fact| fact.code < code);
        let found = &self.kept[from..];
        let count = found.iter().take_while(|fact| fact.code == code).count();
        &found[..count]
    }
}

#[cfg(test)]
mod tests {
    use super::{CodeKey, Fact, Facts, code_key, date_key, record_key};

    fn code(number: u64) -> CodeKey {
        code_key(&format!("{:04}{number:012}", number % 9_973))
    }

    #[test]
    fn like_ids_of_neighbouring_sources_have_keys_of_their_own() {
        let mut keys = std::collections::BTreeMap::new();
        for source in 0..3 {
            for number in 0..20_000 {
                for id in [
                    format!("{number}"),
                    format!("{number:08}"),
                    format!("{number:016}"),
                ] {
                    let before = keys.insert(record_key(source, &id), (source, id.clone()));
                    assert!(before.is_none_or(|one| one == (source, id)));
                }
            }
        }
    }

    #[test]
    fn a_fact_takes_forty_bytes() {
        assert_eq!(size_of::<Fact>(), 40);
    }

    #[test]
    fn facts_are_found_by_code_and_absent_codes_have_none() {
        let mut facts = Facts::within(3_000, 1 << 20);
        for number in 0..3_000 {
            facts.add(Fact {
                code: code(number / 2),
                record: record_key(0, &number.to_string()),
                ..Fact::default()
            });
        }
        facts.sort();
        for number in 0..1_500 {
            assert_eq!(facts.of(code(number)).len(), 2, "{number}");
        }
        assert!(facts.of(code(1_501)).is_empty());
        assert!(facts.of(code_key("ZZZZ")).is_empty());
        assert!(facts.share() > 0.99);
    }

    #[test]
    fn what_memory_does_not_hold_is_left_out_by_whole_people() {
        let mut facts = Facts::within(100_000, 40 * 10_000);
        for number in 0..200_000 {
            facts.add(Fact {
                code: code(number / 2),
                ..Fact::default()
            });
        }
        facts.sort();
        assert!(facts.kept.len() <= facts.capacity);
        for number in 0..100_000 {
            let found = facts.of(code(number)).len();
            assert_eq!(found, if facts.keeps(code(number)) { 2 } else { 0 });
        }
    }

    #[test]
    fn a_date_is_a_number_and_anything_else_is_none() {
        assert_eq!(date_key("2013-11-03"), 20_131_103);
        for text in ["", "2013-11-3", "2013/11/03", "2013-1a-03", "20131103--"] {
            assert_eq!(date_key(text), 0, "{text}");
        }
    }
}
