//! The command line.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use linkbuf_core::{LinkBuffer, Slice};

use crate::measure::{self, Plan};
use crate::report::{self, Run};
use crate::scenario::Scenario;
use crate::{machine, memory, retention, scenarios};

/// Measures linkbuf against BytesMut, linkedbytes and the floors, and its allocators against mimalloc and the C
/// library; ends with a table.
#[derive(Debug, Parser)]
#[command(
    name = "linkbuf-bench",
    version,
    args_conflicts_with_subcommands = true
)]
struct Cli {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// How much memory stays, and for how long: one process per allocator
    Retention(retention::Options),
    #[command(hide = true)]
    RetentionChild(retention::ChildOptions),
}

/// What is timed.
#[derive(Debug, clap::Args)]
struct Options {
    /// Short runs: everything in under two minutes
    #[arg(long)]
    quick: bool,
    /// Only this scenario (W1 … W9, replay, replay-small … A1-4k … A4); may be given several times
    #[arg(long, value_name = "ID")]
    scenario: Vec<String>,
    /// Only contenders of this name, or, where there is none, with this in their names; may be given several times.
    /// A ratio needs both its sides
    #[arg(long, value_name = "NAME")]
    contender: Vec<String>,
    /// Rounds, instead of the plan's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Writes the results there too, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Lists scenarios and contenders
    #[arg(long)]
    list: bool,
    /// Runs each case once, looks at what comes out, and times nothing
    #[arg(long)]
    check: bool,
    /// Counts instructions per operation under valgrind, instead of timing (of W1 unless told otherwise)
    #[arg(long)]
    instructions: bool,
    /// Runs the selected operations N times and nothing else, for a profiler
    #[arg(long, value_name = "N")]
    spin: Option<u64>,
}

impl Options {
    /// Whether the contender `name` was asked for, of those that there are.
    fn wants(&self, name: &str, names: &[&str]) -> bool {
        // `--contender linkbuf` isn't meant for linkbuf-keep too where both are.
        let asked =
            |asked: &String| name == asked || !names.contains(&&**asked) && name.contains(asked);
        self.contender.is_empty() || self.contender.iter().any(asked)
    }
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
    let done = match &cli.part {
        None => run(&cli.options),
        Some(Part::Retention(options)) => retention::run(options),
        Some(Part::RetentionChild(options)) => retention::run_child(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("linkbuf-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let (scenarios, idle) = select(options)?;
    if options.list {
        for scenario in &scenarios {
            println!("{:<13} {}", scenario.id, scenario.title);
            println!("{:<13} {:?}", "", scenario.contenders);
        }
        return Ok(());
    }
    if let Some(ops) = options.spin {
        for contender in scenarios.iter().flat_map(|s| &s.contenders) {
            contender.make().run(ops);
        }
        return Ok(());
    }
    check(&scenarios)?;
    if options.check {
        return Ok(());
    }
    if options.instructions {
        return instructions(&scenarios);
    }
    if !memory::installed() {
        return Err("the counting allocator isn't this program's".into());
    }
    let mut plan = if options.quick {
        Plan::QUICK
    } else {
        Plan::FULL
    };
    if let Some(rounds) = options.rounds {
        plan.rounds = rounds.into();
    }
    let allocs = measure::allocs(&scenarios);
    let run = Run {
        times: measure::rounds(&scenarios, plan)?,
        allocs,
        idle: scenarios::idle(|name| idle && options.wants(name, &[])),
        about: about(plan),
        scenarios,
    };
    print!("{}", report::table(&run));
    if let Some(path) = &options.json {
        let text = format!("{:#}\n", report::json(&run));
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

/// The scenarios that were asked for, with the contenders that were, and whether W9 is among them.
fn select(options: &Options) -> Result<(Vec<Scenario>, bool), String> {
    let asked = |id: &str| {
        let same = |s: &String| id.eq_ignore_ascii_case(s) || (s == "replay" && id.starts_with(s));
        match &options.scenario[..] {
            [] if options.instructions => id == "W1",
            [] => true,
            some => some.iter().any(same),
        }
    };
    let mut selected = scenarios::all();
    selected.retain(|scenario| asked(scenario.id));
    if !options.contender.is_empty() {
        for scenario in &mut selected {
            let names: Vec<_> = scenario.contenders.iter().map(|c| c.name).collect();
            scenario
                .contenders
                .retain(|c| options.wants(c.name, &names));
        }
        selected.retain(|scenario| !scenario.contenders.is_empty());
    }
    let idle = asked("W9");
    if selected.is_empty() && !idle {
        return Err("nothing is called that; --list tells what there is".into());
    }
    Ok((selected, idle))
}

/// Every case once, on data that tells positions apart.
fn check(scenarios: &[Scenario]) -> Result<(), String> {
    for scenario in scenarios {
        for contender in &scenario.contenders {
            let checked = contender.make().check();
            checked.map_err(|e| format!("{}/{}: {e}", scenario.id, contender.name))?;
        }
    }
    Ok(())
}

/// How long it was measured, where, and what.
fn about(plan: Plan) -> String {
    format!(
        "{} rounds of {} × {:.1} ms · {} · size_of LinkBuffer {}, Slice {}, BytesMut {}, Bytes {}",
        plan.rounds,
        plan.samples,
        plan.measure * 1_000.0 / plan.samples as f64,
        machine::about(),
        size_of::<LinkBuffer>(),
        size_of::<Slice>(),
        size_of::<bytes::BytesMut>(),
        size_of::<bytes::Bytes>(),
    )
}

/// Instructions per operation: the difference of a long run and a short one, so that what surrounds it is gone.
fn instructions(scenarios: &[Scenario]) -> Result<(), String> {
    const FEW: u64 = 1_000;
    const MANY: u64 = 11_000;
    let me = std::env::current_exe().map_err(|e| format!("this program isn't found: {e}"))?;
    let counted = |scenario: &str, contender: &str, ops: u64| -> Result<u64, String> {
        let run = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(&me)
            .args(["--scenario", scenario, "--contender", contender])
            .args(["--spin", &ops.to_string()])
            .output()
            .map_err(|e| format!("valgrind didn't start: {e}"))?;
        let said = String::from_utf8_lossy(&run.stderr);
        said.lines()
            .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
            .ok_or_else(|| format!("valgrind counted nothing:\n{said}"))
    };
    for scenario in scenarios {
        for contender in &scenario.contenders {
            let few = counted(scenario.id, contender.name, FEW)?;
            let many = counted(scenario.id, contender.name, MANY)?;
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 instructions")]
            let each = many.saturating_sub(few) as f64 / (MANY - FEW) as f64;
            println!(
                "{:<4} {:<20} {each:8.1} instructions/op",
                scenario.id, contender.name
            );
        }
    }
    Ok(())
}
