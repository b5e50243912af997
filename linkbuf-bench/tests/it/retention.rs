//! Every phase of retention runs with every allocator, says what it found, and is judged right.

use std::collections::HashMap;

use linkbuf_bench::retention::{Found, Outcome, Phase, Row, Unit, json_line, table};
use serde_json::Value;

use crate::program::{bench, text};

fn row(phase: Phase, backend: &'static str, figures: &[(&str, Unit, Option<f64>)]) -> Row {
    let mut found = Found::default();
    for &(name, unit, value) in figures {
        found.add(name, unit, value);
    }
    Row::new(phase, backend, Outcome::Found(found))
}

fn verdicts(row: &Row) -> Vec<String> {
    let all = row.verdicts.iter();
    all.map(|v| format!("{}: {v}", v.found)).collect()
}

/// Runs the program, small, and reads its lines of JSON.
fn lines(name: &str, arguments: &[&str]) -> Vec<Value> {
    let file = format!("linkbuf-bench-{name}-{}.jsonl", std::process::id());
    let json = std::env::temp_dir().join(file);
    let path = json.to_str().expect("the path is UTF-8");
    let small = ["--mib", "8", "--buffers", "40", "--watch", "0.1"];
    let arguments = [&["retention", "--json", path][..], &small, arguments].concat();
    let run = bench(&arguments);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let written = std::fs::read_to_string(&json).expect("it was asked for");
    std::fs::remove_file(&json).expect("it was written just now");
    let read = |line| serde_json::from_str(line).expect("each line is JSON");
    let mut lines: Vec<Value> = written.lines().map(read).collect();
    let about = lines.remove(0);
    assert_eq!((&about["mib"], &about["buffers"]), (&8.into(), &40.into()));
    lines
}

