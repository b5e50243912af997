//! The choice for a use that is about time.

use super::{Pick, paired};
use crate::report::{names, plot};
use crate::results::{Results, Timed};
use crate::scenario::Kind;

/// Chooses by the first of `scenarios` that was measured.
pub(super) fn pick(results: &Results, name: &str, scenarios: &[&str]) -> Option<Pick> {
    let all = names::scenarios(&results.throughput);
    let measured = scenarios
        .iter()
        .filter_map(|id| all.iter().find(|all| all[0].scenario == *id));
    let measured: Vec<&[Timed]> = measured.copied().collect();
    let of_linkbuf = |timed: &Timed| timed.kind == Kind::Linkbuf;
    let scenario = measured
        .iter()
        .find(|scenario| paired::fastest(scenario, of_linkbuf).is_some())?;
    let ours = paired::in_order(scenario, of_linkbuf);
    let fastest = *ours.first()?;
    let alike = |timed: &Timed| {
        timed.contender == fastest.contender
            || paired::ratio(timed, fastest).is_some_and(|ratio| !paired::differ(ratio))
    };
    let (equal, apart): (Vec<&Timed>, Vec<&Timed>) = ours.iter().partition(|timed| alike(timed));
    // The default needs no choice, so it is taken where nothing speaks for another.
    let default = names::default_of(scenario);
    let is_default = |timed: &Timed| default.is_some_and(|d| d.contender == timed.contender);
    let best = equal
        .iter()
        .copied()
        .find(|timed| is_default(timed))
        .unwrap_or(fastest);
    let mut beside = Vec::new();
    let bytes_mut = paired::fastest(scenario, is_bytes_mut);
    beside.extend(bytes_mut.and_then(|peer| compared(best, peer)));
    let peer = paired::fastest(scenario, |timed| {
        timed.kind == Kind::Peer && !is_bytes_mut(timed)
    });
    beside.extend(peer.and_then(|peer| compared(best, peer)));
    beside.extend(apart.first().and_then(|next| compared(best, next)));
    if let Some(default) = apart.iter().skip(1).find(|timed| is_default(timed)) {
        beside.extend(compared(best, default).map(|line| format!("{line}, the default")));
    }
    let equal: Vec<_> = equal
        .iter()
        .map(|timed| &*timed.contender)
        .filter(|c| *c != best.contender)
        .collect();
    if !equal.is_empty() {
        beside.push(format!(
            "no difference beyond noise from {}",
            equal.join(", ")
        ));
    }
    beside.extend(elsewhere(best, &measured));
    Some(Pick {
        name: name.to_owned(),
        best: best.contender.clone(),
        how: names::how(&best.contender).to_owned(),
        found: best.shown.clone(),
        beside,
        costs: keeps(results, &best.contender).into_iter().collect(),
        source: format!("{}: {}", best.scenario, best.title),
    })
}

fn is_bytes_mut(timed: &Timed) -> bool {
    timed.contender.starts_with("bytes_mut")
}

/// How `best` stands beside another, in words.
fn compared(best: &Timed, other: &Timed) -> Option<String> {
    let ratio = paired::ratio(best, other)?;
    let name = &other.contender;
    Some(match ratio.median {
        _ if !paired::differ(ratio) => {
            format!("no difference beyond noise from {name} ({ratio} × its time)")
        }
        less if less < 1.0 => format!(
            "{:.0} % less time than {name} ({ratio})",
            (1.0 - less) * 100.0
        ),
        more => format!(
            "{:.0} % MORE time than {name} ({ratio})",
            (more - 1.0) * 100.0
        ),
    })
}

/// How it did in the other scenarios of the use.
fn elsewhere(best: &Timed, measured: &[&[Timed]]) -> Option<String> {
    let others = measured
        .iter()
        .filter(|scenario| scenario[0].scenario != best.scenario);
    let told = others.filter_map(|other| {
        let own = other
            .iter()
            .find(|timed| timed.contender == best.contender)?;
        let ratio = paired::ratio(own, paired::fastest(other, is_bytes_mut)?)?;
        Some(format!("{} {}", own.scenario, plot::ratio(ratio.median)))
    });
    let told: Vec<_> = told.collect();
    (!told.is_empty()).then(|| {
        format!(
            "elsewhere, as a multiple of BytesMut's time: {}",
            told.join(", ")
        )
    })
}

/// What an idle buffer of it keeps.
fn keeps(results: &Results, contender: &str) -> Option<String> {
    let subject = names::subject_of(contender)?;
    let mut weighed = results
        .retention
        .iter()
        .filter(|kept| kept.subject == subject);
    let kept = weighed.find(|kept| names::idle(kept).is_some())?;
    let value = names::idle(kept)?.value?.max(0.0).round();
    Some(format!(
        "keeps {} per idle buffer ({})",
        plot::bytes(value),
        kept.scenario
    ))
}
