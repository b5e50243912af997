//! The raw tables.

use maud::{Markup, html};

use super::Section;
use crate::report::{names, plot};
use crate::results::{Figure, HeapPhase, Kept, Profiled, Results, Timed, Verdict};
use crate::scenario::Kind;

/// A table that scrolls in a box of its own.
fn table(caption: &str, columns: &[(&str, bool)], rows: Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for (name, number) in columns { th scope="col" .n[*number] { (name) } } } }
                tbody { (rows) }
            }
        }
    }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Linkbuf => "linkbuf",
        Kind::Peer => "peer",
        Kind::Floor => "floor",
    }
}

fn bars(bars: &[Verdict]) -> Markup {
    html! {
        td.bars {
            @for bar in bars {
                div {
                    (bar.level) " " (bar.bound) ", found " (bar.found) ": "
                    @if bar.met { span.met { "met" } } @else { span.missed { "MISSED" } }
                }
            }
        }
    }
}

/// Times.
pub(super) fn throughput(results: &Results) -> Option<Section> {
    if results.throughput.is_empty() {
        return None;
    }
    let scenarios = names::scenarios(&results.throughput);
    let body = html! {
        h2 { "Times" }
        p.note {
            "Median: over the rounds. ±: half the distance of the rounds' quartiles. × base: time as a multiple of the \
             base's, formed within each round. Calls: to the allocator, once warm. "
            (legend())
        }
        @for scenario in scenarios { (timed(scenario)) }
    };
    Some(Section {
        id: "times",
        link: "Tables: times",
        body,
    })
}

fn legend() -> Markup {
    html! {
        span.linkbuf { "linkbuf, its default bold; " }
        span.peer { "what you would use instead; " }
        span.floor { "a floor: less than all the work." }
    }
}

fn timed(scenario: &[Timed]) -> Markup {
    let first = &scenario[0];
    let default = names::default_of(scenario).map(|timed| &timed.contender);
    let held = scenario.iter().any(|timed| !timed.bars.is_empty());
    let called = scenario.iter().any(|timed| !timed.allocs.is_empty());
    let mut columns = vec![
        ("contender", false),
        ("median", true),
        ("±", true),
        ("× base [quartiles]", true),
    ];
    columns.extend(called.then_some(("calls", true)));
    columns.extend(held.then_some(("bars", false)));
    let rows = html! {
        @for timed in scenario {
            tr .default[Some(&timed.contender) == default] {
                th scope="row" class=(class(timed.kind)) { (timed.contender) }
                td.n { (timed.shown) }
                td.n { (format!("{:.0} %", timed.spread * 100.0)) }
                td.n {
                    @match timed.to_base {
                        Some(ratio) => (ratio),
                        None => @if timed.contender == timed.base { "base" },
                    }
                }
                @if called { td.n { (allocs(timed)) } }
                @if held { (bars(&timed.bars)) }
            }
        }
    };
    html! {
        h3 { (first.scenario) }
        (table(&first.title, &columns, rows))
    }
}

