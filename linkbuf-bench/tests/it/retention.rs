//! Every trial of retention runs with every subject, says what it found, and is judged right.

use std::process::Command;

use linkbuf_bench::results::{Figure, Kept, Verdict};
use linkbuf_bench::retention::{Found, Outcome, Trial, judge, tables};
use linkbuf_bench::scenario::Kind;

fn kept(trial: Trial, subject: &str, figures: &[(&str, Option<f64>, &str)]) -> Kept {
    let figure = |&(name, value, unit): &(&str, Option<f64>, &str)| Figure {
        name: name.into(),
        value,
        unit: unit.into(),
    };
    Kept {
        scenario: trial.id().into(),
        title: "an example".into(),
        subject: subject.into(),
        kind: Kind::Linkbuf,
        figures: figures.iter().map(figure).collect(),
        series: Vec::new(),
        marks: Vec::new(),
        missing: None,
        bars: Vec::new(),
    }
}

fn told(verdicts: &[Verdict]) -> Vec<String> {
    let all = verdicts.iter();
    all.map(|v| format!("{}: {v}", v.found)).collect()
}

/// Runs a trial as the program does, small.
fn run(trial: Trial, subject: &str) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_linkbuf-bench"));
    child.args(["retention-child", trial.id(), subject, "16", "24", "100"]);
    match subject {
        "mimalloc-no_thp" => child.env("MIMALLOC_ALLOW_THP", "0"),
        "mimalloc-large_pages" => child.env("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1"),
        _ => &mut child,
    };
    let output = child.output().expect("the program starts");
    assert!(output.status.success(), "{trial} {subject}: {output:?}");
    serde_json::from_slice(&output.stdout).expect("it prints an outcome")
}

fn found(trial: Trial, subject: &str) -> Option<Found> {
    match run(trial, subject) {
        Outcome::Found(found) => Some(found),
        // Whether there are any is the machine's affair.
        Outcome::Skipped(_) if subject == "hugepage-hugetlb" => None,
        other => panic!("{trial} {subject}: {other:?}"),
    }
}

fn value(found: &Found, name: &str) -> f64 {
    let figure = found.get(name).and_then(|figure| figure.value);
    figure.unwrap_or_else(|| panic!("{name} isn't in {found:?}"))
}

