//! Criterion measures, in rounds.
//!
//! [`run_criterion`] is an ordinary criterion benchmark. [`rounds`] starts this program again as just that, once per
//! scenario and round, and reads the estimates that criterion leaves. A process of its own each time: another address
//! layout and a fresh heap in each round, and no contender finds what another left there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use criterion::{Criterion, SamplingMode};
use serde_json::Value;

use crate::memory::count;
use crate::progress;
use crate::scenario::Scenario;
use crate::scenarios;

/// Set in the processes that [`rounds`] starts, to the number of the round.
pub const ROUND: &str = "LINKBUF_BENCH_ROUND";

/// Runs every scenario as a criterion group, under criterion's own command line.
///
/// `round` turns the order of the contenders, so that over the rounds each follows each.
///
/// ```no_run
/// linkbuf_bench::measure::run_criterion(0);
/// ```
pub fn run_criterion(round: usize) {
    let mut criterion = Criterion::default().configure_from_args();
    for scenario in scenarios::all() {
        let mut group = criterion.benchmark_group(scenario.id);
        // Samples of one length, whose median says what an operation takes.
        group.sampling_mode(SamplingMode::Flat);
        for n in 0..scenario.contenders.len() {
            let contender = &scenario.contenders[(n + round) % scenario.contenders.len()];
            let mut case = None;
            group.bench_function(contender.name, |bencher| {
                // Made when criterion asks for it: most runs are filtered.
                let case = case.get_or_insert_with(|| contender.make());
                bencher.iter_custom(|ops| case.run(ops));
            });
        }
        group.finish();
    }
    criterion.final_summary();
}

/// How long to measure.
///
/// ```
/// use linkbuf_bench::measure::Plan;
/// assert!(Plan::QUICK.rounds < Plan::FULL.rounds);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Rounds over all scenarios.
    pub rounds: usize,
    /// Seconds that a contender is run before it is measured, per round.
    pub warm_up: f64,
    /// Seconds that it is measured, per round.
    pub measure: f64,
    /// Samples that criterion takes in that time; at least 10. Best below a millisecond each: when the machine is
    /// shared, most are then whole, and the median is one of these.
    pub samples: usize,
}

impl Plan {
    /// A minute and a half.
    pub const QUICK: Self = Self {
        rounds: 40,
        warm_up: 0.003,
        measure: 0.015,
        samples: 25,
    };

    /// Some minutes.
    pub const FULL: Self = Self {
        rounds: 120,
        warm_up: 0.005,
        measure: 0.02,
        samples: 30,
    };
}

/// What one contender's times in one scenario were, in ns per operation.
///
/// ```
/// let times = linkbuf_bench::measure::Times {
///     scenario: "W1",
///     contender: "memcpy",
///     rounds: vec![1.0, 1.1],
///     samples: vec![0.9, 1.0, 1.1, 1.2],
/// };
/// assert_eq!(times.rounds.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// The scenario's id.
    pub scenario: &'static str,
    /// The contender's name.
    pub contender: &'static str,
    /// Criterion's median of each round.
    pub rounds: Vec<f64>,
    /// All samples of all rounds.
    pub samples: Vec<f64>,
}

/// Measures `scenarios` by `plan`. Shows its progress on a terminal.
///
/// # Errors
/// What criterion said, if a run failed, or which of its files can't be read.
pub fn rounds(scenarios: &[Scenario], plan: Plan) -> Result<Vec<Times>, String> {
    let home = criterion_home();
    let mut all: Vec<Times> = scenarios
        .iter()
        .flat_map(|scenario| {
            scenario.contenders.iter().map(|contender| Times {
                scenario: scenario.id,
                contender: contender.name,
                rounds: Vec::new(),
                samples: Vec::new(),
            })
        })
        .collect();
    let progress = progress::bar(scenarios.len() * plan.rounds);
    for round in 0..plan.rounds {
        for scenario in scenarios {
            progress.set_message(format!(
                "round {} of {}: {} ({})",
                round + 1,
                plan.rounds,
                scenario.id,
                scenario.title
            ));
            if !round.is_multiple_of(scenario.every()) {
                progress.inc(1);
                continue;
            }
            run(scenario, plan, round, &home)?;
            for times in all.iter_mut().filter(|t| t.scenario == scenario.id) {
                let dir = home.join(times.scenario).join(times.contender).join("new");
                times.rounds.push(read_median(&dir.join("estimates.json"))?);
                times
                    .samples
                    .extend(read_samples(&dir.join("sample.json"))?);
            }
            progress.inc(1);
        }
    }
    progress.finish_and_clear();
    Ok(all)
}

