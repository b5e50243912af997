//! The command line.

mod developer;
mod run;
mod select;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{compare, files, measure, retention};
use run::Which;
use select::Select;

/// Tells on this machine how fast linkbuf is and how much memory stays, beside BytesMut and others, for every backend.
///
/// Without a command it measures all there is (about ten minutes; under two with --quick), prints the tables and which
/// backend did best for which use, and writes a page with plots and a JSON file.
#[derive(Debug, Parser)]
#[command(
    name = "linkbuf-bench",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Results go to target/linkbuf-bench, or to the directory that LINKBUF_BENCH_DIR names:\n  \
        results.json   the last run, as far as it came\n  \
        report.html    its page; plots/ has the pictures\n  \
        saved/         the runs that --save gave a name\n\n\
        Ctrl-C ends a run after the step that it is at, and reports what is done; twice ends it at once."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Task>,
    #[command(flatten)]
    options: run::Options,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// How fast: workloads, real shapes and the allocators alone, with criterion
    Throughput(run::Options),
    /// How fast: recorded traffic through a proxy
    Replay(run::Options),
    /// How much memory stays, and for how long: a process for each
    Retention(run::Options),
    /// What is on the global heap, phase by phase, by dhat; with profiles for its viewer
    Heap(run::Options),
    /// Lists scenarios, contenders and backends
    List,
    /// Says what changed between two runs, beyond noise
    Compare(Compare),
    /// Makes tables and page again, out of a file of results
    Report {
        /// The file, or the name of a run that was saved [default: the last run]
        file: Option<String>,
    },
    /// For developers: runs each case once, looks at what comes out, and times nothing
    Check(Select),
    /// For developers: counts instructions per operation under valgrind (of W1, unless told otherwise)
    Instructions(Select),
    /// For developers: does the operations N times and nothing else, for a profiler
    Spin {
        /// How often
        times: u64,
        #[command(flatten)]
        select: Select,
    },
    #[command(hide = true)]
    RetentionChild(retention::ChildOptions),
}

#[derive(Debug, clap::Args)]
struct Compare {
    /// The earlier run: a name that it was saved under, or a file
    a: String,
    /// The later run [default: the last one]
    b: Option<String>,
    /// Fails if something became slower or larger
    #[arg(long)]
    fail: bool,
    /// Shows what is the same, too: of memory, that is only counted
    #[arg(long)]
    all: bool,
}

/// What the binary does.
///
/// ```no_run
/// let code = linkbuf_bench::cli::main();
/// ```
pub fn main() -> ExitCode {
    // Started by itself: see `measure`.
    if let Some(round) = std::env::var_os(measure::ROUND) {
        let round = round.to_str().and_then(|n| n.parse().ok());
        measure::run_criterion(round.unwrap_or(0));
        return ExitCode::SUCCESS;
    }
    let cli = Cli::parse();
    let success = |()| ExitCode::SUCCESS;
    let done = match &cli.command {
        None => run::run(Which::All, &cli.options),
        Some(Task::Throughput(options)) => run::run(Which::Throughput, options),
        Some(Task::Replay(options)) => run::run(Which::Replay, options),
        Some(Task::Retention(options)) => run::run(Which::Retention, options),
        Some(Task::Heap(options)) => run::run(Which::Heap, options),
        Some(Task::List) => {
            say(&select::list());
            Ok(ExitCode::SUCCESS)
        }
        Some(Task::Compare(options)) => compare(options),
        Some(Task::Report { file }) => again(file.as_deref()).map(success),
        Some(Task::Check(select)) => developer::check(select).map(success),
        Some(Task::Instructions(select)) => developer::instructions(select).map(success),
        Some(Task::Spin { times, select }) => developer::spin(*times, select).map(success),
        Some(Task::RetentionChild(options)) => retention::run_child(options).map(success),
    };
    done.unwrap_or_else(|error| {
        eprintln!("linkbuf-bench: {error}");
        ExitCode::FAILURE
    })
}

/// Prints it. Nobody may be listening any more: `linkbuf-bench list | head`.
fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn compare(options: &Compare) -> Result<ExitCode, String> {
    let a = files::find(&options.a)?;
    let b = match &options.b {
        Some(b) => files::find(b)?,
        None => files::read(&files::last())?,
    };
    let compared = compare::compare(&a, &b);
    say(&compared.text(options.all));
    let fails = options.fail && compared.worse() > 0;
    Ok(if fails {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn again(file: Option<&str>) -> Result<(), String> {
    let results = match file {
        Some(file) => files::find(file)?,
        None => files::read(&files::last())?,
    };
    run::tell(&results);
    run::page(&results)
}