#[cfg(target_os = "linux")]
#[test]
fn every_trial_of_blocks_runs_with_every_backend() {
    let trials = Trial::ALL
        .iter()
        .filter(|trial| trial.id().starts_with(['R']));
    for &trial in trials {
        let subjects = trial.subjects();
        assert!(subjects.len() > 5, "{trial}");
        for subject in subjects {
            let Some(found) = found(trial, subject) else {
                continue;
            };
            if let Some(taken) = found.get("taken") {
                // Written to, all of it, and not much else.
                let mib = taken.value.expect("it is told") / f64::from(1 << 20);
                assert!((15.5..24.0).contains(&mib), "{trial} {subject}: {found:?}");
            }
            match trial {
                Trial::Survivors => {
                    let live = value(&found, "live");
                    assert!((8.0 * 8192.0..80.0 * 8192.0).contains(&live), "{found:?}");
                    assert!(value(&found, "resident / live") > 0.5, "{found:?}");
                }
                Trial::Idle if subject == "bytes_mut" => {
                    let message = f64::from(1 << 20);
                    assert!(value(&found, "held per buffer") >= message);
                    assert!(value(&found, "resident after trim()") >= message);
                }
                Trial::Idle => {
                    let page = value(&found, "page");
                    assert!(value(&found, "held per buffer") <= page, "{found:?}");
                }
                Trial::IdleRelease => {
                    let held = value(&found, "held per buffer");
                    assert!(held <= 0.0, "{subject}: {found:?}");
                }
                Trial::Silent | Trial::OtherSilent => {
                    assert!(found.series[0].points.len() >= 2, "{found:?}");
                }
                _ => assert!(found.get("after trim()").is_some(), "{found:?}"),
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn every_burst_runs_with_every_subject() {
    for trial in [Trial::BurstMany, Trial::BurstFew] {
        for subject in trial.subjects() {
            let Some(found) = found(trial, subject) else {
                continue;
            };
            let marks: Vec<_> = found.marks.iter().map(|(_, name)| &**name).collect();
            assert_eq!(marks, ["base", "ramp", "burst", "drain", "idle"]);
            assert!(found.marks.is_sorted_by(|(a, _), (b, _)| a <= b));
            let resident = &found.series[0];
            assert_eq!(resident.name, "resident");
            assert!(resident.points.is_sorted_by(|(a, _), (b, _)| a < b));
            // Twelve hold a message at least, and what they hold is resident.
            assert!(value(&found, "peak") > 12e6, "{subject}: {found:?}");
            assert!(value(&found, "peak ratio") > 0.9, "{subject}: {found:?}");
            assert!(value(&found, "idle bytes per buffer") < 3e6, "{found:?}");
            for name in ["t50", "t90"] {
                assert_eq!(found.get(name).map(|figure| &*figure.unit), Some("s"));
            }
            let peers = ["bytes_mut", "tokio_codec", "linked_bytes", "vec"];
            let is_peer = peers.contains(&subject);
            let few = trial == Trial::BurstFew;
            for (name, is_there) in [
                ("t90 heartbeat", few),
                ("t90 other thread", few),
                ("re-warming", few),
                ("t90 alone", few && !is_peer),
                ("t90 trim()", few && !is_peer),
                ("trim() took", few && !is_peer),
                ("page", !is_peer),
            ] {
                assert_eq!(found.get(name).is_some(), is_there, "{subject}: {name}");
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_never_comes_back_is_told_so() {
    let found = found(Trial::BurstFew, "bytes_mut").expect("it is there");
    for name in ["t90", "t90 heartbeat", "t90 other thread"] {
        let figure = found.get(name).expect("it is told");
        assert_eq!((figure.value, &*figure.to_string()), (None, "never"));
    }
    assert!(value(&found, "idle bytes per buffer") >= f64::from(1 << 20));
    assert!(value(&found, "held per buffer") >= f64::from(1 << 20));
}

#[cfg(target_os = "linux")]
#[test]
fn policies_keep_what_they_say() {
    let held = |subject| {
        let found = found(Trial::BurstMany, subject).expect("it is there");
        value(&found, "held per buffer")
    };
    assert!(held("pooled-release") <= 0.0);
    assert!((1.0..=8192.0).contains(&held("pooled")));
    let kept = f64::from(64 << 10);
    assert!((32e3..=kept).contains(&held("pooled-keep_64k")));
}

#[cfg(target_os = "linux")]
#[test]
fn slices_are_kept_by_all_that_have_them() {
    for subject in Trial::Pinned.subjects() {
        let Some(found) = found(Trial::Pinned, subject) else {
            continue;
        };
        // One in 64 of four thousand.
        assert!(
            (30.0..110.0).contains(&value(&found, "slices")),
            "{found:?}"
        );
        assert!(value(&found, "pin factor") > 0.5, "{subject}: {found:?}");
    }
    assert!(!Trial::Pinned.subjects().contains(&"linked_bytes"));
}

#[test]
fn a_subject_that_needs_a_setting_is_not_measured_without() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_linkbuf-bench"));
    child.args(["retention-child", "pin", "mimalloc-no_thp", "16", "1", "1"]);
    child.env_remove("MIMALLOC_ALLOW_THP");
    let output = child.output().expect("the program starts");
    let outcome: Outcome = serde_json::from_slice(&output.stdout).expect("it prints an outcome");
    assert!(
        matches!(&outcome, Outcome::Skipped(why) if why.contains("MIMALLOC_ALLOW_THP")),
        "{outcome:?}"
    );
}

#[test]
fn what_was_found_is_judged() {
    let trimmed = |part| {
        let kept = kept(Trial::Trim, "pooled", &[("after trim()", Some(part), "%")]);
        told(&judge(&kept, &[]))
    };
    assert_eq!(trimmed(0.5), ["0.50 %: must after trim() ≤ 1.00 % met"]);
    assert_eq!(trimmed(1.5), ["1.50 %: must after trim() ≤ 1.00 % MISSED"]);
    let silent = |seconds| {
        let kept = kept(Trial::Silent, "mmap", &[("t95", seconds, "s")]);
        judge(&kept, &[])
    };
    let want = [
        "1.20 s: must t95 ≤ 2.00 s met",
        "1.20 s: aim t95 ≤ 1.00 s MISSED",
    ];
    assert_eq!(told(&silent(Some(1.2))), want);
    assert!(silent(None).iter().all(|verdict| !verdict.met), "never");
    let idle = |held, resident| {
        let figures = [
            ("held per buffer", Some(held), "B/buffer"),
            ("resident after trim()", Some(resident), "B/buffer"),
            ("page", Some(4096.0), "B/buffer"),
        ];
        let verdicts = judge(&kept(Trial::Idle, "mmap", &figures), &[]);
        verdicts.iter().map(|v| v.met).collect::<Vec<_>>()
    };
    assert_eq!(idle(4096.0, 4097.0), [true, false]);
    assert_eq!(idle(4097.0, 4096.0), [false, true]);
}

#[test]
fn the_default_is_held_to_a_hundredth_of_what_bytes_mut_keeps() {
    let burst = |subject: &str, bytes| {
        let figures = [("idle bytes per buffer", Some(bytes), "B/buffer")];
        kept(Trial::BurstMany, subject, &figures)
    };
    let bytes_mut = [burst("bytes_mut", 1e6)];
    let met = |bytes| told(&judge(&burst("pooled", bytes), &bytes_mut));
    let want = "5000 B: must idle bytes per buffer ≤ 10000 B met";
    assert_eq!(met(5000.0), [want]);
    let want = "10001 B: must idle bytes per buffer ≤ 10000 B MISSED";
    assert_eq!(met(10_001.0), [want]);
    // Without it there is nothing to compare with, and others are told.
    assert!(judge(&burst("pooled", 5000.0), &[]).is_empty());
    assert!(judge(&burst("vec", 5000.0), &bytes_mut).is_empty());
}

#[test]
fn what_is_not_linkbufs_is_told_and_not_judged() {
    let figures = [("after trim()", Some(90.0), "%")];
    assert!(judge(&kept(Trial::Trim, "heap", &figures), &[]).is_empty());
    let figures = [("resident / live", Some(9.0), "×")];
    let survivors = |subject| judge(&kept(Trial::Survivors, subject, &figures), &[]);
    assert!(survivors("mimalloc").is_empty());
    assert_eq!(survivors("mmap").len(), 2);
}

#[test]
fn the_tables_have_a_column_per_figure_and_a_line_per_failure() {
    let mut first = kept(
        Trial::Silent,
        "mmap",
        &[("t50", Some(0.3), "s"), ("t90", None, "s")],
    );
    first.bars = judge(&first, &[]);
    let mut second = kept(Trial::Silent, "pooled", &[]);
    second.missing = Some("FAILED: it fell".into());
    // More columns than a line has room for.
    let names: Vec<_> = (0..30).map(|n| format!("figure {n:03}")).collect();
    let many: Vec<_> = names.iter().map(|n| (&**n, Some(1.0), "B")).collect();
    let third = kept(Trial::BurstFew, "vec", &many);
    let text = tables(&[first, second, third]);
    for part in [
        "R2: an example",
        "t50",
        "0.30 s",
        "never",
        "pooled: FAILED: it fell",
    ] {
        assert!(text.contains(part), "{part} isn't in\n{text}");
    }
    assert!(names.iter().all(|name| text.contains(name)), "{text}");
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest < Some(140), "{text}");
    assert_eq!(tables(&[]), "");
}
