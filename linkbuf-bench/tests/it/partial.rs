//! A run that is cut off leaves what it had found.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use linkbuf_bench::results::Results;

use crate::program::{Directory, text};

/// A run that takes minutes.
fn start(directory: &Directory) -> Child {
    let arguments = [
        "throughput",
        "--rounds",
        "5000",
        "--scenario",
        "W1",
        "--scenario",
        "W2",
    ];
    let mut command = directory.command(&arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Waits until the file holds a whole round.
fn wait_for_a_round(directory: &Directory) {
    let start = Instant::now();
    let file = directory.path().join("results.json");
    loop {
        // At no time is it anything but a whole file.
        if file.exists() {
            let found = directory.results();
            assert!(!found.complete);
            if found.throughput.iter().any(|timed| timed.scenario == "W2") {
                return;
            }
        }
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "no round is done"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([signal, &id]).status();
    assert!(sent.is_ok_and(|status| status.success()));
}

/// What it printed, and how it ended.
fn end(child: Child) -> (String, String, ExitStatus) {
    let output = child.wait_with_output().expect("it can be waited for");
    (text(&output.stdout), text(&output.stderr), output.status)
}

fn is_usable(results: &Results) {
    assert!(!results.complete);
    for scenario in ["W1", "W2"] {
        let mut rows = results.throughput.iter().filter(|t| t.scenario == scenario);
        assert!(rows.all(|t| t.value > 0.0 && t.rounds.len() == t.nanos.len()));
    }
    let linkbuf = results.throughput.iter().find(|t| t.name() == "W1/linkbuf");
    assert!(linkbuf.is_some_and(|t| t.to_base.is_some()));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_tells_and_keeps_what_is_done() {
    for signal in ["-INT", "-TERM"] {
        let directory = Directory::new();
        let child = start(&directory);
        wait_for_a_round(&directory);
        send(signal, &child);
        let (out, err, status) = end(child);
        assert_eq!(status.code(), Some(130), "{err}");
        assert!(out.contains("PARTIAL") && out.contains("W1"), "{out}");
        assert!(!err.contains("linkbuf-bench:"), "{err}");
        is_usable(&directory.results());
        assert!(directory.path().join("report.html").exists());
    }
}

#[cfg(unix)]
#[test]
fn a_killed_run_leaves_a_usable_file() {
    let directory = Directory::new();
    let mut child = start(&directory);
    wait_for_a_round(&directory);
    child.kill().expect("it runs");
    end(child);
    is_usable(&directory.results());
    let again = directory.bench(&["report"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert!(text(&again.stdout).contains("PARTIAL"));
}
