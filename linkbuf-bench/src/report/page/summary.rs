//! What a reader acts on: the head of the page, the choices, the bars that are missed, the machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maud::{Markup, html};

use super::Section;
use crate::report::advice::{self, Pick};
use crate::report::plot;
use crate::results::{Results, Verdict};
use crate::scenario::Level;

/// The page's title.
pub(super) fn title(results: &Results) -> String {
    let about = &results.about;
    let parts = [about.host.as_str(), about.revision.as_str()];
    let known: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    match known.is_empty() {
        true => "linkbuf benchmark".into(),
        false => format!("linkbuf benchmark: {}", known.join(", ")),
    }
}

/// Date and time, in UTC.
fn time(unix: u64) -> Option<String> {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(unix))?;
    // Beyond the year 9999 there is no such text.
    let told = at < SystemTime::now() + Duration::from_secs(1 << 31);
    let text = || humantime::format_rfc3339_seconds(at).to_string();
    (unix > 0 && told).then(|| text().replace('T', " ").replace('Z', " UTC"))
}

/// Heading, where and when; whether all of it is there.
pub(super) fn head(results: &Results) -> Markup {
    let about = &results.about;
    let cpus = format!("{} CPUs", about.cpus);
    let revision = format!("revision {}", about.revision);
    let time = time(about.unix_time);
    let parts = [
        (!about.cpu.is_empty()).then_some(about.cpu.as_str()),
        (about.cpus > 0).then_some(&cpus),
        (!about.kernel.is_empty()).then_some(&about.kernel),
        (!about.revision.is_empty()).then_some(&revision),
        time.as_deref(),
    ];
    let known: Vec<_> = parts.into_iter().flatten().collect();
    html! {
        h1 { "linkbuf, measured" @if !about.host.is_empty() { " on " (about.host) } }
        p.sub { (known.join(" · ")) }
        @if !results.complete {
            p.partial role="note" {
                strong { "This run is not complete." }
                " It was cut off: what is missing below was not measured, and what is here may rest on fewer rounds."
            }
        }
    }
}

/// The choice for each kind of use, and where linkbuf's default is slower than a peer.
pub(super) fn choices(results: &Results) -> Option<Section> {
    let advice = advice::advise(results);
    let verdict = advice::verdict(&advice);
    if advice.picks.is_empty() && verdict.is_none() {
        return None;
    }
    let body = html! {
        h2 { "What did best here" }
        @if !advice.picks.is_empty() {
            p.note { "linkbuf's backends and policies, by what they are used for. Ratios are medians with quartiles; where \
                      two don't differ beyond noise, the one that needs no choice is named." }
            div.picks { @for pick in &advice.picks { (card(pick)) } }
        }
        @if let Some(verdict) = verdict {
            @if advice.slower.is_empty() {
                p { (verdict) }
            } @else {
                p { strong { (verdict) } }
                ul { @for slower in &advice.slower { li { (slower) } } }
            }
        }
    };
    Some(Section {
        id: "choose",
        link: "What did best",
        body,
    })
}

fn card(pick: &Pick) -> Markup {
    let lines = |heading: &str, lines: &[String]| {
        html! {
            @if !lines.is_empty() {
                dt { (heading) }
                @for line in lines { dd { (line) } }
            }
        }
    };
    html! {
        article.pick {
            h3 { (pick.name) }
            p.best { (pick.best) }
            p.found { (pick.found) }
            dl {
                @if !pick.how.is_empty() { dt { "write" } dd { (pick.how) } }
                (lines("beside", &pick.beside))
                (lines("costs", &pick.costs))
                dt { "from" } dd { (pick.source) }
            }
        }
    }
}

/// All bars: who is held to them, and whether they are met.
fn bars(results: &Results) -> Vec<(String, &Verdict)> {
    let timed = results.throughput.iter().map(|row| (row.name(), &row.bars));
    let kept = results
        .retention
        .iter()
        .map(|row| (format!("{}/{}", row.scenario, row.subject), &row.bars));
    let heap = results
        .heap
        .iter()
        .map(|row| (format!("heap/{}", row.subject), &row.bars));
    let all = timed.chain(kept).chain(heap);
    all.flat_map(|(name, bars)| bars.iter().map(move |bar| (name.clone(), bar)))
        .collect()
}

/// How many bars are met, and which are not.
pub(super) fn missed(results: &Results) -> Option<Section> {
    let bars = bars(results);
    if bars.is_empty() {
        return None;
    }
    let of = |level: Level| {
        let all = bars.iter().filter(move |(_, bar)| bar.level == level);
        (all.clone().filter(|(_, bar)| bar.met).count(), all.count())
    };
    let (musts, aims) = (of(Level::Must), of(Level::Aim));
    let missed = |level: Level| {
        let missed: Vec<_> = bars
            .iter()
            .filter(|(_, bar)| bar.level == level && !bar.met)
            .collect();
        missed
    };
    let list = |level: Level| {
        html! {
            ul {
                @for (name, bar) in missed(level) {
                    li { (name) ": " (bar.found) ", " (bar.bound) " asked " span.missed { "MISSED" } }
                }
            }
        }
    };
    let body = html! {
        h2 { "What linkbuf is held to" }
        p { (musts.0) " of " (musts.1) " musts and " (aims.0) " of " (aims.1) " aims are met." }
        @if musts.0 < musts.1 {
            h3 { "Musts that are missed" }
            (list(Level::Must))
        }
        @if aims.0 < aims.1 {
            details {
                summary { "Aims that are missed: " (aims.1 - aims.0) }
                (list(Level::Aim))
            }
        }
    };
    Some(Section {
        id: "bars",
        link: "Musts and aims",
        body,
    })
}

/// The machine, and how it was measured.
pub(super) fn machine(results: &Results) -> Option<Section> {
    let about = &results.about;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let number = |n: u64| (n > 0).then(|| n.to_string());
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let memory = (about.memory > 0).then(|| plot::bytes(about.memory as f64));
    let known = about.cpus > 0;
    let facts = [
        ("Host", text(&about.host)),
        ("Processor", text(&about.cpu)),
        ("CPUs", number(about.cpus as u64)),
        ("Memory", memory),
        ("System", text(&about.kernel)),
        (
            "Huge pages",
            known.then(|| format!("{} reserved and free", about.huge_pages)),
        ),
        ("Transparent huge pages", text(&about.transparent)),
        ("Revision", text(&about.revision)),
        ("Began", time(about.unix_time)),
    ];
    let facts: Vec<_> = facts
        .into_iter()
        .filter_map(|(name, fact)| Some((name, fact?)))
        .collect();
    if facts.is_empty() && results.settings.is_empty() {
        return None;
    }
    let body = html! {
        h2 { "Machine and settings" }
        @if !facts.is_empty() {
            dl.facts { @for (name, fact) in &facts { dt { (name) } dd { (fact) } } }
        }
        @if !results.settings.is_empty() {
            h3 { "Settings" }
            dl.facts {
                @for (name, value) in &results.settings { dt { (name) } dd { (value) } }
            }
        }
    };
    Some(Section {
        id: "machine",
        link: "Machine and settings",
        body,
    })
}
