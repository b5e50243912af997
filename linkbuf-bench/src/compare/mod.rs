//! What changed between two runs, beyond noise.
//!
//! Absolute times of two runs of the same program differ by a fifth and more: the machine drifts. What drift doesn't
//! touch is compared instead, a contender's time as a multiple of its scenario's peers and floors in the same round:
//! see `times`. Memory is compared as it is, by thresholds: see `figures`.

mod figures;
mod stats;
mod times;

use comfy_table::CellAlignment;

use crate::report;
use crate::results::Results;

/// What became of a figure.
///
/// ```
/// use linkbuf_bench::compare::Outcome;
/// assert_eq!(Outcome::Worse("slower").to_string(), "slower");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is better, and how: `faster`, `smaller`, `sooner`.
    Better(&'static str),
    /// It is worse, and how: `slower`, `larger`, `later`.
    Worse(&'static str),
    /// It is another, which is neither good nor bad.
    Other,
    /// It is the same, as far as can be seen.
    Same,
    /// It can't be compared, and why.
    NotComparable(String),
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Better(how) => f.write_str(how),
            Self::Worse(how) => write!(f, "{how}"),
            Self::Other => f.write_str("another"),
            Self::Same => f.write_str("same"),
            Self::NotComparable(why) => write!(f, "not comparable: {why}"),
        }
    }
}

/// One figure of two runs.
///
/// ```
/// use linkbuf_bench::compare::{Change, Outcome};
/// let change = Change {
///     name: "W1/linkbuf".into(),
///     a: "1.00 ×".into(),
///     b: "1.21 ×".into(),
///     change: Some(0.21),
///     outcome: Outcome::Worse("slower"),
///     timed: true,
/// };
/// assert_eq!(change.shown(), "+21.0 %");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Scenario, contender or subject, figure.
    pub name: String,
    /// In the first run, for people; empty if it isn't in it.
    pub a: String,
    /// In the second run.
    pub b: String,
    /// By how much the second is more, as a part of the first.
    pub change: Option<f64>,
    /// What that means.
    pub outcome: Outcome,
    /// Whether it is a result of the throughput part.
    pub timed: bool,
}

impl Change {
    /// The change, for people.
    pub fn shown(&self) -> String {
        let shown = |change| match change {
            more if more >= 9.0 => format!("× {:.0}", more + 1.0),
            change => format!("{:+.1} %", change * 100.0),
        };
        self.change.map_or_else(String::new, shown)
    }
}

/// All that was compared of two runs.
///
/// ```
/// use linkbuf_bench::{compare::compare, results::Results};
/// let same = compare(&Results::default(), &Results::default());
/// assert_eq!(same.worse(), 0);
/// assert!(same.text(false).contains("nothing to compare"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Why the runs are not quite alike, a sentence each.
    pub warnings: Vec<String>,
    /// Figure by figure.
    pub changes: Vec<Change>,
}

/// Compares a run with an earlier one.
pub fn compare(a: &Results, b: &Results) -> Comparison {
    let mut changes = times::changes(&a.throughput, &b.throughput);
    changes.extend(figures::retention(&a.retention, &b.retention));
    changes.extend(figures::heap(&a.heap, &b.heap));
    Comparison {
        warnings: warnings(a, b),
        changes,
    }
}

impl Comparison {
    /// How many figures got worse: slower, larger or later.
    pub fn worse(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Worse(_)))
    }

    fn count(&self, is: impl Fn(&Outcome) -> bool) -> usize {
        self.changes.iter().filter(|c| is(&c.outcome)).count()
    }

    /// For people: a table, and what it comes to. Of memory only what isn't the same is in it, unless `all` is.
    pub fn text(&self, all: bool) -> String {
        let mut table = report::empty(&["", "A", "B", "change", "verdict"], 1..=3);
        if let Some(last) = table.column_mut(4) {
            last.set_cell_alignment(CellAlignment::Left);
        }
        let shown = |change: &&Change| all || change.timed || change.outcome != Outcome::Same;
        let mut rows = 0;
        for change in self.changes.iter().filter(shown) {
            let cells = [&change.name, &change.a, &change.b].map(String::clone);
            let [name, a, b] = cells;
            table.add_row([name, a, b, change.shown(), change.outcome.to_string()]);
            rows += 1;
        }
        let mut text = String::new();
        for warning in &self.warnings {
            text.push_str(&format!("warning: {warning}\n"));
        }
        if rows > 0 {
            text.push_str(&format!("{table}\n{NOTE}"));
        }
        text + &self.summary()
    }

    /// The last line.
    fn summary(&self) -> String {
        if self.changes.is_empty() {
            return "nothing to compare: the runs have no result of linkbuf's in common\n".into();
        }
        let worse = self.worse();
        let better = self.count(|outcome| matches!(outcome, Outcome::Better(_)));
        let other = self.count(|outcome| matches!(outcome, Outcome::Other));
        let same = self.count(|outcome| matches!(outcome, Outcome::Same));
        let not = self.changes.len() - worse - better - other - same;
        format!(
            "{worse} worse, {better} better, {other} another, {same} the same, {not} not comparable\n"
        )
    }
}

const NOTE: &str = "\
times: multiples of what the scenario's peers and floors take, corrected round by round for the machine's speed.
A change of less than 7 %, or one that the rounds don't bear out, is none.
";

fn warnings(a: &Results, b: &Results) -> Vec<String> {
    let mut all = Vec::new();
    let text = |results: &Results| {
        let about = &results.about;
        [
            ("host", about.host.clone()),
            ("processor", about.cpu.clone()),
            ("number of processors", about.cpus.to_string()),
            ("kernel", about.kernel.clone()),
            ("transparent huge pages", about.transparent.clone()),
            ("reserved huge pages", about.huge_pages.to_string()),
        ]
    };
    for ((name, a), (_, b)) in text(a).into_iter().zip(text(b)) {
        if a != b {
            all.push(format!("another {name}: {a}, then {b}"));
        }
    }
    let names: std::collections::BTreeSet<_> = a.settings.keys().chain(b.settings.keys()).collect();
    for name in names {
        let [a, b] = [a, b].map(|results| results.settings.get(name).map_or("none", |s| s));
        if a != b {
            all.push(format!("other settings of {name}: {a}, then {b}"));
        }
    }
    for (name, results) in [("first", a), ("second", b)] {
        if !results.complete {
            all.push(format!("the {name} run was cut off"));
        }
    }
    all
}
