//! The choice for a use that is about memory.

use super::uses::Want;
use super::{Pick, paired};
use crate::report::names;
use crate::report::plot;
use crate::results::{Figure, Kept, Results};
use crate::scenario::Kind;

impl Want {
    /// How much it is; a time that never came is endless.
    fn value(&self, kept: &Kept) -> Option<f64> {
        let figure = (self.find)(kept)?;
        Some(figure.value.unwrap_or(f64::INFINITY).max(0.0))
    }

    /// The same, endless if it isn't known.
    fn of(&self, kept: &Kept) -> f64 {
        self.value(kept).unwrap_or(f64::INFINITY)
    }

    /// Whether two of these differ beyond noise.
    fn differ(&self, a: f64, b: f64) -> bool {
        let (part, least) = self.noise;
        let larger = a.max(b);
        a != b && (larger.is_infinite() || (a - b).abs() > least.max(part * larger))
    }

    fn least<'k>(&self, of: impl Iterator<Item = &'k Kept>) -> Option<&'k Kept> {
        of.min_by(|a, b| self.of(a).total_cmp(&self.of(b)))
    }

    /// How `best` stands beside another, in words.
    fn compared(&self, best: &Kept, other: &Kept) -> Option<String> {
        let figure = shown((self.find)(other)?);
        let (own, theirs, name) = (self.of(best), self.of(other), &other.subject);
        Some(if !self.differ(own, theirs) {
            format!("no difference beyond noise from {name} ({figure})")
        } else if theirs.is_infinite() {
            format!("{name}: never, while it was watched")
        } else if theirs > own.max(self.noise.1) {
            // A multiple of what is within the noise would say too much.
            let at_least = if own < self.noise.1 { "at least " } else { "" };
            format!(
                "{name}: {figure}, {at_least}{} times as much",
                plot::ratio(theirs / own.max(self.noise.1))
            )
        } else {
            format!("{name}: {figure}")
        })
    }
}

/// A figure in a sentence: bytes in the unit that fits.
fn shown(figure: &Figure) -> String {
    match figure.value {
        Some(value) if figure.unit == "B/buffer" => plot::bytes(value.max(0.0).round()),
        _ => figure.to_string(),
    }
}

/// Chooses by the first of `scenarios` that was measured: the least of the first of `wants`, then of the next.
pub(super) fn pick(
    results: &Results,
    name: &str,
    scenarios: &[&str],
    wants: &[Want],
) -> Option<Pick> {
    let first = wants.first()?;
    let all = names::kept_scenarios(&results.retention);
    let mut measured = scenarios.iter().filter_map(|id| {
        let scenario = all.iter().find(|scenario| scenario[0].scenario == *id)?;
        let ours = |kept: &&Kept| kept.kind == Kind::Linkbuf && first.value(kept).is_some();
        Some((*scenario, scenario.iter().filter(ours).collect::<Vec<_>>()))
    });
    let (scenario, ours) = measured.find(|(_, ours)| !ours.is_empty())?;
    let mut left = ours.clone();
    for want in wants {
        let least = want.least(left.iter().copied()).map(|kept| want.of(kept))?;
        left.retain(|kept| !want.differ(want.of(kept), least));
    }
    // The default needs no choice, so it is taken where nothing speaks for another; then what is easy to have.
    let best = left
        .iter()
        .copied()
        .min_by_key(|kept| names::rank(&kept.subject))?;
    let told = wants.iter().filter_map(|want| {
        let figure = (want.find)(best)?;
        Some(want.what.replace("{}", &shown(figure)))
    });
    Some(Pick {
        name: name.to_owned(),
        best: best.subject.clone(),
        how: names::how(&best.subject).to_owned(),
        found: told.collect::<Vec<_>>().join(", "),
        beside: beside(first, best, &left, &ours, scenario),
        costs: costs(results, best),
        source: format!("{}: {}", best.scenario, best.title),
    })
}

/// Beside `BytesMut`, the next of linkbuf's, its default, and those that did as well.
fn beside(
    want: &Want,
    best: &Kept,
    equal: &[&Kept],
    ours: &[&Kept],
    scenario: &[Kept],
) -> Vec<String> {
    let others = ours
        .iter()
        .copied()
        .filter(|kept| kept.subject != best.subject);
    let apart = others.filter(|kept| want.differ(want.of(kept), want.of(best)));
    let next = want.least(apart.clone());
    let is_next = |kept: &Kept| next.is_some_and(|next| next.subject == kept.subject);
    let default = apart
        .clone()
        .find(|kept| names::is_default(&kept.subject) && !is_next(kept));
    let bytes_mut = scenario.iter().find(|kept| kept.subject == "bytes_mut");
    let mut lines = Vec::new();
    lines.extend(bytes_mut.and_then(|peer| want.compared(best, peer)));
    lines.extend(next.and_then(|next| want.compared(best, next)));
    lines.extend(
        default
            .and_then(|kept| want.compared(best, kept))
            .map(|line| format!("the default, {line}")),
    );
    let equal = equal
        .iter()
        .map(|kept| &*kept.subject)
        .filter(|name| *name != best.subject);
    let equal: Vec<_> = equal.collect();
    if !equal.is_empty() {
        lines.push(format!(
            "no difference beyond noise from {}",
            equal.join(", ")
        ));
    }
    lines
}

/// Time for RPC frames, beside linkbuf's fastest, and what else it is paid with, wherever that was found.
fn costs(results: &Results, best: &Kept) -> Vec<String> {
    let scenarios = names::scenarios(&results.throughput);
    let contender = names::contender_of(&best.subject);
    let time = ["rpc", "replay-small", "W1"].iter().find_map(|id| {
        let scenario = scenarios
            .iter()
            .find(|scenario| scenario[0].scenario == *id)?;
        let own = scenario
            .iter()
            .find(|timed| Some(&*timed.contender) == contender)?;
        let fastest = paired::fastest(scenario, |timed| timed.kind == Kind::Linkbuf)?;
        let ratio = paired::ratio(own, fastest)?;
        Some(match paired::differ(ratio) {
            false => format!("no more time than linkbuf's fastest ({id})"),
            true => format!("{ratio} × the time of {} ({id})", fastest.contender),
        })
    });
    // Where it was chosen, if it is told there.
    let others = results
        .retention
        .iter()
        .filter(|kept| kept.subject == best.subject);
    let all = || std::iter::once(best).chain(others.clone());
    let figures = names::COSTS.iter().filter_map(|(name, what)| {
        let (kept, figure) = all().find_map(|kept| Some((kept, kept.figure(name)?)))?;
        figure.value?;
        Some(format!(
            "{} ({})",
            what.replace("{}", &shown(figure)),
            kept.scenario
        ))
    });
    time.into_iter().chain(figures).collect()
}
