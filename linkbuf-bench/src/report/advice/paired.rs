//! Two contenders of a scenario, round by round.

use crate::results::{Quartiles, Timed};

/// A difference below this part is none, however often it was found: a program's layout in memory makes as much.
const LEAST: f64 = 0.03;

/// The time of `timed` as a multiple of `other`'s, formed within each round that has both.
pub(super) fn ratio(timed: &Timed, other: &Timed) -> Option<Quartiles> {
    Quartiles::of(&timed.ratios(other))
}

/// Whether a ratio says that the two differ.
pub(super) fn differ(ratio: Quartiles) -> bool {
    (ratio.median - 1.0).abs() >= LEAST && (ratio.low > 1.0 || ratio.high < 1.0)
}

/// The fastest of those, by what they take beside the base, which drift doesn't touch.
pub(super) fn fastest(scenario: &[Timed], of: impl Fn(&Timed) -> bool) -> Option<&Timed> {
    in_order(scenario, of).into_iter().next()
}

/// Those, the fastest first.
pub(super) fn in_order(scenario: &[Timed], of: impl Fn(&Timed) -> bool) -> Vec<&Timed> {
    let beside = |timed: &Timed| match timed.to_base {
        Some(ratio) => ratio.median,
        None if timed.contender == timed.base => 1.0,
        None => f64::INFINITY,
    };
    let timed = |timed: &&Timed| of(timed) && !timed.nanos.is_empty();
    let mut all: Vec<_> = scenario.iter().filter(timed).collect();
    // Where the base wasn't measured, times are all there is.
    match all.iter().all(|timed| beside(timed).is_finite()) {
        true => all.sort_by(|a, b| beside(a).total_cmp(&beside(b))),
        false => all.sort_by(|a, b| median(a).total_cmp(&median(b))),
    }
    all
}

fn median(timed: &Timed) -> f64 {
    Quartiles::of(&timed.nanos).map_or(f64::INFINITY, |spread| spread.median)
}
