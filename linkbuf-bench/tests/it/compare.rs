//! What is told of two runs: what changed, and nothing else.

use linkbuf_bench::compare::{Change, Comparison, Outcome, compare};
use linkbuf_bench::report::settle;
use linkbuf_bench::results::{Figure, HeapPhase, Kept, Profiled, Results, Timed};
use linkbuf_bench::scenario::{Kind, Scenario};

use crate::report::{scenario, timed};

/// Numbers that are the same in every run of the test. xorshift64*.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = u32::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32);
        f64::from(high.expect("32 bits are left")) / f64::from(u32::MAX)
    }

    /// About normal, of deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.part()).sum::<f64>() - 6.0
    }
}

const SCENARIOS: [&str; 6] = ["W1", "W2", "W4", "W7", "W8", "replay-small"];

/// A run of a machine that others use, too: its speed drifts by a third, a contender's rounds differ by 3 %, one in ten
/// is disturbed and takes up to twice its time, each contender lies better or worse in memory by 0.7 % from run to run;
/// and contenders of linkbuf's in `slow` take a fifth more.
fn run(seed: u64, rounds: usize, slow: &str) -> Results {
    let mut random = Random::new(seed);
    let mut results = Results::default();
    // Made once: the recordings take long to read.
    thread_local! {
        static ALL: [Scenario; 6] = SCENARIOS.map(scenario);
    }
    ALL.with(|all| {
        results
            .throughput
            .extend(rows(all, &mut random, rounds, slow))
    });
    results.complete = true;
    results
}

fn rows(all: &[Scenario], random: &mut Random, rounds: usize, slow: &str) -> Vec<Timed> {
    let mut found = Vec::new();
    for scenario in all {
        let speed: Vec<f64> = (0..rounds)
            .scan(1.0, |speed: &mut f64, _| {
                *speed = (*speed + 0.05 * random.normal()).clamp(0.8, 1.2);
                Some(*speed)
            })
            .collect();
        let mut row = |name: &str, nanos: f64| {
            let place = 1.0 + 0.007 * random.normal();
            let time = |speed: &f64| {
                let disturbed = random.part() < 0.1;
                let more = if disturbed { random.part() } else { 0.0 };
                nanos * place * speed * (0.03 * random.normal()).exp() * (1.0 + more)
            };
            let nanos: Vec<_> = speed.iter().map(time).collect();
            timed(scenario, name, &nanos)
        };
        let rows = scenario.contenders.iter().map(|contender| {
            let slower = contender.kind == Kind::Linkbuf && scenario.id == slow;
            row(contender.name, if slower { 120.0 } else { 100.0 })
        });
        let mut rows: Vec<Timed> = rows.collect();
        settle(scenario, &mut rows);
        found.extend(rows);
    }
    found
}

fn told(compared: &Comparison) -> Vec<&Change> {
    let all = compared.changes.iter();
    all.filter(|change| change.outcome != Outcome::Same)
        .collect()
}

#[test]
fn noise_and_drift_are_no_change() {
    for rounds in [4, 8, 24, 60] {
        for seed in 0..60 {
            let (a, b) = (run(2 * seed, rounds, ""), run(2 * seed + 1, rounds, ""));
            let compared = compare(&a, &b);
            assert!(compared.changes.len() > SCENARIOS.len());
            assert!(
                told(&compared).is_empty(),
                "{rounds} rounds: {}",
                compared.text(true)
            );
        }
    }
}

#[test]
fn a_fifth_is_told_and_nothing_else() {
    for (rounds, slow) in [(24, "W4"), (24, "W1"), (60, "replay-small")] {
        let (mut all, mut found) = (0, 0);
        for seed in 0..40 {
            let (a, b) = (run(2 * seed, rounds, ""), run(2 * seed + 1, rounds, slow));
            let there = compare(&a, &b);
            let text = there.text(true);
            let family = format!("{slow}/");
            let ours = there.changes.iter().filter(|c| c.name.starts_with(&family));
            // Of a scenario at least one is told, and of all nearly all.
            assert!(there.worse() > 0, "{rounds} rounds: {text}");
            all += ours.count();
            found += there.worse();
            for change in told(&there) {
                assert!(change.name.starts_with(&family), "{text}");
                assert_eq!(change.outcome, Outcome::Worse("slower"), "{text}");
                assert!(
                    change.change.is_some_and(|c| (0.1..0.3).contains(&c)),
                    "{text}"
                );
            }
            let back = compare(&b, &a);
            assert_eq!((told(&back).len(), back.worse()), (there.worse(), 0));
        }
        assert!(found * 100 >= all * 90, "{found} of {all} in {slow}");
    }
}

#[test]
fn fewer_than_three_rounds_are_not_comparable() {
    let compared = |rounds| compare(&run(1, rounds, ""), &run(2, rounds, "W1"));
    let not =
        |c: &Change| matches!(&c.outcome, Outcome::NotComparable(why) if why.contains("rounds"));
    assert!(compared(2).changes.iter().all(not));
    assert!(!compared(3).changes.iter().any(not));
}

