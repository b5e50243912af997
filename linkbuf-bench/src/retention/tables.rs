//! What is told of the runs, for people: tables per trial.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::Trial;
use crate::results::{Kept, Verdict};

/// Characters of a table's columns of figures, about: a trial with more has several tables.
const WIDTH: usize = 100;

/// The runs as tables, trial by trial, with a line for each that has no figures.
///
/// ```
/// use linkbuf_bench::{results::Kept, retention::tables, scenario::Kind};
/// let kept = Kept {
///     scenario: "R1".into(),
///     title: "blocks".into(),
///     subject: "heap".into(),
///     kind: Kind::Peer,
///     figures: Vec::new(),
///     series: Vec::new(),
///     marks: Vec::new(),
///     missing: Some("skipped: no memory".into()),
///     bars: Vec::new(),
/// };
/// assert!(tables(&[kept]).contains("heap: skipped: no memory"));
/// ```
pub fn tables(all: &[Kept]) -> String {
    let mut text = String::new();
    let mut scenarios: Vec<&str> = Vec::new();
    for kept in all {
        if scenarios.contains(&&*kept.scenario) {
            continue;
        }
        scenarios.push(&kept.scenario);
        let same = all.iter().filter(|other| other.scenario == kept.scenario);
        text.push_str(&format!("{}: {}\n", kept.scenario, kept.title));
        text.push_str(&of_one(&same.collect::<Vec<_>>()));
        text.push('\n');
    }
    if !text.is_empty() {
        text.push_str(NOTES);
        text.push('\n');
    }
    text
}

/// All tables of one trial.
fn of_one(runs: &[&Kept]) -> String {
    let (found, missing): (Vec<&Kept>, Vec<&Kept>) =
        runs.iter().partition(|kept| kept.missing.is_none());
    let mut text = String::new();
    let mut columns = columns(&found);
    // The table with the bars is the last.
    while !columns.is_empty() {
        let mut width = 0;
        let fits = columns.iter().take_while(|name| {
            width += name.chars().count().max(8) + 3;
            width <= WIDTH
        });
        let rest = columns.split_off(fits.count().max(1));
        let bars = rest.is_empty() && found.iter().any(|kept| !kept.bars.is_empty());
        text.push_str(&table(&found, &columns, bars));
        text.push('\n');
        columns = rest;
    }
    for kept in missing {
        // A column as wide as a sentence would spoil the table.
        let why = kept.missing.as_deref().unwrap_or_default();
        text.push_str(&format!("{}: {why}\n", kept.subject));
    }
    text
}

/// The names of all figures, in an order that keeps each run's own.
fn columns<'a>(runs: &[&'a Kept]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for kept in runs {
        let mut after = 0;
        for figure in &kept.figures {
            match names.iter().position(|name| *name == figure.name) {
                Some(at) => after = at + 1,
                None => {
                    names.insert(after, &figure.name);
                    after += 1;
                }
            }
        }
    }
    names
}

fn table(runs: &[&Kept], columns: &[&str], bars: bool) -> String {
    let mut table = Table::new();
    let header = std::iter::once("subject").chain(columns.iter().copied());
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.chain(bars.then_some("bars")));
    for column in 1..=columns.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for kept in runs {
        let figures = columns.iter().map(|name| kept.figure(name));
        let cells = figures.map(|figure| figure.map_or_else(String::new, ToString::to_string));
        let mut row = vec![kept.subject.clone()];
        row.extend(cells);
        if bars {
            let verdicts: Vec<_> = kept.bars.iter().map(Verdict::to_string).collect();
            row.push(verdicts.join(", "));
        }
        table.add_row(row);
    }
    table.to_string()
}

/// What the columns are.
const NOTES: &str = "\
Resident: Rss + hugetlb − LazyFree of the process, less what it was before the first block.
t50, t90, t95: until half, 90 % and 95 % of what was taken had gone, by a look every 50 ms, in a silent program with a
trimmer thread; alone: without one; heartbeat: small messages go on; other thread: it gave the memory back.
held: memory().total(), headers too; of peers, what they have on the heap. peak ratio: resident by bytes of messages.
re-warming: the first burst after silence by a warm one. pin factor: resident by bytes of the slices that were kept.";

/// The trials, a line each, with who takes part.
pub(crate) fn list() -> String {
    let mut text = String::new();
    for trial in Trial::ALL {
        let title = trial.title(super::Sizes::FULL);
        let names = trial.subjects().join(", ");
        text.push_str(&format!("{:<13} {title}\n{:<13} {names}\n", trial.id(), ""));
    }
    text
}
