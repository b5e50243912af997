//! One phase with one allocator, in a process of its own.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::blocks::Blocks;
use super::idle::{self, Idle};
use super::reserve::Reserved;
use super::{BYTES_MUT, Outcome, Phase, Sizes};
use crate::backends::Backend;
use crate::resident::Machine;

/// The command line of the processes that [`start`] starts. Not for people.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    phase: String,
    backend: String,
    mib: usize,
    buffers: usize,
    watch_ms: u64,
}

/// Measures, in this process, with what ran in it before.
///
/// ```
/// use linkbuf_bench::retention::{Outcome, Phase, Sizes, measure};
/// let small = Sizes { mib: 1, ..Sizes::QUICK };
/// let outcome = measure(Phase::Trim, "heap", small);
/// assert_eq!(matches!(outcome, Outcome::Found(_)), cfg!(target_os = "linux"));
/// ```
pub fn measure(phase: Phase, backend: &str, sizes: Sizes) -> Outcome {
    let done = if phase.is_idle() && backend == BYTES_MUT {
        Ok(idle::bytes_mut(sizes))
    } else if let Some(backend) = Backend::named(backend) {
        let release = phase == Phase::IdleRelease;
        match phase {
            Phase::Idle | Phase::IdleRelease => backend.run(Idle { release, sizes }),
            _ => backend.run(Blocks { phase, sizes }),
        }
    } else {
        Ok(Err(format!("no allocator is called {backend}")))
    };
    match done {
        Ok(Ok(found)) => Outcome::Found(found),
        Ok(Err(why)) => Outcome::Failed(why),
        Err(why) => Outcome::Skipped(why),
    }
}

/// What a process that [`start`] started does: measures, and prints the outcome as JSON.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let phase = Phase::named(&options.phase);
    let phase = phase.ok_or_else(|| format!("no phase is called {}", options.phase))?;
    let sizes = Sizes {
        mib: options.mib,
        buffers: options.buffers,
        watch: Duration::from_millis(options.watch_ms),
    };
    println!("{}", measure(phase, &options.backend, sizes).to_json());
    Ok(())
}

/// Measures in a new process, for which huge pages are reserved if `reserve` says so. For it alone: others would stand
/// on them, too, and be another allocator than on the machine as it is.
pub(super) fn start(phase: Phase, backend: &str, sizes: Sizes, reserve: bool) -> Outcome {
    let reserved = reserve.then(|| Reserved::bytes(huge_bytes(phase, sizes)));
    if let Some(Err(why)) = reserved {
        return Outcome::Skipped(why);
    }
    if let Err(why) = room(phase, backend, sizes) {
        return Outcome::Skipped(why);
    }
    ask(phase, backend, sizes).unwrap_or_else(Outcome::Failed)
}

fn ask(phase: Phase, backend: &str, sizes: Sizes) -> Result<Outcome, String> {
    let me = std::env::current_exe().map_err(|e| format!("this program isn't found: {e}"))?;
    let output = Command::new(me)
        .args(["retention-child", phase.id(), backend])
        .args([sizes.mib.to_string(), sizes.buffers.to_string()])
        .arg(sizes.watch.as_millis().to_string())
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("it didn't start: {e}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}", output.status, said.trim()));
    }
    let value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
    Outcome::from_json(&value)
}

/// Whether the machine has memory for it.
fn room(phase: Phase, backend: &str, sizes: Sizes) -> Result<(), String> {
    let Ok(machine) = Machine::now() else {
        return Ok(());
    };
    let wanted = match phase {
        Phase::Idle | Phase::IdleRelease => huge_bytes(phase, sizes),
        _ => (sizes.mib as u64) << 20,
    };
    // Whatever it is made of, and with a margin for its tables and for the rest of the machine.
    let wanted = wanted + wanted / 4;
    let reserved = Backend::HugeTlb.name();
    if backend != reserved && machine.available < wanted {
        let mib = |bytes| bytes >> 20;
        return Err(format!(
            "it takes {} MiB, of which {} are available",
            mib(wanted),
            mib(machine.available)
        ));
    }
    let huge = huge_bytes(phase, sizes);
    if backend == reserved && machine.huge < huge {
        return Err(format!(
            "it takes {} reserved huge pages, of which {} are free: --reserve-huge-pages",
            huge >> 21,
            machine.huge >> 21
        ));
    }
    Ok(())
}

/// Bytes of huge pages that a phase takes.
fn huge_bytes(phase: Phase, sizes: Sizes) -> u64 {
    // For the last pieces, which are partly used.
    let spare = 8 << 20;
    spare
        + match phase {
            // What each keeps, and the message of one.
            Phase::Idle | Phase::IdleRelease => sizes.buffers as u64 * 8192 + (1 << 20),
            _ => (sizes.mib as u64) << 20,
        }
}