#[test]
fn rounds_are_matched_by_number() {
    // The machine was slow in the later rounds, which the peers of `b` missed.
    let w1 = scenario("W1");
    let whole = |nanos: &[f64]| {
        let names = ["linkbuf", "bytes_mut", "bytes_mut-split_to", "memcpy"];
        names.map(|name| timed(&w1, name, nanos)).to_vec()
    };
    let nanos: Vec<f64> = (0..40).map(|n| if n < 20 { 1.0 } else { 3.0 }).collect();
    let (mut a, mut b) = (Results::default(), Results::default());
    (a.throughput, b.throughput) = (whole(&nanos), whole(&nanos));
    for row in &mut b.throughput[1..] {
        row.nanos.truncate(20);
        row.rounds.truncate(20);
    }
    let compared = compare(&a, &b);
    assert!(told(&compared).is_empty(), "{}", compared.text(true));
}

#[test]
fn what_only_one_run_has_is_not_comparable() {
    let (a, mut b) = (run(1, 18, ""), run(2, 18, ""));
    b.throughput
        .retain(|row| row.scenario != "W2" && (row.scenario != "W1" || row.kind == Kind::Linkbuf));
    let compared = compare(&a, &b);
    let why = |name: &str| {
        let change = compared.changes.iter().find(|c| c.name == name);
        change.expect("it is told").outcome.to_string()
    };
    assert_eq!(why("W2/linkbuf"), "not comparable: not in B");
    assert_eq!(
        why("W1/linkbuf"),
        "not comparable: no peer or floor in both"
    );
    assert!(compared.text(false).contains("2 not comparable") || told(&compared).len() > 2);
}

/// A subject with one figure.
fn kept(name: &str, value: Option<f64>, unit: &str) -> Results {
    let figure = Figure {
        name: name.into(),
        value,
        unit: unit.into(),
    };
    let mut results = Results::default();
    results.retention.push(Kept {
        scenario: "R1".into(),
        title: "blocks".into(),
        subject: "pooled".into(),
        kind: Kind::Linkbuf,
        figures: vec![figure],
        series: Vec::new(),
        marks: Vec::new(),
        missing: None,
        bars: Vec::new(),
    });
    results
}

#[test]
fn memory_is_compared_by_thresholds() {
    let outcome = |name, unit, a, b| {
        let compared = compare(&kept(name, a, unit), &kept(name, b, unit));
        compared.changes[0].outcome.to_string()
    };
    let mib = f64::from(1 << 20);
    assert_eq!(
        outcome("held", "B", Some(10.0 * mib), Some(20.0 * mib)),
        "larger"
    );
    assert_eq!(
        outcome("held", "B", Some(20.0 * mib), Some(10.0 * mib)),
        "smaller"
    );
    // Much of little, and little of much.
    assert_eq!(outcome("held", "B", Some(4096.0), Some(65_536.0)), "same");
    assert_eq!(
        outcome("held", "B", Some(100.0 * mib), Some(102.0 * mib)),
        "same"
    );
    assert_eq!(
        outcome("held per buffer", "B/buffer", Some(0.0), Some(4096.0)),
        "larger"
    );
    // A step of looking is 50 ms.
    assert_eq!(outcome("t90", "s", Some(0.05), Some(0.15)), "same");
    assert_eq!(outcome("t90", "s", Some(0.5), Some(1.0)), "later");
    assert_eq!(outcome("t90", "s", Some(1.0), None), "later");
    assert_eq!(outcome("t90", "s", None, Some(1.0)), "sooner");
    assert_eq!(outcome("t90", "s", None, None), "same");
    assert_eq!(outcome("trim()", "s", Some(0.004), Some(0.1)), "later");
    assert_eq!(
        outcome("taken", "B", Some(10.0 * mib), Some(20.0 * mib)),
        "another"
    );
}

#[test]
fn other_sizes_are_not_comparable() {
    let a = kept("held", Some(1e6), "B");
    let mut b = kept("held", Some(9e9), "B");
    b.retention[0].title = "more blocks".into();
    let compared = compare(&a, &b);
    assert_eq!(compared.changes.len(), 1);
    assert_eq!(
        compared.changes[0].outcome.to_string(),
        "not comparable: other sizes"
    );
}

#[test]
fn peers_memory_is_not_compared() {
    let mut both = [1e6, 9e9].map(|bytes| kept("held", Some(bytes), "B"));
    for results in &mut both {
        results.retention[0].kind = Kind::Peer;
    }
    assert!(compare(&both[0], &both[1]).changes.is_empty());
}

#[test]
fn the_heap_is_compared_phase_by_phase() {
    let run = |bytes| {
        let mut results = Results::default();
        results.heap.push(Profiled {
            subject: "pooled".into(),
            phases: vec![HeapPhase {
                name: "idle".into(),
                bytes,
                ..HeapPhase::default()
            }],
            ..Profiled::default()
        });
        results
    };
    assert_eq!(compare(&run(10_000), &run(10_500)).worse(), 0);
    let more = compare(&run(10_000), &run(20_000));
    assert_eq!(more.worse(), 1);
    assert!(more.text(false).contains("heap/pooled idle: bytes out"));
}

#[test]
fn unlike_runs_are_warned_of() {
    let (a, mut b) = (run(1, 8, ""), run(2, 8, ""));
    b.about.host = "elsewhere".into();
    b.settings.insert("throughput".into(), "other".into());
    b.complete = false;
    let warnings = compare(&a, &b).warnings.join("\n");
    for part in ["elsewhere", "throughput", "cut off"] {
        assert!(warnings.contains(part), "{warnings}");
    }
    assert!(compare(&a, &a).warnings.is_empty());
}
