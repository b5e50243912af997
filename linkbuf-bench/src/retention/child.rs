//! One trial with one subject, in a process of its own.

use std::process::Command;
use std::time::Duration;

use super::blocks::Blocks;
use super::burst::{Burst, WINDOW};
use super::idle::{Idle, MESSAGE};
use super::pin::Pinned;
use super::reserve::Reserved;
use super::subjects::{Entry, FEWER};
use super::{Outcome, Sizes, Trial};
use crate::backends::Backend;
use crate::child;
use crate::resident::Machine;

/// The command line of the processes that [`start`] starts. Not for people.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    trial: String,
    subject: String,
    mib: usize,
    buffers: usize,
    watch_ms: u64,
}

/// Measures, in this process, with what ran in it before.
///
/// ```
/// use linkbuf_bench::retention::{Outcome, Sizes, Trial, measure};
/// let small = Sizes { mib: 1, ..Sizes::QUICK };
/// let outcome = measure(Trial::Trim, "heap", small);
/// assert_eq!(matches!(outcome, Outcome::Found(_)), cfg!(target_os = "linux"));
/// ```
pub fn measure(trial: Trial, subject: &str, sizes: Sizes) -> Outcome {
    let Some(entry) = Entry::named(subject) else {
        return Outcome::Failed(format!("nobody is called {subject}"));
    };
    let done = match trial {
        Trial::Idle => entry.run(Idle(sizes)),
        Trial::IdleRelease => entry.releasing().run(Idle(sizes)),
        Trial::BurstMany => entry.run(Burst { few: false, sizes }),
        Trial::BurstFew => entry.run(Burst { few: true, sizes }),
        Trial::Pinned => entry.run(Pinned(sizes)),
        _ => match entry.backend() {
            Some(backend) => backend.run(Blocks { trial, sizes }),
            None => Err("it has no blocks to give".into()),
        },
    };
    match done {
        Ok(Ok(found)) => Outcome::Found(found),
        Ok(Err(why)) => Outcome::Failed(why),
        Err(why) => Outcome::Skipped(why),
    }
}

/// What a process that [`start`] started does: measures, and prints the outcome as JSON.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let trial = Trial::named(&options.trial);
    let trial = trial.ok_or_else(|| format!("no trial is called {}", options.trial))?;
    let sizes = Sizes {
        mib: options.mib,
        buffers: options.buffers,
        watch: Duration::from_millis(options.watch_ms),
    };
    let outcome = measure(trial, &options.subject, sizes);
    let text = serde_json::to_string(&outcome).map_err(|e| e.to_string())?;
    println!("{text}");
    Ok(())
}

/// Measures in a new process, for which huge pages are reserved if `reserve` says so. For it alone: others would stand
/// on them, too, and be another allocator than on the machine as it is. `None`: the user stopped it.
pub(super) fn start(trial: Trial, entry: &Entry, sizes: Sizes, reserve: bool) -> Option<Outcome> {
    let reserved = reserve.then(|| Reserved::bytes(huge_bytes(trial, sizes)));
    if let Some(Err(why)) = reserved {
        return Some(Outcome::Skipped(why));
    }
    if let Err(why) = room(trial, entry, sizes) {
        return Some(Outcome::Skipped(why));
    }
    let done = ask(trial, entry, sizes);
    done.unwrap_or_else(|why| Some(Outcome::Failed(why)))
}

fn ask(trial: Trial, entry: &Entry, sizes: Sizes) -> Result<Option<Outcome>, String> {
    let mut command = Command::new(child::this_program()?);
    command
        .args(["retention-child", trial.id(), entry.name])
        .args([sizes.mib.to_string(), sizes.buffers.to_string()])
        .arg(sizes.watch.as_millis().to_string())
        .envs(entry.environment.iter().copied());
    child::ask(&mut command)
}

/// Whether the machine has memory for it.
fn room(trial: Trial, entry: &Entry, sizes: Sizes) -> Result<(), String> {
    let Ok(machine) = Machine::now() else {
        return Ok(());
    };
    let wanted = match trial {
        _ if trial.is_of_buffers() => {
            // A peer's buffers are fewer.
            let buffers = match entry.backend() {
                Some(_) => sizes.buffers,
                None => sizes.buffers.min(FEWER),
            };
            (buffers * entry.keeps(MESSAGE) + WINDOW * MESSAGE) as u64
        }
        _ => (sizes.mib as u64) << 20,
    };
    // Whatever it is made of, and with a margin for its tables and for the rest of the machine.
    let wanted = wanted + wanted / 4;
    let reserved = entry.backend() == Some(Backend::HugeTlb);
    if !reserved && machine.available < wanted {
        let mib = |bytes| bytes >> 20;
        return Err(format!(
            "it takes {} MiB, of which {} are available",
            mib(wanted),
            mib(machine.available)
        ));
    }
    let huge = huge_bytes(trial, sizes);
    if reserved && machine.huge < huge {
        return Err(format!(
            "it takes {} reserved huge pages, of which {} are free: --reserve-huge-pages",
            huge >> 21,
            machine.huge >> 21
        ));
    }
    Ok(())
}

/// Bytes of huge pages that a trial takes.
fn huge_bytes(trial: Trial, sizes: Sizes) -> u64 {
    // For the last pieces, which are partly used.
    let spare = 8 << 20;
    // What each keeps.
    let kept = |buffers: usize| buffers as u64 * 8192;
    let held = (WINDOW * MESSAGE) as u64;
    spare
        + match trial {
            Trial::Idle | Trial::IdleRelease => kept(sizes.buffers) + MESSAGE as u64,
            // Grown nodes don't fill a piece.
            Trial::BurstMany => kept(sizes.buffers) + 2 * held,
            Trial::BurstFew => kept(sizes.few()) + 2 * held,
            Trial::Pinned => (sizes.pin_mib() as u64) << 20,
            _ => (sizes.mib as u64) << 20,
        }
}
