//! Does the steps of a run, one after the other, and keeps what is found after each.

use std::time::{Duration, Instant};

use crate::interrupt;
use crate::part::Step;
use crate::progress::Progress;
use crate::results::Results;

/// A part of a run, and its steps.
pub(crate) struct Part {
    /// Its name.
    pub(crate) name: &'static str,
    /// What is done in it.
    pub(crate) steps: Vec<Step>,
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// All was done.
    Whole,
    /// It was asked to end.
    Interrupted,
    /// The benchmark is broken.
    Failed(String),
}

/// Results are kept this often, and at the end of each part; what is killed loses no more than that and a step.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// Does all steps, up to the first that fails or the first Ctrl-C, and gives `keep` what was found, from time to time and
/// at the end. `results.complete` says how it went.
///
/// # Errors
/// What `keep` said.
pub(crate) fn run(
    parts: Vec<Part>,
    results: &mut Results,
    keep: impl Fn(&Results) -> Result<(), String>,
) -> Result<End, String> {
    let seconds = |part: &Part| part.steps.iter().map(|step| step.seconds).sum();
    let shares: Vec<_> = parts
        .iter()
        .map(|part| (part.name, seconds(part)))
        .collect();
    let mut progress = Progress::new(&shares);
    results.complete = false;
    // Before the first step: a file of an older run would be taken for this one's.
    keep(results)?;
    let mut end = End::Whole;
    'all: for Part { name, steps } in parts {
        progress.part(name, steps.len());
        let mut kept = Instant::now();
        for step in steps {
            if interrupt::asked() {
                end = End::Interrupted;
                break 'all;
            }
            progress.begin(format!("{name}: {}", step.what));
            let before = Lengths::of(results);
            let done = (step.run)(results);
            if (done.is_err() || before.grew_by_failures(results)) && interrupt::asked_lately() {
                before.cut(results);
                end = End::Interrupted;
                break 'all;
            }
            if let Err(why) = done {
                end = End::Failed(why);
                break 'all;
            }
            progress.end(name, step.seconds);
            if kept.elapsed() >= KEEP_EVERY {
                keep(results)?;
                kept = Instant::now();
            }
        }
        keep(results)?;
    }
    progress.finish();
    results.complete = end == End::Whole;
    keep(results)?;
    Ok(end)
}

/// How much was found before a step.
#[derive(Clone, Copy)]
struct Lengths {
    retention: usize,
    heap: usize,
}

impl Lengths {
    fn of(results: &Results) -> Self {
        Self {
            retention: results.retention.len(),
            heap: results.heap.len(),
        }
    }

    /// Whether something was added that says of itself that it has no figures.
    fn grew_by_failures(self, results: &Results) -> bool {
        let kept = results.retention.iter().skip(self.retention);
        let heap = results.heap.iter().skip(self.heap);
        kept.filter_map(|kept| kept.missing.as_ref()).count() > 0
            || heap.filter_map(|heap| heap.missing.as_ref()).count() > 0
    }

    /// Takes out what the step added. Rounds need no such thing: a round that fails adds nothing.
    fn cut(self, results: &mut Results) {
        results.retention.truncate(self.retention);
        results.heap.truncate(self.heap);
    }
}
