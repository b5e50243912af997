//! A run: its options, its parts, and what is told and kept of it.

use std::path::PathBuf;
use std::process::ExitCode;

use linkbuf_core::{LinkBuffer, Slice};

use super::say;
use super::select::Select;
use crate::measure::{self, Plan};
use crate::part::Selection;
use crate::results::Results;
use crate::runner::{self, End, Part};
use crate::{compare, files, heap, idle, interrupt, machine, memory, report, retention};

/// The options of a run.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Options {
    /// Short runs: everything in under two minutes
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    select: Select,
    /// Rounds of throughput, instead of 60 (24 with --quick)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Keeps the results under this name, for --baseline and compare
    #[arg(long, value_name = "NAME", value_parser = files::check_name)]
    save: Option<String>,
    /// Says in the end what changed since that run: a name that it was saved under, or a file
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// Writes the results there, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Reserves huge pages for the runs that are about them (needs root), and gives them up after each
    #[arg(long)]
    reserve_huge_pages: bool,
    /// Makes no page and no plots
    #[arg(long)]
    no_report: bool,
}

/// Which parts are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    Throughput,
    Replay,
    Retention,
    Heap,
}

impl Which {
    fn has(self, part: Self) -> bool {
        self == Self::All || self == part
    }
}

/// Measures, and tells what was found.
///
/// # Errors
/// Unknown names, files that can't be read or written, or a benchmark that is broken: then what was done before is told.
pub(super) fn run(which: Which, options: &Options) -> Result<ExitCode, String> {
    let selection = Selection {
        quick: options.quick,
        rounds: options.rounds,
        reserve_huge_pages: options.reserve_huge_pages,
        ..options.select.selection()?
    };
    // What can be wrong is found before minutes of work.
    let baseline = options.baseline.as_deref().map(files::find).transpose()?;
    let parts = parts(which, &selection)?;
    interrupt::listen(options.reserve_huge_pages)?;
    let mut results = Results {
        about: machine::about(),
        settings: settings(&parts, &selection),
        ..Results::default()
    };
    let last = files::last();
    let end = runner::run(parts, &mut results, |results| files::write(&last, results))?;
    tell(&results);
    let mut written = vec![last];
    written.extend(options.json.clone());
    written.extend(options.save.as_deref().map(files::saved));
    for file in &written[1..] {
        files::write(file, &results)?;
    }
    if let Some(baseline) = baseline {
        let name = options.baseline.as_deref().unwrap_or_default();
        let compared = compare::compare(&baseline, &results);
        say(&format!(
            "\nSince {name} (A), this run (B)\n{}",
            compared.text(false)
        ));
    }
    if !options.no_report {
        page(&results)?;
    }
    let written: Vec<_> = written.iter().map(|path| files::shown(path)).collect();
    say(&format!("results: {}\n", written.join(", ")));
    match end {
        End::Whole => Ok(ExitCode::SUCCESS),
        End::Interrupted => Ok(ExitCode::from(interrupt::EXIT_CODE)),
        End::Failed(why) => Err(why),
    }
}

/// Prints the tables, and what follows from them.
pub(super) fn tell(results: &Results) {
    say(&report::text(results));
    let advice = report::advice::text(results);
    if !advice.is_empty() {
        say(&format!("\n{advice}\n"));
    }
}

/// Makes the page and its plots.
///
/// # Errors
/// Which file can't be written.
pub(super) fn page(results: &Results) -> Result<(), String> {
    let home = files::home();
    let path =
        report::page::write(results, &home).map_err(|e| format!("{}: {e}", home.display()))?;
    say(&format!("report: {}\n", files::shown(&path)));
    Ok(())
}

/// What was asked for, part by part.
fn parts(which: Which, selection: &Selection) -> Result<Vec<Part>, String> {
    let mut timed = measure::selected(selection);
    timed.retain(|scenario| {
        which.has(match scenario.id.starts_with("replay") {
            true => Which::Replay,
            false => Which::Throughput,
        })
    });
    let mut parts = vec![Part {
        name: "throughput",
        steps: measure::steps(timed, Plan::of(selection)),
    }];
    if which.has(Which::Retention) {
        let mut steps = idle::steps(selection);
        steps.extend(retention::steps(selection)?);
        parts.push(Part {
            name: "retention",
            steps,
        });
    }
    if which.has(Which::Heap) {
        parts.push(Part {
            name: "heap",
            steps: heap::steps(selection)?,
        });
    }
    parts.retain(|part| !part.steps.is_empty());
    if parts.is_empty() {
        return Err("no part has that; `linkbuf-bench list` tells what there is".into());
    }
    if !memory::installed() {
        return Err("the counting allocator isn't this program's".into());
    }
    Ok(parts)
}

/// How it is measured.
fn settings(parts: &[Part], selection: &Selection) -> std::collections::BTreeMap<String, String> {
    let sizes = format!(
        "LinkBuffer {}, Slice {}, BytesMut {}, Bytes {}",
        size_of::<LinkBuffer>(),
        size_of::<Slice>(),
        size_of::<bytes::BytesMut>(),
        size_of::<bytes::Bytes>(),
    );
    let mut all = vec![("size_of", sizes)];
    for part in parts {
        let plan = match part.name {
            "throughput" => Plan::of(selection).to_string(),
            _ if selection.quick => "quick".to_owned(),
            _ => "full".to_owned(),
        };
        all.push((part.name, plan));
    }
    let owned = all
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    owned.collect()
}
