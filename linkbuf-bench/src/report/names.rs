//! What the report knows by name: who is linkbuf's default, and which figures it looks for.
//!
//! A figure or a contender that is called otherwise is in the tables all the same; it is missing in the plots and in
//! the advice.

use crate::results::{Figure, Kept, Timed};
use crate::scenario::Kind;

/// linkbuf as it is if nothing was chosen, by contender's or subject's name; where there are several, the first.
/// `linkbuf-pooled` and `pooled` are `linkbuf_alloc`'s default, `linkbuf` is `linkbuf_core`'s.
const DEFAULTS: [&str; 3] = ["linkbuf-pooled", "pooled", "linkbuf"];

/// Whether the subject is linkbuf's default, where memory is weighed.
pub(crate) fn is_default(subject: &str) -> bool {
    subject == "pooled"
}

/// Who of a scenario is linkbuf by default.
pub(crate) fn default_of(scenario: &[Timed]) -> Option<&Timed> {
    let named = |name: &&str| {
        let same = |timed: &&Timed| timed.kind == Kind::Linkbuf && timed.contender == *name;
        scenario.iter().find(same)
    };
    DEFAULTS.iter().find_map(named)
}

/// Whether a scenario times allocators, not buffers.
pub(crate) fn is_of_allocators(scenario: &[Timed]) -> bool {
    scenario
        .iter()
        .all(|timed| !timed.contender.starts_with("linkbuf"))
}

/// A scenario's contenders, together.
pub(crate) fn scenarios(throughput: &[Timed]) -> Vec<&[Timed]> {
    throughput
        .chunk_by(|a, b| a.scenario == b.scenario)
        .collect()
}

/// A retention scenario's subjects, together.
pub(crate) fn kept_scenarios(retention: &[Kept]) -> Vec<&[Kept]> {
    retention
        .chunk_by(|a, b| a.scenario == b.scenario)
        .collect()
}

/// A backend and policy of linkbuf: as a contender where time is taken, as a subject where memory is weighed, and what
/// to write to have it; what is easy to have comes first. An empty name: it is not measured there.
const SAME: &[(&str, &str, &str)] = &[
    (
        "linkbuf-pooled",
        "pooled",
        "linkbuf_alloc::LinkBuffer, as it is",
    ),
    (
        "",
        "pooled-release",
        "linkbuf_alloc::LinkBuffer, TailPolicy::Release",
    ),
    (
        "",
        "pooled-keep_64k",
        "linkbuf_alloc::LinkBuffer, TailPolicy::Keep(64 << 10)",
    ),
    ("linkbuf", "heap", "linkbuf_core::LinkBuffer, as it is"),
    (
        "",
        "heap-release",
        "linkbuf_core::LinkBuffer, TailPolicy::Release",
    ),
    (
        "linkbuf-keep",
        "",
        "linkbuf_core::LinkBuffer, TailPolicy::Keep(2 << 20)",
    ),
    (
        "linkbuf-mmap",
        "pooled-mmap",
        "linkbuf-alloc, feature default-mmap",
    ),
    (
        "linkbuf-hugepage",
        "pooled-hugepage",
        "linkbuf-alloc, feature default-hugepage",
    ),
    (
        "linkbuf-mimalloc",
        "mimalloc",
        "linkbuf-alloc, feature default-mimalloc",
    ),
    (
        "",
        "mimalloc-no_thp",
        "feature default-mimalloc, MIMALLOC_ALLOW_THP=0 set",
    ),
    (
        "",
        "mimalloc-large_pages",
        "feature default-mimalloc, MIMALLOC_ALLOW_LARGE_OS_PAGES=1 set",
    ),
    (
        "",
        "slabs",
        "LinkBuffer::new_in(Process::<HeapSlabs>::new())",
    ),
    ("", "mmap", "LinkBuffer::new_in(Process::<Mmap>::new())"),
    (
        "",
        "hugepage",
        "LinkBuffer::new_in(Process::<HugePage>::new())",
    ),
    (
        "",
        "hugepage-hugetlb",
        "HugePage::builder().require(Rung::HugeTlb)",
    ),
    (
        "",
        "hugepage-thp",
        "HugePage::builder().require(Rung::Transparent)",
    ),
    (
        "",
        "hugepage-plain",
        "HugePage::builder().require(Rung::Plain)",
    ),
];

/// What to write to have it; empty if that isn't known.
pub(crate) fn how(name: &str) -> &'static str {
    let same =
        |(contender, subject, _): &&(&str, &str, &str)| *contender == name || *subject == name;
    SAME.iter().find(same).map_or("", |(_, _, how)| how)
}

/// Where in the order of what is easy to have it stands.
pub(crate) fn rank(name: &str) -> usize {
    let same =
        |(contender, subject, _): &(&str, &str, &str)| *contender == name || *subject == name;
    SAME.iter().position(same).unwrap_or(SAME.len())
}

/// Under which name a contender's memory is weighed.
pub(crate) fn subject_of(contender: &str) -> Option<&'static str> {
    let found = SAME.iter().find(|(name, _, _)| *name == contender);
    found
        .map(|(_, subject, _)| *subject)
        .filter(|name| !name.is_empty())
}

/// Under which name a subject's time is taken.
pub(crate) fn contender_of(subject: &str) -> Option<&'static str> {
    let found = SAME.iter().find(|(_, name, _)| *name == subject);
    found
        .map(|(contender, _, _)| *contender)
        .filter(|name| !name.is_empty())
}

/// What an idle buffer keeps.
pub(crate) fn idle(kept: &Kept) -> Option<&Figure> {
    let named = [
        "idle bytes per buffer",
        "resident after trim()",
        "kept on the heap",
    ];
    let of = |name| kept.figure(name).filter(|figure| figure.unit == "B/buffer");
    named.into_iter().find_map(of)
}

/// How long it takes until nine tenths of a burst's memory are back, if the program is silent.
pub(crate) fn back(kept: &Kept) -> Option<&Figure> {
    ["t90 silent", "t90"]
        .into_iter()
        .find_map(|name| kept.figure(name))
}

/// How much is resident at the peak, as a multiple of what is live.
pub(crate) fn peak(kept: &Kept) -> Option<&Figure> {
    kept.figure("peak ratio")
}

/// Figures that a choice for its memory is paid with, and how they are told, `{}` being the value.
pub(crate) const COSTS: &[(&str, &str)] = &[
    (
        "re-warming",
        "the first burst after silence takes {} a warm one",
    ),
    ("trim() took", "a trim() takes {}"),
];

/// A way in which memory comes back, and the figures that tell when half and 90 % of it had.
#[derive(Debug)]
pub(crate) struct Mode {
    pub(crate) t50: String,
    pub(crate) t90: String,
    /// What it is called, after a comma; empty where there is one only.
    pub(crate) said: String,
}

/// The ways that a scenario tells of, in the order in which its figures come.
pub(crate) fn modes(scenario: &[Kept]) -> Vec<Mode> {
    let mut modes: Vec<Mode> = Vec::new();
    for figure in scenario.iter().flat_map(|kept| &kept.figures) {
        let Some(rest) = figure.name.strip_prefix("t90") else {
            continue;
        };
        if modes.iter().all(|mode| mode.t90 != figure.name) {
            modes.push(Mode {
                t50: format!("t50{rest}"),
                t90: figure.name.clone(),
                said: match rest.trim_start_matches([',', ' ', ':']) {
                    "" => String::new(),
                    rest => format!(", {rest}"),
                },
            });
        }
    }
    modes
}
