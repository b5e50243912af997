//! The table for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{Row, Run, Verdict, rows};
use crate::scenario::Level;

/// One table of all that was measured, and a few lines under it.
///
/// ```
/// assert!(linkbuf_bench::report::table(&Default::default()).contains("contender"));
/// ```
pub fn table(run: &Run) -> String {
    let rows = rows(run);
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header([
            "contender",
            "median",
            "±",
            "× base [quartiles]",
            "allocs",
            "bars",
        ]);
    for column in 1..=2 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut group = "";
    for row in &rows {
        if row.scenario != group {
            group = row.scenario;
            table.add_row([format!("── {group}")]);
        }
        table.add_row(cells(row));
    }
    let mut text = titles(&rows);
    text.push_str(&table.to_string());
    text.push('\n');
    text.push_str(&tally(rows.iter().flat_map(|row| &row.verdicts)));
    text.push_str(NOTES);
    text.push_str(&run.about);
    text.push('\n');
    text
}

const NOTES: &str = "\
median: over the rounds, of criterion's median of each. ±: half the distance of the quartiles of all samples.
× base: time as a multiple of the workload's base, formed within each round. allocs: calls for memory, once warm.
";

fn titles(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut group = "";
    for row in rows.iter().filter(|row| !row.title.is_empty()) {
        if row.scenario != group {
            group = row.scenario;
            text.push_str(&format!("{group:<13} {}\n", row.title));
        }
    }
    text
}

fn cells(row: &Row) -> [String; 6] {
    let ratio = |r: super::Spread| format!("{:.2} [{:.2} … {:.2}]", r.median, r.low, r.high);
    // One line for all that one figure is held to.
    let figures = row.verdicts.chunk_by(|a, b| a.found == b.found);
    let verdicts: Vec<_> = figures
        .map(|verdicts| {
            let bars: Vec<_> = verdicts.iter().map(Verdict::to_string).collect();
            format!("{}: {}", verdicts[0].found, bars.join(", "))
        })
        .collect();
    let allocs: Vec<_> = row
        .allocs
        .iter()
        .map(|(calls, part)| format!("{}/{part}", short(*calls)))
        .collect();
    [
        row.contender.to_owned(),
        row.shown.clone(),
        row.spread
            .map_or_else(String::new, |s| format!("{:.0} %", s * 100.0)),
        row.ratio.map_or_else(String::new, ratio),
        allocs.join(" "),
        verdicts.join("\n"),
    ]
}

/// Three digits.
fn short(n: f64) -> String {
    match n {
        0.0 => "0".into(),
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 1.0 => format!("{n:.1}"),
        n => format!("{n:.4}"),
    }
}

/// How many of the bars are met, in a line.
pub(crate) fn tally<'a>(verdicts: impl Iterator<Item = &'a Verdict>) -> String {
    let (mut must, mut musts, mut aim, mut aims) = (0, 0, 0, 0);
    for verdict in verdicts {
        let (met, all) = match verdict.level {
            Level::Must => (&mut must, &mut musts),
            Level::Aim => (&mut aim, &mut aims),
        };
        *met += usize::from(verdict.met);
        *all += 1;
    }
    format!("{must} of {musts} musts and {aim} of {aims} aims are met.\n")
}
