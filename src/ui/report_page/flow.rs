//! Where the records go, as a picture: sources on the left, what becomes of their records on the right.

use askama::Template;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const NODE_WIDTH: f64 = 12.0;
const GAP: f64 = 22.0;
/// What is there is seen, however little it is.
const NODE_HEIGHT_MIN: f64 = 2.0;
/// Room for words under the last node.
const FOOT: f64 = 20.0;
/// From a node to words beside it.
const ASIDE: f64 = 6.0;
/// From the line words stand on to the middle of their letters.
const LETTERS: f64 = 4.0;

/// Which of the two ways a record goes; also the name of its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Source,
    Migrated,
    Quarantined,
}

impl Way {
    const fn class(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Migrated => "migrated",
            Self::Quarantined => "quarantined",
        }
    }
}

/// Where records are, or come to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) label: String,
    pub(super) records: i64,
    /// The number as people read it.
    pub(super) shown: String,
    pub(super) way: Way,
}

/// Records of a source that end migrated, and quarantined.
pub(super) struct Source {
    pub(super) place: Place,
    pub(super) migrated: i64,
    pub(super) quarantined: i64,
}

/// A source, what becomes of its records, and what that is in detail.
pub(super) struct Flow {
    pub(super) sources: Vec<Source>,
    pub(super) migrated: Place,
    pub(super) quarantined: Place,
    /// Of either, in order.
    pub(super) ends: Vec<Place>,
}

#[derive(Template)]
#[template(path = "report/flow.svg")]
struct Picture<'a> {
    title: &'a str,
    width: f64,
    height: f64,
    nodes: Vec<Node<'a>>,
    ribbons: Vec<Ribbon>,
}

struct Node<'a> {
    x: f64,
    y: f64,
    height: f64,
    class: &'static str,
    label: &'a str,
    shown: &'a str,
    text_x: f64,
    text_y: f64,
    anchor: &'static str,
}

struct Ribbon {
    path: String,
    class: &'static str,
}

/// A node with the place in it where the next ribbon begins or ends.
struct Slot {
    x: f64,
    y: f64,
    height: f64,
    left_at: f64,
    right_at: f64,
}

impl Flow {
    /// The picture as SVG to stand in a page, which has the colours.
    pub(super) fn picture(&self, title: &str) -> String {
        let middle = [&self.migrated, &self.quarantined];
        let columns: [Vec<&Place>; 3] = [
            self.sources.iter().map(|source| &source.place).collect(),
            middle.into_iter().collect(),
            self.ends.iter().collect(),
        ];
        let most = columns.iter().map(Vec::len).max().unwrap_or(1).max(1);
        let height = HEIGHT.max(GAP * 1.7 * most as f64);
        let records: i64 = columns[0].iter().map(|place| place.records).sum();
        let free = height - FOOT - GAP * (most - 1) as f64 - NODE_HEIGHT_MIN * most as f64;
        let scale = free / records.max(1) as f64;
        let mut slots: Vec<Vec<Slot>> = columns
            .iter()
            .enumerate()
            .map(|(column, places)| stack(places, column, scale))
            .collect();
        let mut ribbons = Vec::new();
        let (left, right) = slots.split_at_mut(1);
        let (centre, right) = right.split_at_mut(1);
        for (source, slot) in self.sources.iter().zip(&mut left[0]) {
            let parts = [source.migrated, source.quarantined];
            for ((records, place), end) in parts.into_iter().zip(middle).zip(&mut centre[0]) {
                ribbons.extend(ribbon(records, scale, slot, end, place.way));
            }
        }
        for (place, end) in self.ends.iter().zip(&mut right[0]) {
            let from = &mut centre[0][usize::from(place.way == Way::Quarantined)];
            ribbons.extend(ribbon(place.records, scale, from, end, place.way));
        }
        let nodes = (columns.iter().zip(&slots).enumerate())
            .flat_map(|(column, (places, slots))| {
                (places.iter().zip(slots)).map(move |(place, slot)| node(place, slot, column))
            })
            .collect();
        Picture {
            title,
            width: WIDTH,
            height,
            nodes,
            ribbons,
        }
        .render()
        .expect("a template writes to memory")
    }
}

/// The places of a column, one under the other.
fn stack(places: &[&Place], column: usize, scale: f64) -> Vec<Slot> {
    let x = (WIDTH - NODE_WIDTH) / 2.0 * column as f64;
    let mut y = 0.0;
    let mut slots = Vec::with_capacity(places.len());
    for place in places {
        let height = (place.records as f64 * scale).max(NODE_HEIGHT_MIN);
        slots.push(Slot {
            x,
            y,
            height,
            left_at: y,
            right_at: y,
        });
        y += height + GAP;
    }
    slots
}

fn node<'a>(place: &'a Place, slot: &Slot, column: usize) -> Node<'a> {
    // Under a node, but for the last ones, which are many and low: before them.
    let is_last = column == 2;
    Node {
        x: slot.x,
        y: slot.y,
        height: slot.height,
        class: place.way.class(),
        label: &place.label,
        shown: &place.shown,
        text_x: if is_last { slot.x - ASIDE } else { slot.x },
        text_y: if is_last {
            slot.y + slot.height / 2.0 + LETTERS
        } else {
            slot.y + slot.height + LETTERS + NODE_WIDTH
        },
        anchor: if is_last { "end" } else { "start" },
    }
}

/// What flows from one node to another; none where nothing does.
fn ribbon(records: i64, scale: f64, from: &mut Slot, to: &mut Slot, way: Way) -> Option<Ribbon> {
    if records <= 0 {
        return None;
    }
    let width = records as f64 * scale;
    let (x, y) = (from.x + NODE_WIDTH, from.right_at);
    let (to_x, to_y) = (to.x, to.left_at);
    from.right_at += width;
    to.left_at += width;
    let bend = f64::midpoint(x, to_x);
    let (bottom, to_bottom) = (y + width.max(1.0), to_y + width.max(1.0));
    Some(Ribbon {
        path: format!(
            "M{x:.1} {y:.1}C{bend:.1} {y:.1} {bend:.1} {to_y:.1} {to_x:.1} {to_y:.1}V{to_bottom:.1}\
             C{bend:.1} {to_bottom:.1} {bend:.1} {bottom:.1} {x:.1} {bottom:.1}Z"
        ),
        class: way.class(),
    })
}
