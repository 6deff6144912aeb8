//! The state of the job as metrics, in the text format that the node exporter's textfile collector reads.

use jiff::Timestamp;
use prometheus_client::{
    encoding::text::encode,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{
    engine::state::{LockLook, State},
    source::lock::{LockState, LockStatus},
    store::RunPhase,
};

/// How every metric is called.
const PREFIX: &str = "pinferry";

type Labels = Vec<(&'static str, String)>;

/// A metric with the values that are known.
struct Metric {
    name: &'static str,
    help: &'static str,
    values: Vec<(Labels, i64)>,
}

/// The state at `now`. What is not known is left out; nothing of it is about a person.
#[must_use]
pub fn text(state: &State, now: Timestamp) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    for metric in [
        Metric {
            name: "status_timestamp_seconds",
            help: "When this was looked at",
            values: vec![(Vec::new(), now.as_second())],
        },
        Metric {
            name: "lock",
            help: "State of the management lock of each source",
            values: locks(state),
        },
        Metric {
            name: "run_phase",
            help: "Phase of the newest run",
            values: phases(state),
        },
        Metric {
            name: "run_paused",
            help: "Whether an administrator has paused the newest run",
            values: paused(state),
        },
        Metric {
            name: "records",
            help: "Legacy records of the newest run",
            values: records(state),
        },
        Metric {
            name: "quarantined_records",
            help: "Quarantined records of the newest run, by reason",
            values: (state.report.quarantine.iter())
                .map(|(reason, count)| (vec![("reason", reason.to_string())], *count))
                .collect(),
        },
        Metric {
            name: "requests",
            help: "Requests of the counters",
            values: (state.activations.iter())
                .map(|(state, count)| (vec![("state", state.clone())], *count))
                .collect(),
        },
        Metric {
            name: "queue",
            help: "What of the requests and receipts is to take effect",
            values: queue(state),
        },
        Metric {
            name: "queue_late_seconds",
            help: "For how long the oldest request that is due could have taken effect",
            values: (state.queue.iter())
                .map(|queue| (Vec::new(), queue.late_secs.unwrap_or(0)))
                .collect(),
        },
    ] {
        register(&mut registry, metric);
    }
    let mut text = String::new();
    encode(&mut text, &registry).expect("a text takes what is written to it");
    text
}

fn register(registry: &mut Registry, metric: Metric) {
    if let [(labels, value)] = metric.values.as_slice()
        && labels.is_empty()
    {
        let gauge = Gauge::<i64>::default();
        gauge.set(*value);
        return registry.register(metric.name, metric.help, gauge);
    }
    let family = Family::<Labels, Gauge>::default();
    for (labels, value) in metric.values {
        family.get_or_create(&labels).set(value);
    }
    registry.register(metric.name, metric.help, family);
}

/// Which of these it is: 1 for that one, 0 for the others.
fn one_of<T: Copy + PartialEq>(
    all: &[(T, &'static str)],
    is: Option<T>,
    labels: &[(&'static str, String)],
    label: &'static str,
) -> Vec<(Labels, i64)> {
    let value = |(one, name): &(T, &'static str)| {
        let mut labels = labels.to_vec();
        labels.push((label, (*name).to_owned()));
        (labels, i64::from(is == Some(*one)))
    };
    all.iter().map(value).collect()
}

fn locks(state: &State) -> Vec<(Labels, i64)> {
    // Held by what its control row says, but not by what its guards do.
    const DAMAGED: &str = "damaged";
    // No longer the run's own, which rests on it.
    const LOST: &str = "lost";
    const UNKNOWN: &str = "unknown";
    let states: Vec<_> = (LockState::ALL.iter())
        .map(|state| state.as_str())
        .chain([DAMAGED, LOST, UNKNOWN])
        .map(|name| (name, name))
        .collect();
    let is = |status: &LockStatus| match status.state {
        LockState::Broken => status.state.as_str(),
        _unbroken if status.is_damaged() => DAMAGED,
        _unbroken if state.lost.contains(&status.source) => LOST,
        LockState::Open | LockState::Engaged | LockState::Sealed => status.state.as_str(),
    };
    let lock = |lock: &LockLook| match lock {
        LockLook::Known(status) if !status.lockable => Vec::new(),
        LockLook::Known(status) => {
            let labels = [("source", status.source.clone())];
            one_of(&states, Some(is(status)), &labels, "state")
        }
        LockLook::Unknown { source, .. } => {
            let labels = [("source", source.clone())];
            one_of(&states, Some(UNKNOWN), &labels, "state")
        }
    };
    state.locks.iter().flat_map(lock).collect()
}

fn phases(state: &State) -> Vec<(Labels, i64)> {
    let all: Vec<_> = (RunPhase::ALL.iter())
        .map(|phase| (*phase, phase.as_str()))
        .collect();
    one_of(&all, state.run_phase, &[], "phase")
}

fn paused(state: &State) -> Vec<(Labels, i64)> {
    let control = state.control.as_ref();
    let is_paused = control.is_some_and(|control| control.paused_at.is_some());
    let run = state.run_phase.map(|_| (Vec::new(), i64::from(is_paused)));
    run.into_iter().collect()
}

fn records(state: &State) -> Vec<(Labels, i64)> {
    let of = |state: &str, count: i64| (vec![("state", state.to_owned())], count);
    let totals = &state.report.totals;
    let expected = state.records_expected;
    let expected =
        expected.map(|records| of("expected", i64::try_from(records).unwrap_or(i64::MAX)));
    expected
        .into_iter()
        .chain([
            of("migrated", totals.records - totals.quarantined),
            of("quarantined", totals.quarantined),
        ])
        .collect()
}

fn queue(state: &State) -> Vec<(Labels, i64)> {
    let Some(queue) = &state.queue else {
        return Vec::new();
    };
    [
        ("waiting", queue.waiting),
        ("of_nobody", queue.of_nobody),
        ("behind", queue.behind),
        ("due", queue.due),
        ("set_aside", queue.set_aside),
        ("receipts_due", queue.receipts_due),
        ("pending_due", queue.pending_due),
    ]
    .map(|(state, count)| (vec![("state", state.to_owned())], count))
    .into()
}
