//! Retention: what stays resident when buffers are done with their memory, and for how long.
//!
//! Every figure is taken in a process of its own, which this program starts: what one allocator left in its arenas
//! would be the next one's base. `resident` is what the system says ([`Resident::adjusted`]), less what it said before
//! the first block was taken; it holds headers, tables and fragments, whoever they are of.
//!
//! [`Resident::adjusted`]: crate::resident::Resident::adjusted

mod blocks;
mod child;
mod found;
mod idle;
mod report;
mod reserve;
mod watch;

pub use child::measure;
pub(crate) use child::{Options as ChildOptions, run as run_child};
pub use found::{Figure, Found, Unit};
pub use report::{Outcome, Row, json_line, table};

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::backends::Backend;
use crate::{machine, progress};

/// What is measured.
///
/// ```
/// use linkbuf_bench::retention::Phase;
/// assert_eq!(Phase::named("r3-TRIM"), Some(Phase::OtherTrim));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// All blocks given back, then `trim()`.
    Trim,
    /// All blocks given back, then nothing: a trimmer thread runs.
    Silent,
    /// As `Trim`; another thread gives the blocks back, and lives on.
    OtherTrim,
    /// As `Silent`; another thread gives the blocks back, and lives on.
    OtherSilent,
    /// One in 64 blocks stays, at random; then `trim()`.
    Survivors,
    /// Idle buffers, of the default policy.
    Idle,
    /// Idle buffers that release all.
    IdleRelease,
}

impl Phase {
    /// All of them, in the order in which they are told.
    pub const ALL: &[Self] = &[
        Self::Trim,
        Self::Silent,
        Self::OtherTrim,
        Self::OtherSilent,
        Self::Survivors,
        Self::Idle,
        Self::IdleRelease,
    ];

    /// Its name on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Trim => "R1",
            Self::Silent => "R2",
            Self::OtherTrim => "R3-trim",
            Self::OtherSilent => "R3-silent",
            Self::Survivors => "R4",
            Self::Idle => "R5",
            Self::IdleRelease => "R5-release",
        }
    }

    /// The one of that name, in upper or lower case.
    pub fn named(id: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|phase| phase.id().eq_ignore_ascii_case(id))
    }

    fn title(self, sizes: Sizes) -> String {
        let mib = sizes.mib;
        let blocks = format!("{mib} MiB of 8 KiB blocks taken, written and given back");
        let buffers = format!("{} buffers idle after 1 MiB each", sizes.buffers);
        match self {
            Self::Trim => format!("{blocks}, then trim()"),
            Self::Silent => format!("{blocks}, then silence, with a trimmer thread"),
            Self::OtherTrim => format!("{blocks} by another thread, then trim()"),
            Self::OtherSilent => format!("{blocks} by another thread, then silence"),
            Self::Survivors => format!("{blocks} but for one in 64 at random, then trim()"),
            Self::Idle => buffers,
            Self::IdleRelease => format!("{buffers}, TailPolicy::Release"),
        }
    }

    fn is_idle(self) -> bool {
        matches!(self, Self::Idle | Self::IdleRelease)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// How much is taken.
///
/// ```
/// use linkbuf_bench::retention::Sizes;
/// assert_eq!(Sizes::FULL.mib, 1024);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// MiB of blocks.
    pub mib: usize,
    /// Buffers.
    pub buffers: usize,
    /// How long a silent program is watched, unless it has given its memory back before.
    pub watch: Duration,
}

impl Sizes {
    /// The sizes that the bars are for.
    pub const FULL: Self = Self {
        mib: 1024,
        buffers: 10_000,
        watch: Duration::from_secs(5),
    };

    /// A first look.
    pub const QUICK: Self = Self {
        mib: 128,
        buffers: 1000,
        watch: Duration::from_millis(2500),
    };
}

/// `BytesMut`, which stands beside the allocators where buffers are weighed.
pub(crate) const BYTES_MUT: &str = "bytes_mut";

