//! Lines without a quote, which are taken apart eight bytes at a time: nearly all of a file, and nothing in
//! them has a meaning but the delimiter.

use memchr::memchr3;

/// How long the line at the start of `bytes` is, if it ends there and no quote stands in it.
pub(super) fn line_length(bytes: &[u8]) -> Option<usize> {
    let length = memchr3(b'\n', b'\r', b'"', bytes)?;
    (bytes[length] != b'"').then_some(length)
}

/// Where each field of a line ends.
pub(super) fn split(line: &[u8], delimiter: u8, ends: &mut Vec<usize>) {
    ends.clear();
    let (words, rest) = line.as_chunks::<8>();
    let mut start = 0;
    for word in words {
        let mut found = equal_bytes(u64::from_le_bytes(*word), delimiter);
        while found != 0 {
            ends.push(start + found.trailing_zeros() as usize / 8);
            found &= found - 1;
        }
        start += 8;
    }
    for (at, byte) in rest.iter().enumerate() {
        if *byte == delimiter {
            ends.push(start + at);
        }
    }
    ends.push(line.len());
}

/// The high bit of every byte that is the wanted one, and no other bit.
const fn equal_bytes(word: u64, wanted: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let differs = word ^ (ONES * wanted as u64);
    !(((differs & !HIGH) + !HIGH) | differs) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_line_ends_at_a_line_end_before_any_quote() {
        for (bytes, expected) in [
            ("a;b\nc", Some(3)),
            ("a;b\r\nc", Some(3)),
            ("a\rb", Some(1)),
            ("a;b", None),
            ("a;\"b\"\n", None),
            ("a\n\"b\"\n", Some(1)),
            ("", None),
        ] {
            assert_eq!(line_length(bytes.as_bytes()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn fields_end_at_every_delimiter_wherever_it_stands() {
        for delimiter in [b';', b'\t', 0, 0x7f] {
            // Neighbours of the delimiter by value, and bytes that differ from it in the high bit only.
            let others = [delimiter ^ 1, delimiter ^ 0x80, delimiter.wrapping_add(1)];
            for pattern in 0..1_u32 << 12 {
                let bytes = (0..12).map(|at| match pattern >> at & 1 {
                    0 => others[at % others.len()],
                    _ => delimiter,
                });
                let line: Vec<u8> = bytes.collect();
                let fields = line.split(|byte| *byte == delimiter);
                let lengths = fields.map(<[u8]>::len);
                let expected = lengths.scan(0, |end, length| {
                    *end += length + 1;
                    Some(*end - 1)
                });
                let expected: Vec<usize> = expected.collect();
                let mut ends = vec![7];
                split(&line, delimiter, &mut ends);
                assert_eq!(ends, expected, "{line:?}");
            }
        }
    }
}
