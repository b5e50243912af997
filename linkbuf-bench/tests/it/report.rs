//! What follows from the rounds, the tables, and the file.

use linkbuf_bench::report::{settle, text};
use linkbuf_bench::results::{
    Figure, HeapPhase, Kept, Profiled, Quartiles, Results, Timed, Verdict,
};
use linkbuf_bench::scenario::{Kind, Level, Scenario};
use linkbuf_bench::scenarios::all;

/// Of a contender of `scenario`, with times that are made up.
pub(crate) fn timed(scenario: &Scenario, contender: &str, nanos: &[f64]) -> Timed {
    let kind = scenario.contender(contender).map_or(Kind::Peer, |c| c.kind);
    Timed {
        scenario: scenario.id.into(),
        title: scenario.title.into(),
        contender: contender.into(),
        kind,
        value: 0.0,
        unit: String::new(),
        shown: String::new(),
        spread: 0.0,
        nanos: nanos.to_vec(),
        rounds: (0..nanos.len()).collect(),
        base: scenario.baseline.into(),
        to_base: None,
        allocs: Vec::new(),
        bars: Vec::new(),
    }
}

pub(crate) fn scenario(id: &str) -> Scenario {
    all()
        .into_iter()
        .find(|s| s.id == id)
        .expect("there is one")
}

/// W4: all drift alike.
fn w4() -> Vec<Timed> {
    let scenario = scenario("W4");
    let mut rows = vec![
        timed(&scenario, "linkbuf", &[900.0, 450.0, 1800.0]),
        timed(&scenario, "linkbuf-keep", &[200.0, 100.0, 400.0]),
        timed(&scenario, "bytes_mut", &[250.0, 125.0, 500.0]),
        timed(&scenario, "memcpy", &[100.0, 50.0, 200.0]),
    ];
    rows[0].allocs = vec![(5.0, "op".into())];
    rows[1].allocs = vec![(0.0, "op".into())];
    settle(&scenario, &mut rows);
    rows
}

fn run() -> Results {
    let replay = scenario("replay-large");
    let mut rows = vec![
        timed(&replay, "linkbuf-keep", &[90_000.0; 3]),
        timed(&replay, "bytes_mut-attach", &[200_000.0; 3]),
        timed(&replay, "bytes_mut-flat", &[100_000.0; 3]),
    ];
    rows[0].allocs = vec![(0.5, "message".into())];
    settle(&replay, &mut rows);
    Results {
        throughput: [w4(), rows].concat(),
        retention: vec![Kept {
            scenario: "R9".into(),
            title: "made up".into(),
            subject: "linkbuf-release".into(),
            kind: Kind::Linkbuf,
            figures: vec![Figure {
                name: "kept".into(),
                value: Some(1.0),
                unit: "B/buffer".into(),
            }],
            series: Vec::new(),
            marks: Vec::new(),
            missing: None,
            bars: vec![Verdict {
                level: Level::Must,
                bound: "≤ 0 B".into(),
                found: "1 B".into(),
                met: false,
            }],
        }],
        heap: vec![Profiled {
            subject: "hugepage".into(),
            phases: vec![HeapPhase {
                name: "idle".into(),
                blocks: 17,
                bytes: 4096,
                ..HeapPhase::default()
            }],
            file: "dhat/hugepage.json".into(),
            ..Profiled::default()
        }],
        settings: [("throughput".into(), "two made-up rounds".into())].into(),
        ..Results::default()
    }
}

fn found(row: &Timed) -> Vec<String> {
    let bars = row.bars.iter();
    bars.map(|v| format!("{}: {v}", v.found)).collect()
}

fn named<'r>(rows: &'r [Timed], name: &str) -> &'r Timed {
    rows.iter()
        .find(|row| row.name() == name)
        .expect("it is there")
}

#[test]
fn ratios_are_formed_within_rounds() {
    let rows = w4();
    let keep = named(&rows, "W4/linkbuf-keep");
    let ratio = keep.to_base.expect("the base was measured");
    assert_eq!((ratio.low, ratio.median, ratio.high), (0.8, 0.8, 0.8));
    assert_eq!((keep.value, keep.unit.as_str()), (200.0, "ns/op"));
    assert_eq!(named(&rows, "W4/bytes_mut").to_base, None);
    let found = found(keep);
    for bar in [
        "0.80 [0.80 … 0.80] × bytes_mut: must ≤ 1.00 met",
        "0 allocator calls/op: must 0 met",
    ] {
        assert!(found.iter().any(|is| is == bar), "{found:?}");
    }
}

#[test]
fn a_round_counts_if_both_sides_have_it() {
    let scenario = scenario("W4");
    let mut rows = vec![
        timed(&scenario, "linkbuf", &[100.0, 100.0, 900.0]),
        timed(&scenario, "bytes_mut", &[100.0, 200.0]),
    ];
    rows[1].rounds = vec![1, 0];
    settle(&scenario, &mut rows);
    let ratio = rows[0].to_base.expect("two rounds have both");
    assert_eq!((ratio.low, ratio.high), (0.625, 0.875));
}

#[test]
fn the_best_of_several_references_counts() {
    let results = run();
    let keep = named(&results.throughput, "replay-large/linkbuf-keep");
    assert_eq!(keep.unit, "MB/s");
    let first = &keep.bars[0];
    assert!(
        first.found.contains("0.90") && first.found.contains("bytes_mut-flat"),
        "{first:?}"
    );
    let calls = keep.bars.last().expect("it may call none");
    assert!(!calls.met, "half a call a message isn't none");
}

#[test]
fn the_tables_tell_it_all() {
    let results = run();
    let text = text(&results);
    for part in [
        "contender",
        "0.80 [0.80 … 0.80] × bytes_mut: must ≤ 1.00 met",
        "× bytes_mut-flat: must",
        "5.0/op",
        "linkbuf-release",
        "MISSED",
        "hugepage",
        "4096 B",
        "dhat/hugepage.json",
        "two made-up rounds",
        "PARTIAL",
    ] {
        assert!(text.contains(part), "{part} isn't in\n{text}");
    }
    let bars = results.throughput.iter().flat_map(|t| &t.bars);
    let musts = bars.filter(|v| v.level == Level::Must).count() + 1;
    assert!(text.contains(&format!("of {musts} musts")), "{text}");
    let mut whole = results;
    whole.complete = true;
    assert!(!linkbuf_bench::report::text(&whole).contains("PARTIAL"));
}

#[test]
fn the_file_holds_all_of_it() {
    let results = run();
    let text = serde_json::to_string(&results).expect("it can be written");
    let read: Results = serde_json::from_str(&text).expect("it can be read");
    assert_eq!(read, results);
}

#[test]
fn quartiles_lie_between_values_in_proportion() {
    let spread = Quartiles::of(&[4.0, 1.0]).expect("there are some");
    assert_eq!((spread.low, spread.median, spread.high), (1.75, 2.5, 3.25));
    let one = Quartiles::of(&[7.0]).expect("there is one");
    assert_eq!((one.low, one.median, one.high), (7.0, 7.0, 7.0));
    assert_eq!(spread.relative(), 0.3);
}
