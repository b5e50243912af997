//! Retention: what stays resident when buffers are done with their memory, and for how long.
//!
//! Every figure is taken in a process of its own, which this program starts: what one allocator left in its arenas
//! would be the next one's base. `resident` is what the system says ([`Resident::adjusted`]), less what it said before
//! the first block was taken; it holds headers, tables and fragments, whoever they are of.
//!
//! | file | holds |
//! |---|---|
//! | `trial` | what is measured: R1–R5, the bursts, pinning; and how much of it |
//! | `subjects`, `buffers` | who is weighed, and how a message passes through each |
//! | `blocks`, `idle`, `burst`, `modes`, `pin` | the trials |
//! | `watch`, `record` | looking at what is resident |
//! | `child`, `reserve` | a process for each, and huge pages for it |
//! | `judge`, `tables` | bars, and what is told |
//!
//! [`Resident::adjusted`]: crate::resident::Resident::adjusted

mod blocks;
pub(crate) mod buffers;
pub(crate) mod burst;
mod child;
mod found;
mod idle;
mod judge;
mod modes;
mod pin;
mod record;
mod reserve;
pub(crate) mod subjects;
mod tables;
mod trial;
mod watch;

pub use child::measure;
pub(crate) use child::{Options as ChildOptions, run as run_child};
pub use found::{Found, Outcome};
pub use judge::judge;
pub(crate) use tables::list;
pub use tables::tables;
pub use trial::{Sizes, Trial};

use crate::backends::Backend;
use crate::part::{Selection, Step};
use crate::results::{Kept, Results};
use crate::scenario::Kind;
use subjects::{BYTES_MUT, Entry};

/// Who takes part in a trial.
pub(crate) fn entries(trial: Trial) -> impl Iterator<Item = Entry> {
    subjects::all().filter(move |entry| match trial {
        Trial::Idle => entry.is_plain() || entry.name == BYTES_MUT,
        // What is read from it is copied.
        Trial::Pinned if entry.name == "linked_bytes" => false,
        // What they tell, their neighbours do; and the last is for the heap part.
        Trial::BurstFew => {
            let similar = [
                "slabs",
                "hugepage-plain",
                "mimalloc-large_pages",
                "heap-release",
            ];
            !similar.contains(&entry.name)
        }
        Trial::BurstMany | Trial::Pinned => entry.name != "heap-release",
        _ => entry.is_plain(),
    })
}

/// Who and what is left of it where time is short. Bars that small sizes would miss are left out, too.
const QUICK: &[(Trial, &[&str])] = &[
    (Trial::Silent, &["pooled", "mimalloc"]),
    (Trial::OtherTrim, &["pooled", "pooled-mmap"]),
    (Trial::Survivors, &["pooled", "pooled-mmap", "hugepage-thp"]),
    (Trial::Idle, &["pooled", "mmap", "heap"]),
    (Trial::IdleRelease, &["pooled"]),
    (
        Trial::BurstMany,
        &[
            BYTES_MUT,
            "tokio_codec",
            "linked_bytes",
            "pooled",
            "hugepage-thp",
            "mimalloc",
            "pooled-release",
        ],
    ),
    (Trial::BurstFew, &[BYTES_MUT, "pooled", "mimalloc"]),
    (
        Trial::Pinned,
        &[BYTES_MUT, "tokio_codec", "pooled", "mimalloc"],
    ),
];

/// Whether so many are asked for by name that it is no first look.
fn is_named(selection: &Selection) -> bool {
    !(selection.scenarios.is_empty()
        && selection.backends.is_empty()
        && selection.contenders.is_empty())
}

/// What is asked for, a process each. Nothing, where no name of the selection is one of a trial or a subject.
///
/// # Errors
/// None yet: what can't be measured is a finding.
pub(crate) fn steps(selection: &Selection) -> Result<Vec<Step>, String> {
    let sizes = match selection.quick {
        true => Sizes::QUICK,
        false => Sizes::FULL,
    };
    let mut steps = Vec::new();
    let names: Vec<_> = subjects::all().map(|entry| entry.name).collect();
    let wanted = |trial: &&Trial| selection.wants_scenario(trial.id());
    for trial in Trial::ALL.iter().filter(wanted).copied() {
        for entry in entries(trial) {
            let quick = QUICK.iter().find(|(quick, _)| *quick == trial);
            let quick = quick.is_some_and(|(_, names)| names.contains(&entry.name));
            let left_out = selection.quick && !is_named(selection) && !quick;
            if subjects::wants(selection, &entry, &names) && !left_out {
                let reserve =
                    selection.reserve_huge_pages && entry.backend() == Some(Backend::HugeTlb);
                steps.push(step(trial, entry, sizes, reserve));
            }
        }
    }
    Ok(steps)
}

