//! What follows from a scenario's rounds: medians, ratios, and whether the bars are met. Nowhere else is any of it
//! worked out.

use crate::results::{Quartiles, Timed, Verdict};
use crate::scenario::{Bar, Level, Scenario};

/// Sets, in the rows of `scenario`, all that follows from their rounds and allocator calls.
pub fn settle(scenario: &Scenario, rows: &mut [Timed]) {
    let settled: Vec<_> = rows
        .iter()
        .map(|row| settled(scenario, row, rows))
        .collect();
    rows.clone_from_slice(&settled);
}

fn settled(scenario: &Scenario, own: &Timed, rows: &[Timed]) -> Timed {
    let mut row = own.clone();
    let Some(nanos) = Quartiles::of(&own.nanos) else {
        return row;
    };
    (row.value, row.unit) = scenario.unit.value(nanos.median);
    row.shown = scenario.unit.show(nanos.median);
    row.spread = nanos.relative();
    row.to_base = named(rows, &own.base)
        .filter(|base| base.contender != own.contender)
        .and_then(|base| Quartiles::of(&own.ratios(base)));
    let bars = scenario.bars.iter();
    let bars = bars.filter(|bar| bar.subject == own.contender);
    row.bars = bars.filter_map(|bar| judge(rows, bar, own)).collect();
    let free = scenario.no_allocs.contains(&own.contender.as_str());
    if let Some((calls, part)) = own.allocs.first().filter(|_| free) {
        row.bars.push(Verdict {
            level: Level::Must,
            bound: "0".into(),
            found: format!("{calls} allocator calls/{part}"),
            met: *calls == 0.0,
        });
    }
    row
}

fn named<'r>(rows: &'r [Timed], contender: &str) -> Option<&'r Timed> {
    let found = rows.iter().find(|row| row.contender == contender);
    found.filter(|row| !row.nanos.is_empty())
}

/// Of several references the fastest counts.
fn judge(rows: &[Timed], bar: &Bar, own: &Timed) -> Option<Verdict> {
    let median = |row: &Timed| Quartiles::of(&row.nanos).map_or(f64::INFINITY, |q| q.median);
    let references = bar.references.iter();
    let reference = references
        .filter_map(|name| named(rows, name))
        .min_by(|a, b| median(a).total_cmp(&median(b)))?;
    let ratio = Quartiles::of(&own.ratios(reference))?;
    Some(Verdict {
        level: bar.level,
        bound: format!("≤ {:.2}", bar.at_most),
        found: format!("{ratio} × {}", reference.contender),
        met: bar.is_met(ratio.median),
    })
}
