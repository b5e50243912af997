//! Criterion measures, in rounds.
//!
//! [`run_criterion`] is an ordinary criterion benchmark. Each step of a run starts this program again as just that, for one
//! scenario in one round, and reads the estimates that criterion leaves. A process of its own each time: another address
//! layout and a fresh heap in each round, and no contender finds what another left there.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;

use criterion::{Criterion, SamplingMode};
use serde_json::Value;

use crate::backends::Backend;
use crate::child;
use crate::memory::count;
use crate::part::{Selection, Step};
use crate::results::Timed;
use crate::scenario::{Contender, Kind, Scenario};
use crate::{files, report, scenarios};

/// Set in the processes that the rounds are measured in, to the number of the round.
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
    /// A minute or so.
    pub const QUICK: Self = Self {
        rounds: 24,
        warm_up: 0.002,
        measure: 0.009,
        samples: 15,
    };

    /// Some minutes.
    pub const FULL: Self = Self {
        rounds: 60,
        warm_up: 0.004,
        measure: 0.016,
        samples: 25,
    };

    /// The one that `selection` asks for.
    pub(crate) fn of(selection: &Selection) -> Self {
        let plan = if selection.quick {
            Self::QUICK
        } else {
            Self::FULL
        };
        Self {
            rounds: selection.rounds.map_or(plan.rounds, usize::from),
            ..plan
        }
    }

    /// About how long a scenario takes in a round, in seconds.
    fn seconds(&self, scenario: &Scenario) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "some tens")]
        let contenders = scenario.contenders.len() as f64;
        let each = self.warm_up + self.measure + ESTIMATE;
        // A long operation outlasts the plan: criterion takes each of its samples at least one.
        let long = if scenario.every() >= LONG { 12.0 } else { 1.0 };
        START + contenders * each * long
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "some tens")]
        let sample = self.measure * 1_000.0 / self.samples as f64;
        write!(
            f,
            "{} rounds of {} × {sample:.1} ms",
            self.rounds, self.samples
        )
    }
}

/// Seconds that a process of criterion takes to start.
const START: f64 = 0.02;
/// Seconds that criterion reckons after each contender.
const ESTIMATE: f64 = 0.003;
/// A scenario that is measured in one of so many rounds has long operations.
const LONG: usize = 10;

/// The scenarios that `selection` asks for, with the contenders that it does.
///
/// Where only some backends are asked for, linkbuf's on others are left out, and peers and floors stay: a ratio needs
/// both its sides.
pub(crate) fn selected(selection: &Selection) -> Vec<Scenario> {
    let mut scenarios = scenarios::all();
    scenarios.retain(|scenario| selection.wants_scenario(scenario.id));
    for scenario in &mut scenarios {
        let names: Vec<_> = scenario.contenders.iter().map(|c| c.name).collect();
        scenario.contenders.retain(|contender| {
            let linkbuf = contender.kind == Kind::Linkbuf;
            let by_name = selection.wants_contender(contender.name, &names);
            let by_backend = selection.wants_backend(backend_of(contender.name));
            match (
                selection.contenders.is_empty(),
                selection.backends.is_empty(),
            ) {
                (true, _) => by_backend || !linkbuf,
                (false, true) => by_name,
                (false, false) => by_name || by_backend && linkbuf,
            }
        });
    }
    scenarios.retain(|scenario| {
        let mut all = scenario.contenders.iter();
        all.any(|c| selection.backends.is_empty() || c.kind == Kind::Linkbuf)
    });
    scenarios
}

/// The name of the backend that a contender of linkbuf's stands on: `mmap` of `mmap` and of `linkbuf-mmap`, the heap
/// where it tells none.
pub(crate) fn backend_of(contender: &str) -> &str {
    let bare = contender.strip_prefix("linkbuf-").unwrap_or(contender);
    match Backend::named(bare) {
        Some(backend) => backend.name(),
        None => Backend::Heap.name(),
    }
}

