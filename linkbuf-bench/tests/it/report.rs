//! The table and the JSON say what was measured.

use linkbuf_bench::measure::{Allocs, Times};
use linkbuf_bench::report::{Run, Spread, json, rows, table};
use linkbuf_bench::scenario::Level;
use linkbuf_bench::scenarios::{Idle, all};

/// W4 and the replay of large values, with figures made up; linkbuf's in W4 drift, and so do its references'.
fn run() -> Run {
    let mut scenarios = all();
    scenarios.retain(|s| ["W4", "replay-large"].contains(&s.id));
    let times = |scenario, contender, rounds: [f64; 3]| Times {
        scenario,
        contender,
        rounds: rounds.to_vec(),
        samples: vec![rounds[0], rounds[1], rounds[1], rounds[2]],
    };
    Run {
        times: vec![
            times("W4", "linkbuf", [900.0, 450.0, 1800.0]),
            times("W4", "linkbuf-keep", [200.0, 100.0, 400.0]),
            times("W4", "bytes_mut", [250.0, 125.0, 500.0]),
            times("W4", "memcpy", [100.0, 50.0, 200.0]),
            times("replay-large", "linkbuf-keep", [90_000.0; 3]),
            times("replay-large", "bytes_mut-attach", [200_000.0; 3]),
            times("replay-large", "bytes_mut-flat", [100_000.0; 3]),
        ],
        allocs: vec![
            Allocs {
                scenario: "W4",
                contender: "linkbuf",
                calls: 5.0,
            },
            Allocs {
                scenario: "W4",
                contender: "linkbuf-keep",
                calls: 0.0,
            },
            Allocs {
                scenario: "replay-large",
                contender: "linkbuf-keep",
                calls: 18.0,
            },
        ],
        idle: vec![
            Idle {
                contender: "linkbuf",
                bytes: 3712,
                bar: Some((Level::Must, 4096)),
            },
            Idle {
                contender: "linkbuf-release",
                bytes: 1,
                bar: Some((Level::Must, 0)),
            },
        ],
        about: "two made-up rounds".into(),
        scenarios,
    }
}

#[test]
fn ratios_are_formed_within_rounds() {
    let rows = rows(&run());
    let keep = rows.iter().find(|r| r.contender == "linkbuf-keep").unwrap();
    let ratio = keep.ratio.unwrap();
    assert_eq!((ratio.low, ratio.median, ratio.high), (0.8, 0.8, 0.8));
    let verdicts = keep.verdicts.iter();
    let found: Vec<_> = verdicts.map(|v| format!("{}: {v}", v.found)).collect();
    assert_eq!(
        found,
        [
            "0.80 [0.80 … 0.80] × bytes_mut: must ≤ 1.00 met",
            "2.00 [2.00 … 2.00] × memcpy: aim ≤ 1.30 MISSED",
            "0 allocator calls: must 0 met",
        ]
    );
}

#[test]
fn the_best_of_several_references_counts() {
    let rows = rows(&run());
    let keep = rows
        .iter()
        .rfind(|r| r.contender == "linkbuf-keep")
        .unwrap();
    assert_eq!(keep.unit, "MB/s");
    assert!(
        keep.verdicts[0].found.contains("0.90"),
        "{:?}",
        keep.verdicts
    );
    assert!(keep.verdicts[0].found.contains("bytes_mut-flat"));
    assert_eq!(keep.allocs[0], (0.5, "message"));
    assert!(!keep.verdicts[2].met, "18 calls aren't none");
}

#[test]
fn idle_rows_stand_before_the_replay() {
    let order: Vec<_> = rows(&run()).iter().map(|r| r.scenario).collect();
    assert_eq!(order[4..6], ["W9", "W9"]);
    assert_eq!(order[6], "replay-large");
}

#[test]
fn the_table_tells_it_all() {
    let table = table(&run());
    for part in [
        "contender",
        "linkbuf-release",
        "3712 B",
        "1 B: must ≤ 0 B MISSED",
        "0.80 [0.80 … 0.80] × bytes_mut: must ≤ 1.00 met",
        "× bytes_mut-flat: must ≤ 1.00 met, aim ≤ 0.67 MISSED",
        "5.0/op",
        "two made-up rounds",
        // W4 and the replay: 2 + 1 bars each, W9: 2.
        "4 of 6 musts and 0 of 2 aims are met.",
    ] {
        assert!(table.contains(part), "{part} isn't in\n{table}");
    }
}

#[test]
fn the_json_names_value_unit_and_spread() {
    let json = json(&run());
    let keep = &json["results"]["W4/linkbuf-keep"];
    assert_eq!(keep["value"], 200.0);
    assert_eq!(keep["unit"], "ns/op");
    assert_eq!(keep["ratio"]["median"], 0.8);
    assert_eq!(keep["allocs"]["per op"], 0.0);
    assert_eq!(keep["bars"][0]["met"], true);
    // Samples of 100, 100, 200 and 400: the quartiles are 100 and 250 around 150.
    assert_eq!(keep["spread"], 0.5);
    assert_eq!(json["results"]["W9/linkbuf"]["value"], 3712.0);
}

#[test]
fn quartiles_lie_between_values_in_proportion() {
    let spread = Spread::of(&[4.0, 1.0]).unwrap();
    assert_eq!((spread.low, spread.median, spread.high), (1.75, 2.5, 3.25));
    let one = Spread::of(&[7.0]).unwrap();
    assert_eq!((one.low, one.median, one.high), (7.0, 7.0, 7.0));
}
