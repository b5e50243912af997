//! What the figures are held to.

use super::subjects::{BYTES_MUT, Entry};
use super::{Trial, blocks, burst, idle, watch};
use crate::backends::Backend;
use crate::results::{Figure, Kept, Verdict};
use crate::scenario::Level;

/// The part of what `BytesMut` retains that linkbuf with default settings may.
const OF_BYTES_MUT: f64 = 0.01;

/// The bars of `kept`, with the verdicts. `others` are those that were measured before it: some bars are about them.
///
/// ```
/// use linkbuf_bench::{results::{Figure, Kept}, retention::judge, scenario::Kind};
/// let figure = Figure { name: "after trim()".into(), value: Some(0.5), unit: "%".into() };
/// let kept = Kept {
///     scenario: "R1".into(),
///     title: String::new(),
///     subject: "mmap".into(),
///     kind: Kind::Linkbuf,
///     figures: vec![figure],
///     series: Vec::new(),
///     marks: Vec::new(),
///     missing: None,
///     bars: Vec::new(),
/// };
/// assert_eq!(judge(&kept, &[])[0].to_string(), "must after trim() ≤ 1.00 % met");
/// ```
pub fn judge(kept: &Kept, others: &[Kept]) -> Vec<Verdict> {
    let bars = bars(kept, others).into_iter();
    let verdict = |(level, name, at_most): (Level, &str, f64)| {
        let figure = kept.figure(name)?;
        let bound = Figure {
            value: Some(at_most),
            ..figure.clone()
        };
        Some(Verdict {
            level,
            bound: format!("{name} ≤ {bound}"),
            found: figure.to_string(),
            met: figure.value.is_some_and(|value| value <= at_most),
        })
    };
    bars.filter_map(verdict).collect()
}

/// A figure, and how much it may be.
fn bars(kept: &Kept, others: &[Kept]) -> Vec<(Level, &'static str, f64)> {
    let trial = Trial::named(&kept.scenario);
    let backend = Entry::named(&kept.subject).and_then(|entry| entry.backend());
    let (Some(trial), Some(backend)) = (trial, backend) else {
        // What others give is told, not judged.
        return Vec::new();
    };
    // Nor what the C library's heap keeps, nor which blocks of a page of mimalloc's survive.
    let mimalloc = matches!(backend, Backend::Mimalloc | Backend::MimallocLow);
    let not_ours = backend == Backend::Heap || trial == Trial::Survivors && mimalloc;
    match trial {
        _ if not_ours => Vec::new(),
        Trial::Trim | Trial::OtherTrim => vec![(Level::Must, blocks::TRIMMED, 1.0)],
        Trial::Silent | Trial::OtherSilent => vec![
            (Level::Must, watch::GONE, 2.0),
            (Level::Aim, watch::GONE, 1.0),
        ],
        Trial::Survivors => vec![
            (Level::Must, blocks::PER_LIVE, 4.0),
            (Level::Aim, blocks::PER_LIVE, 2.0),
        ],
        Trial::Idle => {
            let page = kept.figure(idle::PAGE).and_then(|page| page.value);
            [idle::HELD, idle::RESIDENT]
                .map(|name| (Level::Must, name, page.unwrap_or(0.0)))
                .to_vec()
        }
        Trial::IdleRelease => vec![(Level::Must, idle::HELD, 0.0)],
        Trial::BurstMany | Trial::BurstFew if kept.subject == Backend::Pooled.name() => {
            let same =
                |other: &&Kept| other.scenario == kept.scenario && other.subject == BYTES_MUT;
            let bytes_mut = others.iter().find(same);
            let theirs = bytes_mut.and_then(|other| other.figure(burst::IDLE)?.value);
            let most = theirs.map(|bytes| bytes * OF_BYTES_MUT);
            // What a pool keeps for the whole process weighs on each of a few.
            let level = match trial {
                Trial::BurstMany => Level::Must,
                _ => Level::Aim,
            };
            Vec::from_iter(most.map(|most| (level, burst::IDLE, most)))
        }
        Trial::BurstMany | Trial::BurstFew | Trial::Pinned => Vec::new(),
    }
}