/// A step per round and scenario. In its first, a scenario's contenders are checked and their allocator calls counted,
/// which needs the counting allocator.
pub(crate) fn steps(scenarios: Vec<Scenario>, plan: Plan) -> Vec<Step> {
    let scenarios: Vec<_> = scenarios.into_iter().map(Rc::new).collect();
    let in_round = |round: usize| {
        let scenarios = scenarios.iter();
        scenarios
            .filter(move |scenario| round.is_multiple_of(scenario.every()))
            .map(move |scenario| step(Rc::clone(scenario), plan, round))
    };
    (0..plan.rounds).flat_map(in_round).collect()
}

fn step(scenario: Rc<Scenario>, plan: Plan, round: usize) -> Step {
    Step {
        what: format!(
            "round {} of {}: {} ({})",
            round + 1,
            plan.rounds,
            scenario.id,
            scenario.title
        ),
        seconds: plan.seconds(&scenario),
        run: Box::new(move |results| {
            let rows = &mut results.throughput;
            let at = rows.iter().position(|row| row.scenario == scenario.id);
            let mut fresh = Vec::new();
            if at.is_none() {
                check(&scenario)?;
                fresh.extend(blank(&scenario));
            }
            let medians = measure(&scenario, plan, round)?;
            let at = at.unwrap_or(rows.len());
            rows.append(&mut fresh);
            let rows = &mut rows[at..at + medians.len()];
            for (row, nanos) in rows.iter_mut().zip(medians) {
                row.nanos.push(nanos);
                row.rounds.push(round);
            }
            report::settle(&scenario, rows);
            Ok(())
        }),
    }
}

/// Runs every contender of a scenario once, on data that tells positions apart.
///
/// # Errors
/// Whose result is wrong, and how.
pub(crate) fn check(scenario: &Scenario) -> Result<(), String> {
    for contender in &scenario.contenders {
        let checked = contender.make().check();
        checked.map_err(|e| format!("{}/{}: {e}", scenario.id, contender.name))?;
    }
    Ok(())
}

/// A row per contender, without times.
fn blank(scenario: &Scenario) -> impl Iterator<Item = Timed> {
    let counted = allocs(std::slice::from_ref(scenario));
    scenario.contenders.iter().map(move |contender| {
        let calls = counted.iter().find(|a| a.contender == contender.name);
        let shares = scenario.alloc_shares.iter();
        Timed {
            scenario: scenario.id.to_owned(),
            title: scenario.title.to_owned(),
            contender: contender.name.to_owned(),
            kind: contender.kind,
            value: 0.0,
            unit: String::new(),
            shown: String::new(),
            spread: 0.0,
            nanos: Vec::new(),
            rounds: Vec::new(),
            base: scenario.baseline.to_owned(),
            to_base: None,
            allocs: calls.map_or_else(Vec::new, |calls| {
                shares
                    .map(|share| (share.of(calls.calls), share.part.to_owned()))
                    .collect()
            }),
            bars: Vec::new(),
        }
    })
}

/// Criterion's median of each contender of a scenario, in ns per operation, in the scenario's order.
fn measure(scenario: &Scenario, plan: Plan, round: usize) -> Result<Vec<f64>, String> {
    let home = files::home().join("criterion");
    // Not every round is a scenario's: count its own, so that each order comes up.
    run(scenario, plan, round / scenario.every(), &home)?;
    let median = |contender: &Contender| {
        let directory = home.join(scenario.id).join(contender.name).join("new");
        read_median(&directory.join("estimates.json"))
    };
    scenario.contenders.iter().map(median).collect()
}

/// One criterion run: `scenario`, those of its contenders that are left in it.
fn run(scenario: &Scenario, plan: Plan, round: usize, home: &Path) -> Result<(), String> {
    // Nothing of an older run can be taken for this one's, and criterion has nothing to compare with.
    let old = home.join(scenario.id);
    if old.exists() {
        fs::remove_dir_all(&old).map_err(|e| format!("{}: {e}", old.display()))?;
    }
    let names: Vec<_> = scenario.contenders.iter().map(|c| c.name).collect();
    let me = child::this_program()?;
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
