//! The binary format of COPY (PostgreSQL manual, COPY, "Binary Format").

use crate::domain::field::FIELDS;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Longer than any record may be: the bound that extracts have.
const RECORD_BYTES_MAX: usize = 1 << 20;

/// The values of one row, `None` for NULL.
pub(super) type Values<'b> = [Option<&'b [u8]>; FIELDS];

/// What the bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A row, whose values were put into their places, of so many bytes.
    Row(usize),
    /// The end of the copy.
    End,
    /// Less than a row.
    Part,
}

/// The length of the header that the bytes begin with, if it is all there.
pub(super) fn header(bytes: &[u8]) -> Result<Option<usize>, &'static str> {
    let seen = bytes.len().min(SIGNATURE.len());
    if bytes[..seen] != SIGNATURE[..seen] {
        return Err("the answer is no binary copy");
    }
    let Some((extension, _)) = bytes
        .get(SIGNATURE.len() + 4..)
        .and_then(<[u8]>::split_first_chunk)
    else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*extension)).unwrap_or(usize::MAX);
    let whole = (SIGNATURE.len() + 8).saturating_add(length);
    Ok((bytes.len() >= whole).then_some(whole))
}

/// Takes the first row of so many columns apart.
pub(super) fn row<'b>(
    bytes: &'b [u8],
    columns: usize,
    values: &mut Values<'b>,
) -> Result<Found, &'static str> {
    let Some((count, mut rest)) = bytes.split_first_chunk() else {
        return Ok(Found::Part);
    };
    match i16::from_be_bytes(*count) {
        -1 => return Ok(Found::End),
        count if usize::try_from(count) == Ok(columns) => {}
        _ => return Err("it has another number of columns than asked for"),
    }
    for value in &mut values[..columns] {
        let Some((length, after)) = rest.split_first_chunk() else {
            return part(bytes);
        };
        rest = after;
        *value = match usize::try_from(i32::from_be_bytes(*length)) {
            Ok(length) => {
                let Some((value, after)) = rest.split_at_checked(length) else {
                    return part(bytes);
                };
                rest = after;
                Some(value)
            }
            Err(_) => None,
        };
    }
    match bytes.len() - rest.len() {
        length if length > RECORD_BYTES_MAX => Err("it is longer than 1 MiB"),
        length => Ok(Found::Row(length)),
    }
}

fn part(bytes: &[u8]) -> Result<Found, &'static str> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err("it is longer than 1 MiB");
    }
    Ok(Found::Part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 2, 7, 7]);
        bytes.extend([0, 2, 0, 0, 0, 1, b'x', 0xff, 0xff, 0xff, 0xff]);
        bytes.extend([0xff, 0xff]);
        bytes
    }

    #[test]
    fn a_row_is_taken_apart_wherever_the_bytes_are_cut() {
        let bytes = copy();
        let mut values = [None; FIELDS];
        for cut in 0..21 {
            assert_eq!(header(&bytes[..cut]), Ok(None), "{cut}");
        }
        assert_eq!(header(&bytes), Ok(Some(21)));
        for cut in 21..32 {
            assert_eq!(
                row(&bytes[21..cut], 2, &mut values),
                Ok(Found::Part),
                "{cut}"
            );
        }
        assert_eq!(row(&bytes[21..], 2, &mut values), Ok(Found::Row(11)));
        assert_eq!(values[..3], [Some(&b"x"[..]), None, None]);
        assert_eq!(row(&bytes[32..], 2, &mut values), Ok(Found::End));
    }

    #[test]
    fn what_is_no_copy_of_these_columns_is_refused() {
        let bytes = copy();
        let mut values = [None; FIELDS];
        assert!(header(b"PGCOPX").is_err());
        assert!(row(&bytes[21..], 3, &mut values).is_err());
        let mut long = vec![0, 1];
        long.extend(2_000_000_i32.to_be_bytes());
        long.resize(2_000_006, b'x');
        assert!(row(&long, 1, &mut values).is_err());
        assert!(row(&long[..1_500_000], 1, &mut values).is_err());
        assert_eq!(row(&long[..1000], 1, &mut values), Ok(Found::Part));
    }
}
