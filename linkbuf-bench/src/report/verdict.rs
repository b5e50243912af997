//! What follows from what was measured: a row per contender, its ratio, and the bars it is held to.

use super::{Run, Spread};
use crate::measure::Times;
use crate::scenario::{Bar, Level, Scenario};

/// A bar, and whether it is met.
///
/// ```
/// use linkbuf_bench::{report::Verdict, scenario::Level};
/// let verdict = Verdict { level: Level::Must, bound: "≤ 4096 B".into(), found: "0 B".into(), met: true };
/// assert_eq!(verdict.to_string(), "must ≤ 4096 B met");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Must or aim.
    pub level: Level,
    /// What was asked.
    pub bound: String,
    /// What was found.
    pub found: String,
    /// Whether that is enough.
    pub met: bool,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let met = if self.met { "met" } else { "MISSED" };
        write!(f, "{} {} {met}", self.level, self.bound)
    }
}

/// One contender in one scenario.
///
/// ```
/// let row = linkbuf_bench::report::Row {
///     scenario: "W9",
///     title: "idle heap",
///     contender: "linkbuf",
///     value: 0.0,
///     unit: "B".into(),
///     shown: "0 B".into(),
///     spread: None,
///     ratio: None,
///     allocs: Vec::new(),
///     verdicts: Vec::new(),
/// };
/// assert_eq!(row.unit, "B");
/// ```
#[derive(Clone, Debug)]
pub struct Row {
    /// The scenario's id.
    pub scenario: &'static str,
    /// What is done.
    pub title: &'static str,
    /// Who does it.
    pub contender: &'static str,
    /// The median over the rounds.
    pub value: f64,
    /// The value's unit.
    pub unit: String,
    /// Value and unit, for people.
    pub shown: String,
    /// Half the distance of the samples' quartiles, as a part of the median.
    pub spread: Option<f64>,
    /// Its time as a multiple of the scenario's baseline.
    pub ratio: Option<Spread>,
    /// Allocator calls per part.
    pub allocs: Vec<(f64, &'static str)>,
    /// The bars that it is held to.
    pub verdicts: Vec<Verdict>,
}

/// A row for every contender that was measured.
///
/// ```
/// assert!(linkbuf_bench::report::rows(&Default::default()).is_empty());
/// ```
pub fn rows(run: &Run) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for scenario in &run.scenarios {
        for contender in &scenario.contenders {
            rows.extend(timed_row(run, scenario, contender.name));
        }
    }
    // W9 stands after the workloads that are timed, before the replay.
    let at = rows
        .iter()
        .position(|row| row.scenario.starts_with("replay"));
    let at = at.unwrap_or(rows.len());
    rows.splice(at..at, idle_rows(run));
    rows
}

fn times<'r>(run: &'r Run, scenario: &Scenario, contender: &str) -> Option<&'r Times> {
    let same = |t: &&Times| t.scenario == scenario.id && t.contender == contender;
    run.times.iter().find(same)
}

fn timed_row(run: &Run, scenario: &Scenario, contender: &'static str) -> Option<Row> {
    let own = times(run, scenario, contender)?;
    let nanos = Spread::of(&own.rounds)?.median;
    let (value, unit) = scenario.unit.value(nanos);
    let ratio = times(run, scenario, scenario.baseline)
        .filter(|_| contender != scenario.baseline)
        .and_then(|base| Spread::of_ratios(&own.rounds, &base.rounds));
    let calls = run
        .allocs
        .iter()
        .find(|a| a.scenario == scenario.id && a.contender == contender)
        .map(|a| a.calls);
    let bars = scenario.bars.iter().filter(|b| b.subject == contender);
    let mut verdicts: Vec<_> = bars.filter_map(|b| judge(run, scenario, b, own)).collect();
    if let Some(calls) = calls.filter(|_| scenario.no_allocs.contains(&contender)) {
        verdicts.push(Verdict {
            level: Level::Must,
            bound: "0".into(),
            found: format!("{calls} allocator calls"),
            met: calls == 0.0,
        });
    }
    let shares = scenario.alloc_shares.iter();
    Some(Row {
        scenario: scenario.id,
        title: scenario.title,
        contender,
        value,
        unit,
        shown: scenario.unit.show(nanos),
        spread: Spread::of(&own.samples).map(|s| s.relative()),
        ratio,
        allocs: calls.map_or_else(Vec::new, |c| shares.map(|s| (s.of(c), s.part)).collect()),
        verdicts,
    })
}

fn judge(run: &Run, scenario: &Scenario, bar: &Bar, own: &Times) -> Option<Verdict> {
    let references = bar.references.iter();
    let (name, reference) = references
        .filter_map(|&name| Some((name, times(run, scenario, name)?)))
        .filter_map(|(name, t)| Some((name, Spread::of(&t.rounds)?.median, t)))
        .min_by(|(_, a, _), (_, b, _)| a.total_cmp(b))
        .map(|(name, _, t)| (name, t))?;
    let ratio = Spread::of_ratios(&own.rounds, &reference.rounds)?;
    Some(Verdict {
        level: bar.level,
        bound: format!("≤ {:.2}", bar.at_most),
        found: format!(
            "{:.2} [{:.2} … {:.2}] × {name}",
            ratio.median, ratio.low, ratio.high
        ),
        met: bar.is_met(ratio.median),
    })
}

fn idle_rows(run: &Run) -> impl Iterator<Item = Row> {
    run.idle.iter().map(|idle| Row {
        scenario: "W9",
        title: "heap bytes that an idle buffer keeps after 1 MiB passed",
        contender: idle.contender,
        #[expect(clippy::cast_precision_loss, reason = "a few MiB")]
        value: idle.bytes as f64,
        unit: "B".into(),
        shown: format!("{} B", idle.bytes),
        spread: None,
        ratio: None,
        allocs: Vec::new(),
        verdicts: idle
            .bar
            .map(|(level, at_most)| Verdict {
                level,
                bound: format!("≤ {at_most} B"),
                found: format!("{} B", idle.bytes),
                met: idle.bytes <= at_most,
            })
            .into_iter()
            .collect(),
    })
}
