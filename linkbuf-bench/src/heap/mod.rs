//! Heap: what the global heap has given out, phase by phase, as dhat counts it; and a profile for DHAT's viewer.
//!
//! dhat has to be a program's global allocator, so a second binary, `linkbuf-bench-heap`, does the work: a process per
//! subject, started as those of [`retention`](crate::retention) are. In it nothing resident is weighed:
//! dhat's own tables would be in the figure. What dhat can't see is told beside its figures, by the backends
//! themselves: memory that is mapped, and what mimalloc has.
//!
//! | phase | what is done |
//! |---|---|
//! | base | the buffers are made |
//! | ramp | three messages, of 256 B to 64 KiB, pass through each |
//! | steady | small messages pass through each, ten times |
//! | burst | a message of 1 MiB passes through each, 50 at once: at the last 50, held |
//! | drain | the last 50 went out |
//! | idle | the allocator was asked to trim |

mod child;
mod judge;

pub use child::{Options, main, profile};
pub use judge::judge;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::child as process;
use crate::files;
use crate::part::{Selection, Step};
use crate::results::{Profiled, Results};
use crate::retention::subjects::{self, Entry};

/// The binary that has dhat.
const PROGRAM: &str = "linkbuf-bench-heap";

/// Buffers of a profile.
const BUFFERS: usize = 500;

/// Who is profiled, and whether also where time is short.
const SUBJECTS: &[(&str, bool)] = &[
    ("bytes_mut", true),
    ("tokio_codec", false),
    ("linked_bytes", false),
    ("vec", false),
    ("pooled", true),
    ("pooled-release", false),
    ("pooled-mmap", false),
    ("mimalloc", false),
    ("heap", true),
    ("heap-release", true),
];

/// The profiles that are asked for, a process each.
///
/// # Errors
/// None yet: what can't be profiled is a finding.
pub(crate) fn steps(selection: &Selection) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    if !selection.wants_scenario("heap") {
        return Ok(steps);
    }
    let names: Vec<_> = subjects::all().map(|entry| entry.name).collect();
    for entry in subjects::all() {
        let listed = SUBJECTS.iter().find(|(name, _)| *name == entry.name);
        let is_due = listed.is_some_and(|(_, quick)| *quick || !selection.quick);
        let is_named = !(selection.backends.is_empty() && selection.contenders.is_empty());
        if subjects::wants(selection, &entry, &names) && (is_due || is_named) {
            steps.push(step(entry));
        }
    }
    Ok(steps)
}

fn step(entry: Entry) -> Step {
    Step {
        what: format!("heap {}: {BUFFERS} buffers under dhat", entry.name),
        seconds: 0.4,
        run: Box::new(move |results: &mut Results| {
            if let Some(profiled) = ask(&entry) {
                results.heap.push(profiled);
            }
            Ok(())
        }),
    }
}

/// Profiles in a new process. `None`: the user stopped it.
fn ask(entry: &Entry) -> Option<Profiled> {
    let missing = |why: String| Profiled {
        subject: entry.name.to_owned(),
        missing: Some(why),
        ..Profiled::default()
    };
    let program = match program() {
        Ok(program) => program,
        Err(why) => return Some(missing(format!("skipped: {why}"))),
    };
    match start(&program, entry) {
        Ok(Some(mut profiled)) => {
            profiled.bars = judge(&profiled);
            Some(profiled)
        }
        Ok(None) => None,
        Err(why) => Some(missing(format!("FAILED: {why}"))),
    }
}

/// The binary beside this one.
fn program() -> Result<PathBuf, String> {
    let me = process::this_program()?;
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let program = me.with_file_name(name);
    if !program.is_file() {
        return Err(format!(
            "{PROGRAM} isn't built: cargo build --profile bench -p linkbuf-bench --bins"
        ));
    }
    Ok(program)
}

fn start(program: &Path, entry: &Entry) -> Result<Option<Profiled>, String> {
    let directory = files::home().join("dhat");
    let wrong = |e| format!("{}: {e}", directory.display());
    fs::create_dir_all(&directory).map_err(wrong)?;
    let file = directory.join(format!("{}.json", entry.name));
    let mut command = Command::new(program);
    command
        .arg(entry.name)
        .arg(BUFFERS.to_string())
        .arg(&file)
        .envs(entry.environment.iter().copied());
    let Some(mut profiled) = process::ask::<Profiled>(&mut command)? else {
        return Ok(None);
    };
    if profiled.missing.is_none() {
        profiled.file = files::shown(&file);
    }
    Ok(Some(profiled))
}