fn step(trial: Trial, entry: Entry, sizes: Sizes, reserve: bool) -> Step {
    Step {
        what: format!("{trial} {}: {}", entry.name, trial.title(sizes)),
        seconds: seconds(trial, &entry, sizes, reserve),
        run: Box::new(move |results: &mut Results| {
            if let Some(outcome) = child::start(trial, &entry, sizes, reserve) {
                let mut kept = kept(trial, &entry, sizes, outcome);
                kept.bars = judge(&kept, &results.retention);
                results.retention.push(kept);
            }
            Ok(())
        }),
    }
}

fn kept(trial: Trial, entry: &Entry, sizes: Sizes, outcome: Outcome) -> Kept {
    let (found, missing) = match outcome {
        Outcome::Found(found) => (found, None),
        Outcome::Skipped(why) => (Found::default(), Some(format!("skipped: {why}"))),
        Outcome::Failed(why) => (Found::default(), Some(format!("FAILED: {why}"))),
    };
    let kind = match entry.backend() {
        // Bare blocks of it aren't linkbuf's; its buffers over them are.
        Some(backend) if !trial.is_of_buffers() => backend.kind(),
        Some(_) => Kind::Linkbuf,
        None => Kind::Peer,
    };
    Kept {
        scenario: trial.id().to_owned(),
        title: trial.title(sizes),
        subject: entry.name.to_owned(),
        kind,
        figures: found.figures,
        series: found.series,
        marks: found.marks,
        missing,
        bars: Vec::new(),
    }
}

/// About how long a run takes.
fn seconds(trial: Trial, entry: &Entry, sizes: Sizes, reserve: bool) -> f64 {
    let watch = sizes.watch.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let (gib, buffers) = (sizes.mib as f64 / 1024.0, sizes.buffers as f64 / 10_000.0);
    if entry.backend() == Some(Backend::HugeTlb) && !reserve {
        // Most machines have none.
        return 0.1;
    }
    match trial {
        Trial::Silent | Trial::OtherSilent => gib + watch.min(1.5),
        Trial::Trim | Trial::OtherTrim | Trial::Survivors => gib,
        Trial::Idle | Trial::IdleRelease => buffers,
        Trial::BurstMany => buffers + watch.min(1.5),
        Trial::BurstFew => 1.0 + 3.0 * watch.min(1.5),
        Trial::Pinned => 0.1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trials and subjects of a selection's steps.
    fn steps_of(selection: &Selection) -> Vec<String> {
        let steps = steps(selection).expect("there is no error yet");
        let begin = |step: Step| step.what.split(':').next().unwrap_or_default().to_owned();
        steps.into_iter().map(begin).collect()
    }

    fn named(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_backend_is_measured_beside_the_peers_where_there_are_any() {
        let mut selection = Selection {
            scenarios: named(&["r3"]),
            backends: named(&["heap", "pooled"]),
            ..Selection::default()
        };
        let want = [
            "R3-trim pooled",
            "R3-trim heap",
            "R3-silent pooled",
            "R3-silent heap",
        ];
        assert_eq!(steps_of(&selection), want);
        selection.scenarios = named(&["R5"]);
        selection.backends = named(&["mmap"]);
        let want = ["R5 bytes_mut", "R5 mmap", "R5-release mmap"];
        assert_eq!(steps_of(&selection), want);
    }

    #[test]
    fn a_subject_is_measured_alone_or_beside_a_backend() {
        let mut selection = Selection {
            scenarios: named(&["burst-few"]),
            contenders: named(&["bytes_mut"]),
            ..Selection::default()
        };
        assert_eq!(steps_of(&selection), ["burst-few bytes_mut"]);
        selection.backends = named(&["mmap"]);
        let want = ["burst-few bytes_mut", "burst-few mmap"];
        assert_eq!(steps_of(&selection), want);
    }

    #[test]
    fn a_first_look_leaves_out_what_is_not_asked_for_by_name() {
        let mut selection = Selection {
            quick: true,
            ..Selection::default()
        };
        let quick = steps_of(&selection);
        let all = steps_of(&Selection::default());
        assert!(quick.len() < all.len() / 2 && quick.iter().all(|step| all.contains(step)));
        let named_there: usize = QUICK.iter().map(|(_, names)| names.len()).sum();
        assert_eq!(quick.len(), named_there, "the list names who there is");
        selection.scenarios = named(&["R1"]);
        assert_eq!(steps_of(&selection).len(), Trial::Trim.subjects().len());
    }

    #[test]
    fn what_is_not_retentions_is_none_of_its_steps() {
        let selection = Selection {
            scenarios: named(&["W1"]),
            ..Selection::default()
        };
        assert!(steps_of(&selection).is_empty());
    }
}
