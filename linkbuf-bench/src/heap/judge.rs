//! Budgets in bytes and blocks.

use linkbuf_core::TailPolicy;

use crate::backends::Backend;
use crate::results::{HeapPhase, Profiled, Verdict};
use crate::retention::subjects::Entry;
use crate::scenario::Level;

/// The bars of a profile: of linkbuf over the global heap, where dhat sees all. Others are told, not judged.
///
/// ```
/// use linkbuf_bench::{heap::judge, results::Profiled};
/// assert!(judge(&Profiled { subject: "vec".into(), ..Profiled::default() }).is_empty());
/// ```
pub fn judge(profiled: &Profiled) -> Vec<Verdict> {
    let entry = Entry::named(&profiled.subject);
    let Some(entry) = entry.filter(|entry| entry.backend() == Some(Backend::Heap)) else {
        return Vec::new();
    };
    let phase = |name: &str| profiled.phases.iter().find(|phase| phase.name == name);
    let (Some(base), Some(ramp), Some(steady), Some(idle)) =
        (phase("base"), phase("ramp"), phase("steady"), phase("idle"))
    else {
        return Vec::new();
    };
    let releases = entry.policy() == Some(TailPolicy::Release);
    let bound = match releases {
        true => 0,
        false => told(idle, "page"),
    };
    let buffers = told(idle, "buffers").max(1);
    let each = idle.bytes.saturating_sub(base.bytes).div_ceil(buffers);
    let mut verdicts = vec![Verdict {
        level: Level::Must,
        bound: format!("idle bytes per buffer ≤ {bound} B"),
        found: format!("{each} B"),
        met: each <= bound,
    }];
    if !releases {
        let blocks = steady.total_blocks - ramp.total_blocks;
        verdicts.push(Verdict {
            level: Level::Must,
            bound: "new blocks in the steady state ≤ 0".to_owned(),
            found: blocks.to_string(),
            met: blocks == 0,
        });
    }
    verdicts
}

/// A figure that stands beside dhat's; 0 if there is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it was a whole number"
)]
fn told(phase: &HeapPhase, name: &str) -> u64 {
    let figure = phase.beside.iter().find(|figure| figure.name == name);
    figure.and_then(|figure| figure.value).unwrap_or(0.0) as u64
}
