//! What is told of the runs: a table per phase, a line of JSON per run, and the bars.

use std::time::{SystemTime, UNIX_EPOCH};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::{BYTES_MUT, Found, Phase, Sizes, blocks, idle, watch};
use crate::backends::Backend;
use crate::machine;
use crate::report::{Verdict, tally};
use crate::scenario::Level;

/// What became of a run.
///
/// ```
/// use linkbuf_bench::retention::Outcome;
/// assert_eq!(Outcome::Skipped("no pages".into()).to_string(), "skipped: no pages");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It found something.
    Found(Found),
    /// This machine doesn't have what it takes.
    Skipped(String),
    /// It went wrong.
    Failed(String),
}

impl Outcome {
    /// As JSON: what was found, or `skipped` or `failed` and why.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Found(found) => found.to_json(),
            Self::Skipped(why) => json!({ "skipped": why }),
            Self::Failed(why) => json!({ "failed": why }),
        }
    }

    /// Reads what [`to_json`](Self::to_json) made.
    pub(super) fn from_json(value: &Value) -> Result<Self, String> {
        let why = |name: &str| value[name].as_str().map(str::to_owned);
        match (why("skipped"), why("failed")) {
            (Some(why), _) => Ok(Self::Skipped(why)),
            (_, Some(why)) => Ok(Self::Failed(why)),
            _ => Found::from_json(value).map(Self::Found),
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Found(found) => write!(f, "{} figures", found.figures.len()),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::Failed(why) => write!(f, "FAILED: {why}"),
        }
    }
}

/// One allocator in one phase.
///
/// ```
/// use linkbuf_bench::retention::{Outcome, Phase, Row};
/// let row = Row::new(Phase::Trim, "heap", Outcome::Skipped("it is an example".into()));
/// assert!(row.verdicts.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Row {
    /// What was done.
    pub phase: Phase,
    /// With which allocator.
    pub backend: &'static str,
    /// What was found.
    pub outcome: Outcome,
    /// What it is held to.
    pub verdicts: Vec<Verdict>,
}

impl Row {
    /// Judges what was found.
    pub fn new(phase: Phase, backend: &'static str, outcome: Outcome) -> Self {
        let verdicts = match &outcome {
            Outcome::Found(found) => judge(phase, backend, found),
            _ => Vec::new(),
        };
        Self {
            phase,
            backend,
            outcome,
            verdicts,
        }
    }
}

/// The bars of a phase: a figure, and how much it may be.
fn bars(phase: Phase, backend: &str, found: &Found) -> Vec<(Level, &'static str, f64)> {
    // What others give is told, not judged: the C library's heap and BytesMut; and which blocks of a page of
    // mimalloc's survive is mimalloc's affair.
    let others = [Backend::Heap.name(), BYTES_MUT];
    if others.contains(&backend) || phase == Phase::Survivors && backend.contains("mimalloc") {
        return Vec::new();
    }
    let page = found.get(idle::PAGE).and_then(|figure| figure.value);
    match phase {
        Phase::Trim | Phase::OtherTrim => vec![(Level::Must, blocks::TRIMMED, 1.0)],
        Phase::Silent | Phase::OtherSilent => vec![
            (Level::Must, watch::GONE, 2.0),
            (Level::Aim, watch::GONE, 1.0),
        ],
        Phase::Survivors => vec![
            (Level::Must, blocks::PER_LIVE, 4.0),
            (Level::Aim, blocks::PER_LIVE, 2.0),
        ],
        Phase::Idle => {
            let page = page.unwrap_or(0.0);
            [idle::HELD, idle::RESIDENT]
                .map(|name| (Level::Must, name, page))
                .to_vec()
        }
        Phase::IdleRelease => vec![(Level::Must, idle::HELD, 0.0)],
    }
}

fn judge(phase: Phase, backend: &str, found: &Found) -> Vec<Verdict> {
    let verdict = |(level, name, at_most): (Level, &str, f64)| {
        let figure = found.get(name)?;
        Some(Verdict {
            level,
            bound: format!("{name} ≤ {}", figure.unit.show(at_most)),
            found: figure.to_string(),
            met: figure.value.is_some_and(|value| value <= at_most),
        })
    };
    let bars = bars(phase, backend, found).into_iter();
    bars.filter_map(verdict).collect()
}

/// The rows of one phase as a table.
///
/// ```
/// use linkbuf_bench::retention::{Outcome, Phase, Row, table};
/// let row = Row::new(Phase::Trim, "heap", Outcome::Skipped("no memory".into()));
/// assert!(table(&[&row]).contains("skipped: no memory"));
/// ```
pub fn table(rows: &[&Row]) -> String {
    let found = |row: &&Row| match &row.outcome {
        Outcome::Found(found) => Some(found.clone()),
        _ => None,
    };
    // Where some lack a figure, the one with the most has the columns.
    let widest = rows
        .iter()
        .filter_map(found)
        .max_by_key(|f| f.figures.len());
    let names: Vec<_> = widest.map_or_else(Vec::new, |found| {
        found.figures.into_iter().map(|f| f.name).collect()
    });
    let mut table = Table::new();
    let header = std::iter::once("allocator").chain(names.iter().map(String::as_str));
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.chain(["bars"]));
    for column in 1..=names.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut notes = String::new();
    for row in rows {
        let mut cells = vec![row.backend.to_owned()];
        match &row.outcome {
            Outcome::Found(found) => {
                let cell = |name| {
                    found
                        .get(name)
                        .map_or_else(String::new, ToString::to_string)
                };
                cells.extend(names.iter().map(|name| cell(name)));
                let verdicts: Vec<_> = row.verdicts.iter().map(Verdict::to_string).collect();
                cells.push(verdicts.join(", "));
            }
            // A column as wide as a sentence would spoil the table.
            other => notes.push_str(&format!("{}: {other}\n", row.backend)),
        }
        if cells.len() > 1 {
            table.add_row(cells);
        }
    }
    format!("{table}\n{notes}")
}

/// A run as one line: `phase`, `backend`, then `figures`, `series` (seconds, bytes) and `bars`, or why there are none.
///
/// ```
/// use linkbuf_bench::retention::{Outcome, Phase, Row, json_line};
/// let row = Row::new(Phase::Trim, "heap", Outcome::Skipped("no memory".into()));
/// assert_eq!(json_line(&row)["skipped"], "no memory");
/// ```
pub fn json_line(row: &Row) -> Value {
    let mut line = row.outcome.to_json();
    line["phase"] = json!(row.phase.id());
    line["backend"] = json!(row.backend);
    let verdicts = row.verdicts.iter().map(
        |v| json!({ "level": v.level.to_string(), "bound": v.bound, "found": v.found, "met": v.met }),
    );
    line["bars"] = verdicts.collect();
    line
}

/// The first line of a file of results: when, where, how much.
pub(super) fn about_line(sizes: Sizes) -> Value {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    json!({
        "about": machine::about(),
        "unix_time": time.map_or(0, |t| t.as_secs()),
        "mib": sizes.mib,
        "buffers": sizes.buffers,
        "watched_s": sizes.watch.as_secs_f64(),
    })
}

/// How many bars are met, and what the columns are.
pub(super) fn summary(rows: &[Row]) -> String {
    tally(rows.iter().flat_map(|row| &row.verdicts)) + NOTES
}

const NOTES: &str = "\
Resident: Rss + hugetlb − LazyFree of this process, less what it was before the first block. Parts are of `taken`.
t50, t90, t95: until half, 90 % and 95 % of what was taken had gone back, by a look every 50 ms.
held: memory().total(), headers too; of BytesMut, what it has on the heap.";
