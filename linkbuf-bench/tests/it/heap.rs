//! The heap part: a process under dhat, what it counts, and the budgets.

use std::process::Command;

use linkbuf_bench::heap::judge;
use linkbuf_bench::results::{HeapPhase, Profiled};

/// Profiles in a process of its own. Returns what it says, and the profile that DHAT's viewer opens.
fn profile(subject: &str) -> (Profiled, serde_json::Value) {
    let directory = tempfile::tempdir().expect("there is room");
    let file = directory.path().join("dhat.json");
    let run = Command::new(env!("CARGO_BIN_EXE_linkbuf-bench-heap"))
        .args([subject, "60"])
        .arg(&file)
        .output()
        .expect("the program starts");
    assert!(run.status.success(), "{subject}: {run:?}");
    let profiled: Profiled = serde_json::from_slice(&run.stdout).expect("it prints a profile");
    let written = std::fs::read(&file).expect("dhat wrote it");
    (
        profiled,
        serde_json::from_slice(&written).expect("it is JSON"),
    )
}

fn phase<'a>(profiled: &'a Profiled, name: &str) -> &'a HeapPhase {
    let mut phases = profiled.phases.iter();
    phases
        .find(|phase| phase.name == name)
        .expect("it is there")
}

fn beside(phase: &HeapPhase, name: &str) -> Option<f64> {
    let mut figures = phase.beside.iter();
    figures.find(|figure| figure.name == name)?.value
}

/// Bytes of the global heap that a buffer has after its burst and a trim, as parts of a byte.
fn idle_bytes(profiled: &Profiled) -> u64 {
    phase(profiled, "idle").bytes - phase(profiled, "base").bytes
}

#[test]
fn an_idle_buffer_keeps_a_page_at_most_and_a_busy_one_takes_nothing() {
    let (profiled, dhat) = profile("heap");
    let bars = judge(&profiled);
    assert_eq!(bars.len(), 2);
    assert!(bars.iter().all(|bar| bar.met), "{bars:?}");
    assert!(idle_bytes(&profiled) <= 60 * 4096);
    let (ramp, steady) = (phase(&profiled, "ramp"), phase(&profiled, "steady"));
    assert_eq!(steady.total_blocks, ramp.total_blocks);
    // All of the messages was held, and dhat saw it.
    assert!(phase(&profiled, "burst").bytes > 10 << 20);
    assert!(dhat["dhatFileVersion"].is_number() && dhat["pps"].is_array());
}

#[test]
fn a_buffer_that_releases_all_keeps_nothing() {
    let (profiled, _) = profile("heap-release");
    assert_eq!(idle_bytes(&profiled), 0);
    assert!(judge(&profiled).iter().all(|bar| bar.met));
}

#[test]
fn the_default_keeps_little_of_the_heap_and_takes_nothing_while_it_is_busy() {
    let (profiled, _) = profile("pooled");
    let (ramp, steady) = (phase(&profiled, "ramp"), phase(&profiled, "steady"));
    assert_eq!(steady.total_blocks, ramp.total_blocks);
    let idle = phase(&profiled, "idle");
    let page = beside(idle, "page").expect("it has pages");
    let live = beside(idle, "live").expect("it counts");
    assert!(live <= 60.0 * page, "{idle:?}");
    // What is cut from the heap's pieces, and a piece that isn't used up.
    assert!(idle_bytes(&profiled) < 60 * 8192 + (4 << 20), "{idle:?}");
}

#[test]
fn what_dhat_cannot_see_is_told_by_the_backend() {
    let (mapped, _) = profile("mmap");
    let burst = phase(&mapped, "burst");
    assert!(beside(burst, "mapped") > Some(10e6), "{burst:?}");
    assert!(
        burst.bytes < 10 << 20,
        "only tables are on the heap: {burst:?}"
    );
    let (mimalloc, _) = profile("mimalloc");
    let burst = phase(&mimalloc, "burst");
    assert!(beside(burst, "live") > Some(10e6), "{burst:?}");
}

#[test]
fn a_bytes_mut_keeps_its_message_and_is_not_judged() {
    let (profiled, _) = profile("bytes_mut");
    assert!(idle_bytes(&profiled) >= 60 << 20);
    assert!(judge(&profiled).is_empty());
}

#[test]
fn a_missed_budget_is_told() {
    let (mut profiled, _) = profile("heap");
    for phase in &mut profiled.phases {
        if phase.name == "idle" {
            phase.bytes += 60 * 4096;
        }
    }
    let met: Vec<_> = judge(&profiled).iter().map(|bar| bar.met).collect();
    assert_eq!(met, [false, true]);
}
