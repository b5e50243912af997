//! W9 as a step: what an idle buffer keeps of the global heap. Counted in this process, not timed.

use crate::part::{Selection, Step};
use crate::results::{Figure, Kept, Verdict};
use crate::scenario::Kind;
use crate::scenarios;

/// Its id.
pub(crate) const ID: &str = "W9";
/// What is done.
pub(crate) const TITLE: &str = "heap bytes that an idle buffer keeps after 1 MiB passed";
/// Who takes part.
pub(crate) const NAMES: [&str; 4] = ["linkbuf", "linkbuf-release", "bytes_mut", "linked_bytes"];

/// The step, if it was asked for.
pub(crate) fn steps(selection: &Selection) -> Vec<Step> {
    let only = selection.clone();
    // All of linkbuf in it stands on the heap.
    let wanted = move |name: &str| {
        let backend = !only.backends.is_empty() && only.wants_backend("heap");
        match only.contenders.is_empty() {
            true => backend || only.backends.is_empty(),
            false => backend || only.wants_contender(name, &NAMES),
        }
    };
    if !selection.wants_scenario(ID) || !NAMES.into_iter().any(&wanted) {
        return Vec::new();
    }
    vec![Step {
        what: format!("{ID} ({TITLE})"),
        seconds: 0.1,
        run: Box::new(move |results| {
            let all = scenarios::idle(wanted).into_iter();
            results.retention.extend(all.map(|idle| kept(&idle)));
            Ok(())
        }),
    }]
}

fn kept(idle: &scenarios::Idle) -> Kept {
    let verdict = |(level, at_most)| Verdict {
        level,
        bound: format!("≤ {at_most} B"),
        found: format!("{} B", idle.bytes),
        met: idle.bytes <= at_most,
    };
    let ours = idle.contender.starts_with("linkbuf");
    #[expect(clippy::cast_precision_loss, reason = "a few MiB")]
    let bytes = idle.bytes as f64;
    Kept {
        scenario: ID.into(),
        title: TITLE.into(),
        subject: idle.contender.into(),
        kind: if ours { Kind::Linkbuf } else { Kind::Peer },
        figures: vec![Figure {
            name: "kept on the heap".into(),
            value: Some(bytes),
            unit: "B/buffer".into(),
        }],
        series: Vec::new(),
        marks: Vec::new(),
        missing: None,
        bars: idle.bar.map(verdict).into_iter().collect(),
    }
}
