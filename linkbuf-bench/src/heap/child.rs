//! One subject under dhat, in the process whose global allocator dhat is.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use dhat::{HeapStats, Profiler};
use linkbuf_alloc::Figures;

use crate::results::{Figure, HeapPhase, Profiled};
use crate::retention::buffers::Passing;
use crate::retention::burst::{SMALL, burst, ramp_up};
use crate::retention::subjects::{Entry, Subject, Work};

/// Rounds of small messages in the steady state.
const ROUNDS: usize = 10;
/// A peer keeps its message's size, so fewer of them stand for many.
const PEERS: usize = 100;

/// The command line of `linkbuf-bench-heap`, which `linkbuf-bench heap` starts.
///
/// ```
/// use clap::Parser;
/// assert!(linkbuf_bench::heap::Options::try_parse_from(["x", "heap", "100", "heap.json"]).is_ok());
/// ```
#[derive(Debug, Parser)]
#[command(name = "linkbuf-bench-heap")]
pub struct Options {
    /// Who is profiled: a backend, or a peer
    subject: String,
    /// Buffers
    buffers: usize,
    /// Where the profile goes, for DHAT's viewer
    file: PathBuf,
}

/// What the binary does: profiles, and prints what it found as JSON.
///
/// ```no_run
/// let code = linkbuf_bench::heap::main();
/// ```
pub fn main() -> ExitCode {
    let options = Options::parse();
    let profiled = profile(&options.subject, options.buffers, &options.file);
    match serde_json::to_string(&profiled) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("linkbuf-bench-heap: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Profiles a subject, with so many buffers; the profile goes to `file` when it is over. In a program whose global
/// allocator isn't dhat's, all that dhat counts is 0.
///
/// # Panics
/// Another profile is under way: dhat has one per process.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let profiled = linkbuf_bench::heap::profile("heap", 3, &dir.path().join("heap.json"));
/// let names: Vec<_> = profiled.phases.iter().map(|phase| &*phase.name).collect();
/// assert_eq!(names, ["base", "ramp", "steady", "burst", "drain", "idle"]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn profile(subject: &str, buffers: usize, file: &Path) -> Profiled {
    let mut profiled = Profiled {
        subject: subject.to_owned(),
        file: file.display().to_string(),
        ..Profiled::default()
    };
    let done = match Entry::named(subject) {
        Some(entry) => entry.run(Phases { buffers, file }),
        None => Err(format!("nobody is called {subject}")),
    };
    match done {
        Ok(phases) => profiled.phases = phases,
        Err(why) => profiled.missing = Some(format!("skipped: {why}")),
    }
    profiled
}

/// The phases, as work for any subject.
struct Phases<'a> {
    buffers: usize,
    file: &'a Path,
}

impl Work for Phases<'_> {
    type Out = Vec<HeapPhase>;

    fn with<S: Subject>(self, subject: S) -> Vec<HeapPhase> {
        let profiler = Profiler::builder().file_name(self.file).build();
        let wanted = match subject.page() {
            Some(_) => self.buffers,
            None => self.buffers.min(PEERS),
        };
        let n = wanted.div_ceil(S::Buffer::COUNTS);
        let mut buffers: Vec<S::Buffer> = (0..n).map(|_| subject.buffer()).collect();
        // With room for all, or it would be in the figures.
        let mut looks: Vec<Look> = Vec::with_capacity(8);
        let mut end = |name| {
            let figures = subject.figures();
            looks.push((name, HeapStats::get(), figures));
        };

        end("base");
        buffers.iter_mut().for_each(ramp_up);
        end("ramp");
        for _ in 0..ROUNDS {
            for buffer in &mut buffers {
                buffer.pass(SMALL);
            }
        }
        end("steady");
        let done = burst(&mut buffers, |window, last| {
            if last {
                end("burst");
            }
            window.iter_mut().for_each(Passing::drain);
            Ok::<_, std::convert::Infallible>(())
        });
        let Ok(()) = done;
        end("drain");
        subject.trim();
        end("idle");
        drop(profiler);
        let number = n * S::Buffer::COUNTS;
        let page = subject.page();
        let phase = |look| phase(look, number, page);
        looks.into_iter().map(phase).collect()
    }
}

/// A phase, and what dhat and the subject said at its end.
type Look = (&'static str, HeapStats, Option<Figures>);

fn phase((name, stats, figures): Look, buffers: usize, page: Option<usize>) -> HeapPhase {
    HeapPhase {
        name: name.to_owned(),
        blocks: stats.curr_blocks as u64,
        bytes: stats.curr_bytes as u64,
        peak: stats.max_bytes as u64,
        total_blocks: stats.total_blocks,
        total_bytes: stats.total_bytes,
        beside: beside(buffers, page, figures),
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
fn beside(buffers: usize, page: Option<usize>, figures: Option<Figures>) -> Vec<Figure> {
    let figure = |name: &str, value: u64, unit: &str| Figure {
        name: name.to_owned(),
        value: Some(value as f64),
        unit: unit.to_owned(),
    };
    let mut beside = vec![figure("buffers", buffers as u64, "")];
    if let Some(page) = page {
        beside.push(figure("page", page as u64, "B/buffer"));
    }
    if let Some(Figures { totals, .. }) = figures {
        beside.push(figure("live", totals.live_bytes, "B"));
        if totals.mapped_bytes > 0 {
            beside.push(figure("cached", totals.cached_bytes, "B"));
            beside.push(figure("free", totals.free_bytes, "B"));
            beside.push(figure("mapped", totals.mapped_bytes, "B"));
        }
    }
    beside
}
