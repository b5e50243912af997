//! The program itself, as a person starts it.

use std::process::{Command, Output};

pub(crate) fn bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_linkbuf-bench"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8")
}

#[test]
fn a_filtered_run_ends_with_a_table_and_a_json_file() {
    let json = std::env::temp_dir().join(format!("linkbuf-bench-{}.json", std::process::id()));
    let path = json.to_str().expect("the path is UTF-8");
    let arguments = [
        "--quick",
        "--rounds",
        "1",
        "--scenario",
        "W1",
        "--json",
        path,
    ];
    let run = bench(&arguments);
    let (out, err) = (text(&run.stdout), text(&run.stderr));
    assert!(run.status.success(), "{err}");
    let written = std::fs::read(&json).expect("it was asked for");
    std::fs::remove_file(&json).expect("it was written just now");
    let json: serde_json::Value = serde_json::from_slice(&written).expect("it is JSON");
    for contender in ["linkbuf", "bytes_mut", "bytes_mut-split_to", "memcpy"] {
        assert!(out.contains(contender), "{contender} isn't in\n{out}");
        let value = &json["results"][format!("W1/{contender}")]["value"];
        assert!(value.as_f64().expect("a number") > 0.0);
    }
    assert!(!out.contains("W2"), "{out}");
}

#[test]
fn the_list_names_everything() {
    let list = text(&bench(&["--list"]).stdout);
    for name in [
        "W1",
        "W8",
        "replay-large",
        "A2",
        "linkbuf-keep",
        "mi_malloc",
    ] {
        assert!(list.contains(name), "{name} isn't in\n{list}");
    }
}

#[test]
fn an_unknown_name_is_an_error() {
    let run = bench(&["--scenario", "W99"]);
    assert!(!run.status.success());
    assert!(text(&run.stderr).contains("--list"));
}

#[test]
fn spinning_says_nothing() {
    let run = bench(&["--spin", "1", "--scenario", "W1"]);
    assert!(run.status.success());
    assert!(run.stdout.is_empty());
}