fn allocs(timed: &Timed) -> String {
    let told = timed.allocs.iter().map(|(calls, part)| match calls {
        0.0 => format!("0/{part}"),
        calls if *calls >= 1.0 => format!("{calls:.1}/{part}"),
        calls => format!("{calls:.4}/{part}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// What stays resident.
pub(super) fn retention(results: &Results) -> Option<Section> {
    if results.retention.is_empty() {
        return None;
    }
    let body = html! {
        h2 { "What stays resident" }
        p.note {
            "Each subject had a process of its own. Resident: what the system says of it, with huge pages and without what \
             it may take back at will, less what it was before the first buffer or block. "
            (legend())
        }
        @for scenario in names::kept_scenarios(&results.retention) { (kept(scenario)) }
    };
    Some(Section {
        id: "kept",
        link: "Tables: memory",
        body,
    })
}

/// The figures' names, each once: of whoever has the most first.
fn figures(scenario: &[Kept]) -> Vec<&str> {
    let mut all: Vec<_> = scenario.iter().map(|kept| &kept.figures).collect();
    all.sort_by_key(|figures| std::cmp::Reverse(figures.len()));
    let mut names = Vec::new();
    for figure in all.into_iter().flatten() {
        if !names.contains(&&*figure.name) {
            names.push(&*figure.name);
        }
    }
    names
}

fn kept(scenario: &[Kept]) -> Markup {
    let first = &scenario[0];
    let names = figures(scenario);
    let (found, missing): (Vec<&Kept>, Vec<&Kept>) = scenario
        .iter()
        .partition(|kept| kept.missing.is_none() || !kept.figures.is_empty());
    let held = found.iter().any(|kept| !kept.bars.is_empty());
    let mut columns = vec![("subject", false)];
    columns.extend(names.iter().map(|name| (*name, true)));
    columns.extend(held.then_some(("bars", false)));
    let rows = html! {
        @for kept in &found {
            tr .default[names::is_default(&kept.subject)] {
                th scope="row" class=(class(kept.kind)) { (kept.subject) }
                @for name in &names {
                    td.n { @if let Some(figure) = kept.figure(name) { (figure) } }
                }
                @if held { (bars(&kept.bars)) }
            }
        }
    };
    html! {
        h3 { (first.scenario) }
        @if found.is_empty() { p { (first.title) } } @else { (table(&first.title, &columns, rows)) }
        @if !missing.is_empty() {
            ul.note {
                @for kept in missing { li { (kept.subject) ": " (kept.missing.as_deref().unwrap_or_default()) } }
            }
        }
    }
}

/// What the global heap holds, and beside it what dhat can't see.
pub(super) fn heap(results: &Results) -> Option<Section> {
    let all = &results.heap;
    if all.is_empty() {
        return None;
    }
    let seen: Vec<_> = all.iter().filter(|of| !of.phases.is_empty()).collect();
    let unseen = |of: &&&Profiled| of.phases.iter().any(|phase| memory(phase).next().is_some());
    let unseen: Vec<_> = seen.iter().filter(unseen).collect();
    let files: Vec<_> = all.iter().filter(|of| !of.file.is_empty()).collect();
    let missing = all
        .iter()
        .filter_map(|of| Some((&of.subject, of.missing.as_ref()?)));
    let missing: Vec<_> = missing.collect();
    let body = html! {
        h2 { "The global heap, phase by phase" }
        p.note {
            "By dhat, which stands in for the global allocator. Each subject had a process of its own, apart from those in \
             which resident memory was taken: dhat's own books are resident too."
        }
        @for subject in &seen { (phases(subject)) }
        @if !missing.is_empty() {
            ul.note { @for (subject, why) in missing { li { (subject) ": " (why) } } }
        }
        @if !files.is_empty() {
            h3 { "Profiles" }
            p.note { "They open in DHAT's viewer, dh_view.html, which comes with valgrind." }
            ul { @for of in files { li { (of.subject) ": " code { (of.file) } } } }
        }
        @if !unseen.is_empty() {
            h3 { "What dhat can't see" }
            p.note {
                "dhat sees the global allocator and nothing else: not what is mapped, on huge pages, or mimalloc's. These \
                 are the backends' own counters. Those of backends over the global heap count memory that dhat sees too."
            }
            @for subject in unseen { (beside(subject)) }
        }
    };
    Some(Section {
        id: "heap",
        link: "Heap",
        body,
    })
}

/// What a backend says of its memory.
fn memory(phase: &HeapPhase) -> impl Iterator<Item = &Figure> {
    phase.beside.iter().filter(|figure| figure.unit == "B")
}

/// What else stands beside a profile, and doesn't change: how many buffers there were, and the like.
fn constants(subject: &Profiled) -> String {
    let beside = subject
        .phases
        .first()
        .map_or(&[][..], |phase| &phase.beside);
    let others = beside.iter().filter(|figure| figure.unit != "B");
    others
        .map(|figure| format!(", {} {figure}", figure.name))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn bytes(n: u64) -> String {
    plot::bytes(n as f64)
}

fn phases(subject: &Profiled) -> Markup {
    let columns = [
        ("phase", false),
        ("blocks out", true),
        ("bytes out", true),
        ("most at once", true),
        ("blocks taken in all", true),
        ("bytes taken in all", true),
    ];
    let rows = html! {
        @for phase in &subject.phases {
            tr {
                th scope="row" { (phase.name) }
                td.n { (phase.blocks) }
                td.n { (bytes(phase.bytes)) }
                td.n { (bytes(phase.peak)) }
                td.n { (phase.total_blocks) }
                td.n { (bytes(phase.total_bytes)) }
            }
        }
    };
    html! {
        (table(&format!("{}{}", subject.subject, constants(subject)), &columns, rows))
        @if !subject.bars.is_empty() {
            ul.note {
                @for bar in &subject.bars {
                    li {
                        (bar.level) " " (bar.bound) ", found " (bar.found) ": "
                        @if bar.met { span.met { "met" } } @else { span.missed { "MISSED" } }
                    }
                }
            }
        }
    }
}

fn beside(subject: &Profiled) -> Markup {
    let mut names: Vec<&str> = Vec::new();
    for figure in subject.phases.iter().flat_map(memory) {
        if !names.contains(&&*figure.name) {
            names.push(&figure.name);
        }
    }
    let mut columns = vec![("phase", false)];
    columns.extend(names.iter().map(|name| (*name, true)));
    let rows = html! {
        @for phase in &subject.phases {
            tr {
                th scope="row" { (phase.name) }
                @for name in &names {
                    td.n { @if let Some(figure) = memory(phase).find(|figure| figure.name == *name) { (figure) } }
                }
            }
        }
    };
    table(&subject.subject, &columns, rows)
}
