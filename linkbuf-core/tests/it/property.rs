//! Random histories against the model: as they are, and with every allocation failing in turn.

use linkbuf_core::{
    Heap,
    testing::{
        allocators::{Failing, Odd, Tracking},
        model::Model,
        ops::{BUFFERS, Case, Config, HeapFaults, NoFaults, Op, PlannedFaults, Rng},
        runner,
    },
};
use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    test_runner::{Config as Settings, RngSeed, TestRunner},
};

use crate::support::heap_live;

/// Cases of a normal run; they are shared out to the tests below so that these run side by side.
/// `PROPTEST_RNG_SEED` and `PROPTEST_CASES` (per test) try others.
const CASES: u32 = 40_000;
const TESTS: u32 = 4;

/// Runs of up to 60 operations. Shrinks by leaving operations out.
fn cases() -> impl Strategy<Value = Case> {
    let seeds = vec(any::<u64>().no_shrink(), 1..=60);
    (any::<u64>().no_shrink(), seeds).prop_map(|(settings, seeds)| {
        let mut rng = Rng::new(settings);
        Case {
            configs: std::array::from_fn::<_, BUFFERS, _>(|_| Config::random(&mut rng)),
            ops: seeds.into_iter().map(Op::from_seed).collect(),
        }
    })
}

/// Tries cases; a failing one is shrunk and printed with all its operations.
fn try_all(part: u32) {
    let settings = Settings::default();
    let mut settings = Settings {
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..settings
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        settings.cases = CASES / TESTS;
    }
    if settings.rng_seed == RngSeed::Random {
        settings.rng_seed = RngSeed::Fixed(u64::from(part));
    }
    let mut tests = TestRunner::new(settings);
    let outcome = tests.run(&cases(), |case| {
        check(&case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

/// One case, four times: undisturbed, with the node allocator failing, and with the global heap failing, once for
/// nodes from the heap and once for others.
fn check(case: &Case) {
    // One failure at a time, or everything from the first on: taken in turn.
    let lasting = case.ops.len().is_multiple_of(2);

    let before = heap_live();
    runner::run(case, Heap, &HeapFaults { lasting });
    assert_eq!(
        heap_live(),
        before,
        "heap blocks and bytes that a run left behind"
    );

    let watched = Tracking::with_quarantine(Heap);
    runner::run(case, watched.clone(), &NoFaults);
    watched.assert_balanced();

    let failing = Failing::new(Odd::new());
    let faults = PlannedFaults {
        plan: failing.plan().clone(),
        lasting,
    };
    let watched = Tracking::new(failing);
    runner::run(case, watched.clone(), &faults);
    watched.assert_balanced();

    let watched = Tracking::new(Failing::new(Odd::new()));
    runner::run(case, watched.clone(), &HeapFaults { lasting: !lasting });
    watched.assert_balanced();
}

#[test]
fn histories_agree_with_the_model_1() {
    try_all(1);
}

#[test]
fn histories_agree_with_the_model_2() {
    try_all(2);
}

#[test]
fn histories_agree_with_the_model_3() {
    try_all(3);
}

#[test]
fn histories_agree_with_the_model_4() {
    try_all(4);
}

/// The oracle itself, against a history written out by hand.
#[test]
fn the_model_is_right() {
    let mut m = Model::default();
    m.write(b"ab");
    let slot = m.slot(b"....");
    m.write_direct(b"XY", 2).unwrap();
    m.write_direct(b"!", 8).unwrap();
    m.fill(slot, b"1234").unwrap();
    assert_eq!(m.pending(), b"!ab12XY34");
    m.malloc_ack(8).unwrap();
    assert!(!m.has_slot(slot), "it lost a byte");

    let mut other = Model::default();
    other.write(b"old");
    other.flush();
    let late = other.slot(b"__");
    m.append(other);
    assert_eq!((m.len(), m.pending()), (0, &b"!ab12XY3old__"[..]));
    m.fill(late, b"ok").unwrap();
    m.flush();
    assert!(!m.has_slot(late));
    assert_eq!(m.until(b"XY").unwrap(), b"!ab12XY");
    assert_eq!(m.next(6).unwrap(), b"3oldok");
    assert!(m.is_empty());
}

/// The generator reaches every operation, and what it makes does not depend on the machine.
#[test]
fn the_generator_reaches_every_operation() {
    let mut seen: Vec<String> = (0..5000)
        .map(|seed| {
            let op = format!("{:?}", Op::from_seed(seed));
            op.split(' ').next().unwrap_or_default().to_owned()
        })
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 43, "{seen:?}");
}
