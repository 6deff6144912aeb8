//! Records of one source that share their id.

use super::{
    content::{compare_content, same_content},
    raw_record::RawRecord,
};

/// What becomes of records that share their id; positions are those in the slice given to [`settle`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// The one that goes on to be judged, all being copies of each other.
    pub goes_on: Option<usize>,
    /// The others with their copy numbers, from 1 in byte order of their content.
    pub quarantined: Vec<(usize, u32)>,
}

/// Settles records with one source and one id. Of copies the first goes on; where contents differ none does,
/// since which one is right decides somebody's rights. The order of reading plays no part: records that
/// compare equal are alike to the byte.
#[must_use]
pub fn settle(copies: &[RawRecord<'_>]) -> Settled {
    let mut order: Vec<usize> = (0..copies.len()).collect();
    order.sort_by(|a, b| compare_content(&copies[*a], &copies[*b]));
    let identical = match (order.first(), order.last()) {
        (Some(first), Some(last)) => same_content(&copies[*first], &copies[*last]),
        _ => false,
    };
    let rest = order.split_off(usize::from(identical));
    Settled {
        goes_on: order.first().copied(),
        quarantined: rest.into_iter().zip(1..).collect(),
    }
}