/// The command line of `linkbuf-bench retention`.
///
/// ```
/// use clap::Parser;
/// #[derive(Parser)]
/// struct Cli {
///     #[command(flatten)]
///     options: linkbuf_bench::retention::Options,
/// }
/// assert!(Cli::try_parse_from(["x", "--quick", "--phase", "R1", "--backend", "heap"]).is_ok());
/// assert!(Cli::try_parse_from(["x", "--mib", "0"]).is_err());
/// ```
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Small sizes: a first look. The bars are for the full ones
    #[arg(long)]
    quick: bool,
    /// Only this phase (R1 … R5, R3-silent …); may be given several times
    #[arg(long, value_name = "ID")]
    phase: Vec<String>,
    /// Only this allocator; may be given several times
    #[arg(long, value_name = "NAME")]
    backend: Vec<String>,
    /// MiB of blocks, instead of 1024 (128 with --quick)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    mib: Option<u32>,
    /// Buffers, instead of 10,000 (1,000 with --quick)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    buffers: Option<u32>,
    /// Watches silent programs for so many seconds, instead of 5 (2.5 with --quick)
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    watch: Option<Duration>,
    /// Reserves huge pages for the runs that are about them (needs root). They are given up after each, but not if it
    /// is interrupted
    #[arg(long)]
    reserve_huge_pages: bool,
    /// Writes the results there too: a JSON object per line
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Lists phases and allocators
    #[arg(long)]
    list: bool,
}

impl Options {
    fn sizes(&self) -> Sizes {
        let all = if self.quick {
            Sizes::QUICK
        } else {
            Sizes::FULL
        };
        Sizes {
            mib: self.mib.map_or(all.mib, |n| n as usize),
            buffers: self.buffers.map_or(all.buffers, |n| n as usize),
            watch: self.watch.unwrap_or(all.watch),
        }
    }

    /// What was asked for: `R3` means both of it, no phase all.
    fn phases(&self) -> Result<Vec<Phase>, String> {
        let asked = |phase: &Phase| {
            let family = phase.id().split('-').next().unwrap_or_default();
            let names = [phase.id(), family];
            let mut all = self.phase.iter();
            all.any(|asked| names.iter().any(|name| name.eq_ignore_ascii_case(asked)))
        };
        let mut phases = Phase::ALL.to_vec();
        if !self.phase.is_empty() {
            phases.retain(asked);
        }
        some(phases)
    }

    fn backends(&self, phase: Phase) -> Vec<&'static str> {
        let mut names: Vec<_> = Backend::RETENTION.iter().map(|b| b.name()).collect();
        if phase.is_idle() && phase != Phase::IdleRelease {
            names.push(BYTES_MUT);
        }
        if !self.backend.is_empty() {
            names.retain(|name| self.backend.iter().any(|asked| asked == name));
        }
        names
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|e| format!("{e}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

fn some<T>(found: Vec<T>) -> Result<Vec<T>, String> {
    match found.is_empty() {
        true => Err("nothing is called that; `retention --list` tells what there is".into()),
        false => Ok(found),
    }
}

/// Runs what `options` ask for, and prints a table per phase.
///
/// # Errors
/// Unknown names, or a file that can't be written. An allocator that fails has a row that says so.
pub fn run(options: &Options) -> Result<(), String> {
    let sizes = options.sizes();
    let phases = options.phases()?;
    let pairs = |phase: &Phase| {
        let phase = *phase;
        let names = options.backends(phase).into_iter();
        names.map(move |backend| (phase, backend))
    };
    let runs: Vec<_> = some(phases.iter().flat_map(pairs).collect())?;
    if options.list {
        for phase in &phases {
            println!("{:<11} {}", phase.id(), phase.title(sizes));
            println!("{:<11} {}", "", options.backends(*phase).join(", "));
        }
        return Ok(());
    }
    let mut json = Lines::to(options.json.as_deref())?;
    json.write(&report::about_line(sizes))?;
    let progress = progress::bar(runs.len());
    let mut rows = Vec::new();
    for (phase, backend) in runs {
        progress.set_message(format!("{phase} {backend}: {}", phase.title(sizes)));
        let reserve = options.reserve_huge_pages && backend == Backend::HugeTlb.name();
        let row = Row::new(phase, backend, child::start(phase, backend, sizes, reserve));
        json.write(&json_line(&row))?;
        rows.push(row);
        progress.inc(1);
    }
    progress.finish_and_clear();
    for phase in phases {
        let of_phase: Vec<_> = rows.iter().filter(|row| row.phase == phase).collect();
        println!("{phase}: {}\n{}", phase.title(sizes), table(&of_phase));
    }
    println!("{}\n{}", report::summary(&rows), machine::about());
    Ok(())
}

/// The file of results: a line at a time, so that what is done stays if the run is cut off.
struct Lines(Option<File>);

impl Lines {
    fn to(path: Option<&Path>) -> Result<Self, String> {
        let create = |path: &Path| {
            let file = File::create(path);
            file.map_err(|e| format!("{}: {e}", path.display()))
        };
        path.map(create).transpose().map(Self)
    }

    fn write(&mut self, line: &Value) -> Result<(), String> {
        let Some(file) = &mut self.0 else {
            return Ok(());
        };
        writeln!(file, "{line}").map_err(|e| format!("the JSON file: {e}"))
    }
}
