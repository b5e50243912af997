//! The tables for people.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::results::{Figure, Profiled, Results, Timed, Verdict};
use crate::scenario::Level;
use crate::{machine, retention};

/// All that was measured, a table a part, and a few lines under it: how many bars are met, and where it was.
///
/// ```
/// let text = linkbuf_bench::report::text(&Default::default());
/// assert!(text.contains("0 of 0 musts"));
/// ```
pub fn text(results: &Results) -> String {
    let mut text = String::new();
    if !results.throughput.is_empty() {
        text.push_str(&throughput(&results.throughput));
        text.push('\n');
    }
    if !results.retention.is_empty() {
        text.push_str(&retention::tables(&results.retention));
        text.push('\n');
    }
    if !results.heap.is_empty() {
        text.push_str(&heap(&results.heap));
        text.push('\n');
    }
    text.push_str(&tally(results));
    text.push_str(&machine::line_of(&results.about));
    for (name, value) in &results.settings {
        text.push_str(&format!("\n{name}: {value}"));
    }
    text.push('\n');
    if !results.complete {
        text.push_str("PARTIAL: this run was cut off; what is missing was not measured.\n");
    }
    text
}

/// An empty table with these columns, of which those `right` are numbers.
pub(crate) fn empty(columns: &[&str], right: std::ops::RangeInclusive<usize>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(columns);
    for column in right {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn throughput(rows: &[Timed]) -> String {
    let columns = [
        "contender",
        "median",
        "±",
        "× base [quartiles]",
        "allocs",
        "bars",
    ];
    let mut table = empty(&columns, 1..=2);
    let mut titles = String::new();
    for group in rows.chunk_by(|a, b| a.scenario == b.scenario) {
        let Timed {
            scenario,
            title,
            base,
            ..
        } = &group[0];
        titles.push_str(&format!("{scenario:<13} {title}\n"));
        table.add_row([format!("── {scenario} (base: {base})")]);
        for row in group {
            table.add_row(cells(row));
        }
    }
    format!("{titles}{table}\n{NOTES}")
}

const NOTES: &str = "\
median: over the rounds, of criterion's median of each. ±: half the distance of the rounds' quartiles.
× base: time as a multiple of the workload's base, formed within each round. allocs: calls for memory, once warm.
";

fn cells(row: &Timed) -> [String; 6] {
    let allocs: Vec<_> = row
        .allocs
        .iter()
        .map(|(calls, part)| format!("{}/{part}", short(*calls)))
        .collect();
    [
        row.contender.clone(),
        row.shown.clone(),
        format!("{:.0} %", row.spread * 100.0),
        row.to_base.map_or_else(String::new, |r| r.to_string()),
        allocs.join(" "),
        bars(&row.bars),
    ]
}

/// One line for all that one figure is held to.
fn bars(verdicts: &[Verdict]) -> String {
    let figures = verdicts.chunk_by(|a, b| a.found == b.found);
    let lines: Vec<_> = figures
        .map(|verdicts| {
            let bars: Vec<_> = verdicts.iter().map(Verdict::to_string).collect();
            format!("{}: {}", verdicts[0].found, bars.join(", "))
        })
        .collect();
    lines.join("\n")
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

fn heap(subjects: &[Profiled]) -> String {
    let columns = [
        "subject",
        "phase",
        "bytes out",
        "blocks out",
        "peak",
        "blocks taken",
        "not the heap's",
        "bars",
    ];
    let mut table = empty(&columns, 2..=5);
    let mut notes = String::new();
    for subject in subjects {
        for (n, phase) in subject.phases.iter().enumerate() {
            let beside: Vec<_> = phase.beside.iter().map(named).collect();
            let first = n == 0;
            table.add_row([
                if first {
                    subject.subject.clone()
                } else {
                    String::new()
                },
                phase.name.clone(),
                bytes(phase.bytes),
                phase.blocks.to_string(),
                bytes(phase.peak),
                phase.total_blocks.to_string(),
                beside.join(", "),
                if first {
                    bars(&subject.bars)
                } else {
                    String::new()
                },
            ]);
        }
        if let Some(why) = &subject.missing {
            notes.push_str(&format!("{}: {why}\n", subject.subject));
        } else if !subject.file.is_empty() {
            notes.push_str(&format!("{}: {}\n", subject.subject, subject.file));
        }
    }
    format!("The global heap, by dhat\n{table}\n{notes}")
}

fn named(figure: &Figure) -> String {
    format!("{} {figure}", figure.name)
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
    }
}

/// How many of the bars are met, in a line.
fn tally(results: &Results) -> String {
    let throughput = results.throughput.iter().flat_map(|row| &row.bars);
    let retention = results.retention.iter().flat_map(|row| &row.bars);
    let heap = results.heap.iter().flat_map(|row| &row.bars);
    let (mut must, mut musts, mut aim, mut aims) = (0, 0, 0, 0);
    for verdict in throughput.chain(retention).chain(heap) {
        let (met, all) = match verdict.level {
            Level::Must => (&mut must, &mut musts),
            Level::Aim => (&mut aim, &mut aims),
        };
        *met += usize::from(verdict.met);
        *all += 1;
    }
    format!("{must} of {musts} musts and {aim} of {aims} aims are met.\n")
}