/// Where criterion puts its files: beside the build that this program is from.
fn criterion_home() -> PathBuf {
    let target = std::env::current_exe().ok();
    let target = target
        .as_deref()
        .and_then(Path::parent)
        .and_then(Path::parent);
    let target = target.map_or_else(std::env::temp_dir, Path::to_path_buf);
    target.join("criterion").join("linkbuf-bench")
}

/// One criterion run: `scenario`, those of its contenders that are left in it.
fn run(scenario: &Scenario, plan: Plan, round: usize, home: &Path) -> Result<(), String> {
    // Nothing of an older run can be taken for this one's, and criterion has nothing to compare with.
    let old = home.join(scenario.id);
    if old.exists() {
        fs::remove_dir_all(&old).map_err(|e| format!("{}: {e}", old.display()))?;
    }
    let names: Vec<_> = scenario.contenders.iter().map(|c| c.name).collect();
    let me = std::env::current_exe().map_err(|e| format!("this program isn't found: {e}"))?;
    let output = Command::new(me)
        .env(ROUND, round.to_string())
        .env("CRITERION_HOME", home)
        .args(["--bench", "--noplot", "--quiet", "--nresamples", "1000"])
        .args(["--warm-up-time", &plan.warm_up.to_string()])
        .args(["--measurement-time", &plan.measure.to_string()])
        .args(["--sample-size", &plan.samples.to_string()])
        .arg(format!("^{}/({})$", scenario.id, names.join("|")))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{}: criterion didn't start: {e}", scenario.id))?;
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (&output.stdout, &output.stderr);
    let said = [out, err].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Err(format!(
        "{}: {}\n{}",
        scenario.id,
        output.status,
        said.concat()
    ))
}

fn read(path: &Path) -> Result<Value, String> {
    let text = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
}

fn read_median(path: &Path) -> Result<f64, String> {
    let median = read(path)?["median"]["point_estimate"].as_f64();
    median.ok_or_else(|| format!("{}: no median in it", path.display()))
}

/// ns per operation of each sample.
fn read_samples(path: &Path) -> Result<Vec<f64>, String> {
    let file = read(path)?;
    let column = |name: &str| -> Option<Vec<f64>> {
        file[name].as_array()?.iter().map(Value::as_f64).collect()
    };
    let (Some(iters), Some(times)) = (column("iters"), column("times")) else {
        return Err(format!("{}: no samples in it", path.display()));
    };
    Ok(times.iter().zip(&iters).map(|(time, n)| time / n).collect())
}

/// How often one contender of a scenario calls the allocator per operation, once warm.
///
/// ```
/// use linkbuf_bench::measure::Allocs;
/// assert_eq!(Allocs { scenario: "W1", contender: "linkbuf", calls: 0.0 }.calls, 0.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allocs {
    /// The scenario's id.
    pub scenario: &'static str,
    /// The contender's name.
    pub contender: &'static str,
    /// Calls that asked for memory.
    pub calls: f64,
}

/// Counts allocator calls in the steady state, of those scenarios where they say something.
///
/// Untimed parts count too: whoever fills a buffer in the steady state does it out of what it kept.
/// Needs the counting allocator.
pub fn allocs(scenarios: &[Scenario]) -> Vec<Allocs> {
    let mut all = Vec::new();
    for scenario in scenarios.iter().filter(|s| !s.alloc_shares.is_empty()) {
        // Enough for a call every thousand small operations to be seen.
        let ops: u32 = if scenario.id < "W5" { 100_000 } else { 20 };
        for contender in &scenario.contenders {
            let mut case = contender.make();
            case.run(u64::from(ops));
            let (_, tally) = count(|| case.run(u64::from(ops)));
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 calls")]
            let calls = tally.acquired as f64 / f64::from(ops);
            all.push(Allocs {
                scenario: scenario.id,
                contender: contender.name,
                calls,
            });
        }
    }
    all
}
