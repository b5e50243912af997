//! Times of two runs, as multiples of what didn't change between them.
//!
//! The peers and floors of a scenario are other people's code. What they took in a round, of what they take as a rule,
//! says how fast the machine was just then; the middle one of them counts, so that one of them alone may be disturbed.
//! A contender of linkbuf's is divided by it, round by round, and the logarithms of these ratios are the two samples
//! that are compared. Peers and floors themselves aren't compared.

use super::stats::{self, Mean};
use super::{Change, Outcome};
use crate::results::{Quartiles, Timed};
use crate::scenario::Kind;

/// A change of less than this isn't told, however sure it is.
const LEAST: f64 = 0.07;

/// Of every contender of linkbuf's in either run.
pub(super) fn changes(a: &[Timed], b: &[Timed]) -> Vec<Change> {
    let ours = |rows: &'_ [Timed]| {
        let rows = rows.iter().filter(|row| row.kind == Kind::Linkbuf);
        rows.map(|row| (row.scenario.clone(), row.contender.clone()))
            .collect::<Vec<_>>()
    };
    let mut names = ours(a);
    let only_b = ours(b).into_iter().filter(|name| !names.contains(name));
    names.extend(only_b.collect::<Vec<_>>());
    let pairs: Vec<_> = names.iter().map(|name| Pair::of(name, a, b)).collect();
    let means = pairs.iter().filter_map(|pair| pair.means.as_ref().ok());
    let (mut in_a, mut in_b): (Vec<_>, Vec<_>) = means.copied().unzip();
    stats::steady(&mut in_a);
    stats::steady(&mut in_b);
    let chances = in_a.iter().zip(&in_b).map(|(a, b)| stats::chance(*a, *b));
    let chances: Vec<_> = chances.collect();
    let mut real = stats::real(&chances).into_iter();
    let change = |pair: &Pair| {
        let real = pair.means.is_ok() && real.next().unwrap_or(false);
        pair.change(real)
    };
    pairs.iter().map(change).collect()
}

/// A contender in both runs.
struct Pair {
    name: String,
    /// The logarithms of its ratios, or why there are none.
    means: Result<(Mean, Mean), String>,
}

impl Pair {
    fn of((scenario, contender): &(String, String), a: &[Timed], b: &[Timed]) -> Self {
        let [in_a, in_b] = [a, b].map(|rows| {
            let rows = rows.iter().filter(|row| row.scenario == *scenario);
            rows.filter(|row| !row.nanos.is_empty()).collect::<Vec<_>>()
        });
        Self {
            name: format!("{scenario}/{contender}"),
            means: means(contender, &in_a, &in_b),
        }
    }

    fn change(&self, real: bool) -> Change {
        let shown = |mean: Mean| format!("{:.3} ×", mean.value.exp());
        let mut change = Change {
            name: self.name.clone(),
            a: String::new(),
            b: String::new(),
            change: None,
            outcome: Outcome::Same,
            timed: true,
        };
        let (a, b) = match &self.means {
            Ok((a, b)) => (*a, *b),
            Err(why) => {
                change.outcome = Outcome::NotComparable(why.clone());
                return change;
            }
        };
        (change.a, change.b) = (shown(a), shown(b));
        let more = (b.value - a.value).exp_m1();
        change.change = Some(more);
        // By logarithms, so that there and back are the same.
        let large = (b.value - a.value).abs() >= LEAST.ln_1p();
        change.outcome = match (real && large, more > 0.0) {
            (true, true) => Outcome::Worse("slower"),
            (true, false) => Outcome::Better("faster"),
            (false, _) => Outcome::Same,
        };
        change
    }
}

fn means(contender: &str, a: &[&Timed], b: &[&Timed]) -> Result<(Mean, Mean), String> {
    let named = |rows: &[&Timed], name: &str| rows.iter().any(|row| row.contender == name);
    for (run, rows) in [("A", a), ("B", b)] {
        if !named(rows, contender) {
            return Err(format!("not in {run}"));
        }
    }
    let others = a.iter().filter(|row| row.kind != Kind::Linkbuf);
    let both: Vec<_> = others
        .map(|row| row.contender.as_str())
        .filter(|name| named(b, name))
        .collect();
    if both.is_empty() {
        return Err("no peer or floor in both".into());
    }
    let references: Vec<_> = both.iter().map(|name| Reference::of(name, a, b)).collect();
    let mean = |rows| Mean::of(&ratios(contender, &references, rows));
    let (mean_a, mean_b) = (mean(a), mean(b));
    mean_a
        .zip(mean_b)
        .ok_or_else(|| format!("fewer than {} rounds", Mean::LEAST))
}

/// A peer or floor.
struct Reference<'r> {
    name: &'r str,
    /// The logarithm of its time, as a rule: of both runs, or a machine that was slow in one of them would go unseen.
    rule: f64,
}

impl<'r> Reference<'r> {
    fn of(name: &'r str, a: &[&Timed], b: &[&Timed]) -> Self {
        let rows = a.iter().chain(b).filter(|row| row.contender == name);
        let all: Vec<_> = rows.flat_map(|row| &row.nanos).copied().collect();
        let rule = Quartiles::of(&all).map_or(f64::NAN, |all| all.median.ln());
        Self { name, rule }
    }
}

/// The logarithm of a contender's time over the references', of each round that has them all.
fn ratios(contender: &str, references: &[Reference<'_>], rows: &[&Timed]) -> Vec<f64> {
    let in_round = |name: &str, round: usize| {
        let row = rows.iter().find(|row| row.contender == name)?;
        Some(row.in_round(round)?.ln())
    };
    let own = rows.iter().find(|row| row.contender == contender);
    let rounds = own.map_or(&[][..], |row| &row.rounds);
    #[expect(clippy::cast_precision_loss, reason = "some tens at most")]
    let rule = references.iter().map(|r| r.rule).sum::<f64>() / references.len() as f64;
    let ratio = |round: &usize| {
        let references = references.iter();
        let all = references.map(|r| Some(in_round(r.name, *round)? - r.rule));
        let machine = Quartiles::of(&all.collect::<Option<Vec<_>>>()?)?.median;
        Some(in_round(contender, *round)? - machine - rule)
    };
    let ratios = rounds.iter().filter_map(ratio);
    ratios.filter(|ratio| ratio.is_finite()).collect()
}
