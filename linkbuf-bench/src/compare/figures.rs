//! Memory of two runs: figure by figure, by thresholds.
//!
//! Bytes hardly differ between two runs of the same program, but they come in pages and blocks: a change counts if it
//! is large both as such and as a part. Times of return are looked at every 50 ms, and a cost is taken once, so these
//! need more. Figures of peers aren't compared.

use super::{Change, Outcome};
use crate::results::{Figure, Kept, Profiled};
use crate::scenario::Kind;

/// From when on a change counts: both at once.
#[derive(Clone, Copy)]
struct Threshold {
    /// In the figure's unit.
    absolute: f64,
    /// As a part of the lesser of the two.
    relative: f64,
}

const fn threshold(absolute: f64, relative: f64) -> Threshold {
    Threshold { absolute, relative }
}

/// Blocks that were taken, and bytes of the global heap that are out: a count, which a thread may blur.
const HEAP_BYTES: Threshold = threshold(1024.0, 0.05);
const HEAP_BLOCKS: Threshold = threshold(16.0, 0.05);

/// Of a unit; `None`: it isn't compared.
fn of_unit(name: &str, unit: &str) -> Option<Threshold> {
    Some(match unit {
        "B" => threshold(512.0 * 1024.0, 0.15),
        "B/buffer" => threshold(256.0, 0.10),
        "%" => threshold(2.0, 0.25),
        // A quotient of two costs.
        "×" if name.contains("warm") => threshold(1.0, 1.0),
        "×" => threshold(0.1, 0.25),
        // Three looks, of 50 ms each.
        "s" if is_return(name) => threshold(0.15, 0.30),
        "s" => threshold(0.005, 1.0),
        _ => return None,
    })
}

/// Whether a time is one of memory's return, `t90` or `t90 silent`: these are looked at from time to time.
fn is_return(name: &str) -> bool {
    let number = name.strip_prefix('t').unwrap_or_default();
    number.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether more of a figure is neither better nor worse: how much was done, and where what is resident lies.
fn is_neutral(name: &str) -> bool {
    let first = name.split(' ').next().unwrap_or_default();
    [
        "taken", "live", "page", "buffers", "slices", "watched", "cached", "free", "mapped", "on",
    ]
    .contains(&first)
}

pub(super) fn retention(a: &[Kept], b: &[Kept]) -> Vec<Change> {
    let mut changes = Vec::new();
    for new in b.iter().filter(|kept| kept.kind == Kind::Linkbuf) {
        let same = |old: &&Kept| old.scenario == new.scenario && old.subject == new.subject;
        let Some(old) = a.iter().find(same) else {
            continue;
        };
        let name = format!("{}/{}", new.scenario, new.subject);
        let why = match (&old.missing, &new.missing) {
            (Some(_), Some(_)) => continue,
            (Some(why), None) => Some(format!("A: {why}")),
            (None, Some(why)) => Some(format!("B: {why}")),
            (None, None) if old.title != new.title => Some("other sizes".to_owned()),
            (None, None) => None,
        };
        if let Some(why) = why {
            changes.push(not_comparable(name, why));
            continue;
        }
        for figure in &new.figures {
            if let Some(old) = old.figure(&figure.name) {
                let name = format!("{name}: {}", figure.name);
                changes.extend(of_figures(name, old, figure));
            }
        }
    }
    changes
}

pub(super) fn heap(a: &[Profiled], b: &[Profiled]) -> Vec<Change> {
    let mut changes = Vec::new();
    for new in b {
        let Some(old) = a.iter().find(|old| old.subject == new.subject) else {
            continue;
        };
        for phase in &new.phases {
            let Some(old) = old.phases.iter().find(|old| old.name == phase.name) else {
                continue;
            };
            let name = format!("heap/{} {}", new.subject, phase.name);
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
            let change = |what: &str, a: u64, b: u64, limit| {
                let (a, b) = (a as f64, b as f64);
                change(format!("{name}: {what}"), (a, b), limit, SIZES)
                    .shown_as(format!("{a}"), format!("{b}"))
            };
            changes.push(change("bytes out", old.bytes, phase.bytes, HEAP_BYTES));
            changes.push(change(
                "blocks taken",
                old.total_blocks,
                phase.total_blocks,
                HEAP_BLOCKS,
            ));
        }
    }
    changes
}

/// What less and more of something are called.
type Words = (&'static str, &'static str);
const SIZES: Words = ("smaller", "larger");
const TIMES: Words = ("sooner", "later");

fn of_figures(name: String, a: &Figure, b: &Figure) -> Option<Change> {
    let limit = of_unit(&b.name, &b.unit)?;
    let words = if b.unit == "s" { TIMES } else { SIZES };
    let neutral = is_neutral(&b.name);
    let mut change = match (a.value, b.value) {
        (Some(a), Some(b)) => change(name, (a, b), limit, words),
        (None, None) => change(name, (0.0, 0.0), limit, words),
        // Never is later than any time.
        (Some(_), None) => change(name, (0.0, f64::INFINITY), limit, words),
        (None, Some(_)) => change(name, (f64::INFINITY, 0.0), limit, words),
    };
    if a.value.is_none() || b.value.is_none() {
        change.change = None;
    }
    if neutral && change.outcome != Outcome::Same {
        change.outcome = Outcome::Other;
    }
    Some(change.shown_as(a.to_string(), b.to_string()))
}

fn change(name: String, (a, b): (f64, f64), limit: Threshold, (less, more): Words) -> Change {
    let by = (b - a).abs();
    let counts = by > limit.absolute && by > limit.relative * a.abs().min(b.abs());
    Change {
        name,
        a: String::new(),
        b: String::new(),
        change: (a != 0.0).then(|| b / a - 1.0),
        outcome: match (counts, b > a) {
            (false, _) => Outcome::Same,
            (true, true) => Outcome::Worse(more),
            (true, false) => Outcome::Better(less),
        },
        timed: false,
    }
}

fn not_comparable(name: String, why: String) -> Change {
    Change {
        name,
        a: String::new(),
        b: String::new(),
        change: None,
        outcome: Outcome::NotComparable(why),
        timed: false,
    }
}

impl Change {
    fn shown_as(self, a: String, b: String) -> Self {
        Self { a, b, ..self }
    }
}