#[cfg(target_os = "linux")]
#[test]
fn every_phase_runs_with_every_allocator() {
    let lines = lines("all", &[]);
    let mut runs = HashMap::<&str, usize>::new();
    for line in &lines {
        assert!(line["failed"].is_null(), "{line}");
        let phase = line["phase"].as_str().expect("a name");
        *runs.entry(phase).or_default() += 1;
        let value = |name: &str| {
            let figures = line["figures"].as_array()?;
            let figure = figures.iter().find(|figure| figure["name"] == name)?;
            figure["value"].as_f64()
        };
        let backend = line["backend"].as_str().expect("a name");
        if line["skipped"].is_string() {
            // Whether there are any is the machine's affair.
            assert_eq!(backend, "hugepage-hugetlb", "{line}");
            continue;
        }
        if let Some(taken) = value("taken") {
            // Written to, all of it, and not much else.
            let mib = taken / f64::from(1 << 20);
            assert!((7.5..16.0).contains(&mib), "{line}");
        }
        match phase {
            "R4" => {
                let live = value("live").expect("it is told");
                assert!((4.0 * 8192.0..40.0 * 8192.0).contains(&live), "{line}");
                assert!(value("resident / live").is_some_and(|n| n > 0.5), "{line}");
            }
            "R5" if backend == "bytes_mut" => {
                assert!(value("held per buffer") >= Some(f64::from(1 << 20)));
                let resident = value("resident after trim()");
                assert!(resident >= Some(f64::from(1 << 20)), "{line}");
            }
            "R5" => assert!(value("held per buffer") <= value("page"), "{line}"),
            "R5-release" => assert_eq!(value("held per buffer"), Some(0.0), "{line}"),
            "R2" | "R3-silent" => {
                let series = line["series"].as_array().expect("it was watched");
                assert!(series.len() >= 2, "{line}");
            }
            _ => assert!(value("after trim()").is_some(), "{line}"),
        }
    }
    let allocators = runs["R1"];
    assert!(allocators > 5);
    for phase in Phase::ALL {
        // `BytesMut` stands beside them.
        let beside = usize::from(*phase == Phase::Idle);
        assert_eq!(runs[phase.id()], allocators + beside, "{phase}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_part_can_be_run_alone() {
    let arguments = ["--phase", "r3", "--backend", "heap", "--backend", "pooled"];
    let lines = lines("part", &arguments);
    let runs: Vec<_> = lines
        .iter()
        .map(|line| (line["phase"].as_str(), line["backend"].as_str()))
        .collect();
    let want = [
        ("R3-trim", "pooled"),
        ("R3-trim", "heap"),
        ("R3-silent", "pooled"),
        ("R3-silent", "heap"),
    ];
    assert_eq!(runs, want.map(|(phase, name)| (Some(phase), Some(name))));
}

#[test]
fn an_unknown_name_is_an_error() {
    for arguments in [["--phase", "R9"], ["--backend", "nobody"]] {
        let run = bench(&[&["retention"][..], &arguments].concat());
        assert!(!run.status.success());
        assert!(text(&run.stderr).contains("--list"));
    }
    assert!(!bench(&["retention", "--watch", "-1"]).status.success());
}

#[test]
fn the_list_names_phases_and_allocators() {
    let list = text(&bench(&["retention", "--list"]).stdout);
    for name in [
        "R1",
        "R3-silent",
        "R5-release",
        "1024 MiB",
        "pooled",
        "bytes_mut",
    ] {
        assert!(list.contains(name), "{name} isn't in\n{list}");
    }
}

#[test]
fn what_was_found_is_judged() {
    let trimmed = |part| {
        row(
            Phase::Trim,
            "pooled",
            &[("after trim()", Unit::Percent, Some(part))],
        )
    };
    assert_eq!(
        verdicts(&trimmed(0.5)),
        ["0.50 %: must after trim() ≤ 1.00 % met"]
    );
    assert_eq!(
        verdicts(&trimmed(1.5)),
        ["1.50 %: must after trim() ≤ 1.00 % MISSED"]
    );
    let silent = |seconds| row(Phase::Silent, "mmap", &[("t95", Unit::Seconds, seconds)]);
    let found = verdicts(&silent(Some(1.2)));
    let want = [
        "1.20 s: must t95 ≤ 2.00 s met",
        "1.20 s: aim t95 ≤ 1.00 s MISSED",
    ];
    assert_eq!(found, want);
    assert!(
        silent(None).verdicts.iter().all(|verdict| !verdict.met),
        "never"
    );
    let idle = |held, resident| {
        let figures = [
            ("held per buffer", Unit::EachBytes, Some(held)),
            ("resident after trim()", Unit::EachBytes, Some(resident)),
            ("page", Unit::EachBytes, Some(4096.0)),
        ];
        let row = row(Phase::Idle, "mmap", &figures);
        row.verdicts.iter().map(|v| v.met).collect::<Vec<_>>()
    };
    assert_eq!(idle(4096.0, 4097.0), [true, false]);
    assert_eq!(idle(4097.0, 4096.0), [false, true]);
}

#[test]
fn what_is_not_linkbufs_is_told_and_not_judged() {
    let figures = [("after trim()", Unit::Percent, Some(90.0))];
    assert!(row(Phase::Trim, "heap", &figures).verdicts.is_empty());
    let figures = [("resident / live", Unit::Times, Some(9.0))];
    assert!(
        row(Phase::Survivors, "mimalloc", &figures)
            .verdicts
            .is_empty()
    );
    assert_eq!(row(Phase::Survivors, "mmap", &figures).verdicts.len(), 2);
}

#[test]
fn the_table_has_a_column_per_figure_and_a_line_per_failure() {
    let rows = [
        row(
            Phase::Silent,
            "mmap",
            &[
                ("t50", Unit::Seconds, Some(0.3)),
                ("t90", Unit::Seconds, None),
            ],
        ),
        Row::new(Phase::Silent, "pooled", Outcome::Failed("it fell".into())),
    ];
    let table = table(&rows.iter().collect::<Vec<_>>());
    for part in ["t50", "0.30 s", "never", "pooled: FAILED: it fell"] {
        assert!(table.contains(part), "{part} isn't in\n{table}");
    }
    assert_eq!(json_line(&rows[1])["failed"], "it fell");
    assert!(json_line(&rows[0])["figures"][1]["value"].is_null());
}
