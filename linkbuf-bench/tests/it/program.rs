//! The program itself, as a person starts it.

use std::path::Path;
use std::process::{Command, Output};

use linkbuf_bench::results::{FORMAT, Results};
use tempfile::TempDir;

/// A directory for the results of one test.
pub(crate) struct Directory(TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("there is room"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program, with its results in here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linkbuf-bench"));
        command
            .args(arguments)
            .env("LINKBUF_BENCH_DIR", self.path());
        command
    }

    pub(crate) fn bench(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output();
        output.expect("the program starts")
    }

    pub(crate) fn results(&self) -> Results {
        read(&self.path().join("results.json"))
    }
}

pub(crate) fn bench(arguments: &[&str]) -> Output {
    Directory::new().bench(arguments)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8")
}

pub(crate) fn read(file: &Path) -> Results {
    let text = std::fs::read(file).expect("it was written");
    serde_json::from_slice(&text).expect("it holds results")
}

const SHORT: [&str; 5] = ["--quick", "--rounds", "2", "--scenario", "W1"];

#[test]
fn a_filtered_run_leaves_a_table_a_file_and_a_page() {
    let directory = Directory::new();
    let file = directory.path().join("there.json");
    let path = file.to_str().expect("the path is UTF-8");
    let run = directory.bench(&[&SHORT[..], &["--json", path, "--save", "first"]].concat());
    let (out, err) = (text(&run.stdout), text(&run.stderr));
    assert!(run.status.success(), "{err}");
    let results = directory.results();
    assert_eq!((results.format, results.complete), (FORMAT, true));
    for contender in ["linkbuf", "bytes_mut", "bytes_mut-split_to", "memcpy"] {
        assert!(out.contains(contender), "{contender} isn't in\n{out}");
        let named = |t: &&linkbuf_bench::results::Timed| t.name() == format!("W1/{contender}");
        let timed = results.throughput.iter().find(named).expect("it took part");
        assert!(timed.value > 0.0 && timed.unit == "ns/op", "{timed:?}");
        assert_eq!((timed.nanos.len(), &timed.rounds[..]), (2, &[0, 1][..]));
    }
    assert!(!out.contains("W2"), "{out}");
    let page = std::fs::read_to_string(directory.path().join("report.html"));
    assert!(page.expect("it was made").contains("bytes_mut-split_to"));
    assert!(out.contains("report.html"), "{out}");
    assert_eq!(read(&file), results);
    assert_eq!(read(&directory.path().join("saved/first.json")), results);
    // A line per part, where there is no terminal for a bar.
    assert!(err.contains("throughput: 2 steps"), "{err}");
}

#[test]
fn tables_and_page_are_made_again_from_a_file() {
    let directory = Directory::new();
    let run = directory.bench(&[&SHORT[..], &["--no-report"]].concat());
    let page = directory.path().join("report.html");
    assert!(run.status.success() && !page.exists());
    let again = directory.bench(&["report"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert!(text(&again.stdout).contains("bytes_mut-split_to"));
    assert!(page.exists());
    std::fs::write(directory.path().join("old.json"), r#"{"format":0}"#).expect("there is room");
    let old = directory.path().join("old.json");
    let refused = directory.bench(&["report", old.to_str().expect("the path is UTF-8")]);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("format"));
}

#[test]
fn runs_are_compared_by_name_and_file() {
    let directory = Directory::new();
    let short = ["--quick", "--rounds", "3", "--scenario", "W1"];
    let run = directory.bench(&[&short[..], &["--no-report", "--save", "one"]].concat());
    assert!(run.status.success(), "{}", text(&run.stderr));
    // A run is the same as itself, however noisy it was.
    let file = directory.path().join("results.json");
    let file = file.to_str().expect("the path is UTF-8");
    let same = directory.bench(&["compare", "one", file, "--fail"]);
    let out = text(&same.stdout);
    assert!(same.status.success(), "{out}{}", text(&same.stderr));
    assert!(
        out.contains("W1/linkbuf") && out.contains("0 worse"),
        "{out}"
    );
    let unknown = directory.bench(&["compare", "onne"]);
    assert!(text(&unknown.stderr).contains("near it: one"));
}

#[test]
fn the_list_names_everything() {
    let list = text(&bench(&["list"]).stdout);
    for name in [
        "W1",
        "W9",
        "replay-large",
        "A2",
        "R3-silent",
        "linkbuf-keep",
        "mi_malloc",
        "hugepage-thp",
    ] {
        assert!(list.contains(name), "{name} isn't in\n{list}");
    }
}

#[test]
fn an_unknown_name_is_an_error_that_tells_near_ones() {
    let wrong = [
        (["--scenario", "replay-smal"], "replay-small"),
        (["--contender", "byte_mut"], "bytes_mut"),
        (["--backend", "poled"], "pooled"),
        (["--baseline", "nobody"], "--save"),
    ];
    for (arguments, near) in wrong {
        let run = bench(&arguments);
        assert!(!run.status.success());
        let said = text(&run.stderr);
        assert!(said.contains(near), "{near} isn't in {said}");
    }
}

#[test]
fn what_no_part_has_is_an_error() {
    let run = bench(&["replay", "--scenario", "W1"]);
    assert!(!run.status.success());
    assert!(text(&run.stderr).contains("list"));
}

#[test]
fn what_idle_buffers_keep_is_told_and_judged() {
    let directory = Directory::new();
    let run = directory.bench(&["--scenario", "w9", "--no-report"]);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let kept = directory.results().retention;
    let of = |name: &str| {
        kept.iter()
            .find(|k| k.subject == name)
            .expect("it took part")
    };
    assert_eq!(of("linkbuf-release").figures[0].value, Some(0.0));
    assert!(of("linkbuf").bars[0].met);
    assert!(of("bytes_mut").figures[0].value >= Some(f64::from(1 << 20)));
    assert!(of("bytes_mut").bars.is_empty());
}

#[test]
fn a_backend_brings_peers_and_floors_along() {
    let directory = Directory::new();
    let arguments = [
        "--quick",
        "--rounds",
        "1",
        "--no-report",
        "--backend",
        "mmap",
    ];
    let run = directory.bench(&[&["throughput", "--scenario", "A1-8k"][..], &arguments].concat());
    assert!(run.status.success(), "{}", text(&run.stderr));
    let results = directory.results();
    let names: Vec<_> = results
        .throughput
        .iter()
        .map(|t| &t.contender[..])
        .collect();
    assert_eq!(names, ["mmap", "mi_malloc", "malloc", "atomic-pair"]);
}

#[test]
fn developers_commands_time_nothing() {
    let spun = bench(&["spin", "1", "--scenario", "W1"]);
    assert!(spun.status.success() && spun.stdout.is_empty());
    let checked = bench(&["check", "--scenario", "W1"]);
    assert!(checked.status.success() && checked.stdout.is_empty());
}
