//! The page, the plots and the advice: all that was found is there, nothing breaks out of it, nothing is made up.

use std::collections::BTreeSet;
use std::fs;

use linkbuf_bench::report::{advice, page};
use linkbuf_bench::results::{
    Figure, HeapPhase, Kept, Profiled, Quartiles, Results, Series, Timed, Verdict,
};
use linkbuf_bench::scenario::{Kind, Level};
use tempfile::TempDir;

/// A folder that goes when the test is over.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Writes the report there and reads the page.
    fn page(&self, results: &Results) -> String {
        let path = page::write(results, self.0.path()).unwrap();
        assert_eq!(path, self.0.path().join("report.html"));
        fs::read_to_string(path).unwrap()
    }

    fn plots(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.0.path().join("plots")).unwrap();
        let mut plots: Vec<_> = entries
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        plots.sort();
        plots
    }
}

/// One contender; the rounds drift, so only ratios tell.
fn timed(scenario: &str, contender: &str, kind: Kind, nanos: [f64; 4]) -> Timed {
    let drift = [1.0, 0.5, 2.0, 1.5];
    let base = [100.0; 4];
    let ratio = Quartiles::of(&[0, 1, 2, 3].map(|n| nanos[n] / base[n]));
    Timed {
        scenario: scenario.into(),
        title: format!("the work of {scenario}"),
        contender: contender.into(),
        kind,
        value: nanos[0],
        unit: "ns/op".into(),
        shown: format!("{} ns/op", nanos[0]),
        spread: 0.02,
        nanos: [0, 1, 2, 3].map(|n| nanos[n] * drift[n]).into(),
        rounds: vec![0, 1, 2, 3],
        base: "bytes_mut".into(),
        to_base: ratio.filter(|_| contender != "bytes_mut"),
        allocs: vec![(0.25, "op".into())],
        bars: Vec::new(),
    }
}

fn bytes_mut(scenario: &str) -> Timed {
    timed(scenario, "bytes_mut", Kind::Peer, [100.0; 4])
}

fn figure(name: &str, value: impl Into<Option<f64>>, unit: &str) -> Figure {
    Figure {
        name: name.into(),
        value: value.into(),
        unit: unit.into(),
    }
}

fn kept(scenario: &str, subject: &str, idle: f64, t90: Option<f64>) -> Kept {
    let peers = ["bytes_mut", "vec"];
    Kept {
        scenario: scenario.into(),
        title: format!("the life of {scenario}"),
        subject: subject.into(),
        kind: if peers.contains(&subject) {
            Kind::Peer
        } else {
            Kind::Linkbuf
        },
        figures: vec![
            figure("buffers", 100.0, ""),
            figure("idle bytes per buffer", idle, "B/buffer"),
            figure("t50", t90, "s"),
            figure("t90", t90, "s"),
            figure("t90 alone", None, "s"),
        ],
        series: vec![Series {
            name: "resident".into(),
            unit: "B".into(),
            points: vec![(0.0, 0.0), (0.5, 1e8), (1.0, idle * 100.0)],
        }],
        marks: vec![
            (0.0, "ramp".into()),
            (0.2, "burst".into()),
            (0.6, "idle".into()),
        ],
        missing: None,
        bars: Vec::new(),
    }
}

/// Some of everything, with names that would break a page that takes them as they are.
fn everything() -> Results {
    let evil = "<script>alert(\"1\" & '2')</script>";
    let mut throughput = vec![
        timed(
            "rpc",
            "linkbuf-pooled",
            Kind::Linkbuf,
            [80.0, 88.0, 72.0, 80.0],
        ),
        timed("rpc", evil, Kind::Peer, [300.0; 4]),
        timed("rpc", "memcpy", Kind::Floor, [10.0; 4]),
        bytes_mut("rpc"),
    ];
    throughput[0].title = evil.into();
    throughput[0].bars.push(Verdict {
        level: Level::Must,
        bound: "≤ 0.50".into(),
        found: "0.80 × bytes_mut".into(),
        met: false,
    });
    let mut retention = vec![
        kept("burst-many", "bytes_mut", 1e6, None),
        kept("burst-many", "pooled", 4096.0, Some(0.25)),
        kept("burst-many", evil, 9000.0, Some(0.5)),
        kept("../../burst", "pooled", 1.0, Some(0.25)),
        kept("../../burst", "mmap", 2.0, Some(0.25)),
    ];
    retention[1].bars.push(Verdict {
        level: Level::Aim,
        bound: "≤ 8192 B".into(),
        found: "4096 B".into(),
        met: true,
    });
    let none = kept("burst-many", "hugepage-hugetlb", 0.0, None);
    retention.insert(
        3,
        Kept {
            figures: Vec::new(),
            series: Vec::new(),
            missing: Some("skipped: no reserved pages & no root".into()),
            ..none
        },
    );
    Results {
        complete: true,
        throughput,
        retention,
        heap: vec![Profiled {
            subject: "pooled-mmap".into(),
            phases: vec![HeapPhase {
                name: "drain".into(),
                blocks: 7654,
                bytes: 3 << 20,
                beside: vec![figure("mapped", 8_388_608.0, "B")],
                ..HeapPhase::default()
            }],
            file: "dhat/pooled-mmap.json".into(),
            ..Profiled::default()
        }],
        settings: [("rounds".to_owned(), "4".to_owned())].into(),
        ..Results::default()
    }
}

#[test]
fn every_subject_and_figure_is_on_the_page_and_escaped() {
    let folder = Folder::new();
    let results = everything();
    let page = folder.page(&results);
    let escape = |text: &str| {
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        text.replace('"', "&quot;")
    };
    // In an attribute or a cell; a drawing may have cut it.
    let cell = |text: &str| format!(">{}<", escape(text));
    for row in &results.throughput {
        for text in [&row.contender, &row.shown] {
            assert!(page.contains(&cell(text)), "{text}");
        }
    }
    for kept in &results.retention {
        assert!(page.contains(&escape(&kept.subject)), "{}", kept.subject);
        for figure in &kept.figures {
            assert!(page.contains(&cell(&figure.name)), "{}", figure.name);
            assert!(page.contains(&cell(&figure.to_string())), "{figure}");
        }
    }
    for text in [
        "0.80 [0.78 … 0.82]",
        "skipped: no reserved pages &amp; no root",
        "7654",
        "3 MiB",
        "What dhat can't see",
        "dhat/pooled-mmap.json",
        "1 of 1 aims",
        "0 of 1 musts",
        "MISSED",
        "rounds",
    ] {
        assert!(page.contains(text), "{text} isn't there");
    }
    assert!(!page.contains("not complete"));
    assert!(!page.contains("<script"), "what was data is markup");
}

#[test]
fn the_page_loads_nothing() {
    let folder = Folder::new();
    let page = folder.page(&everything());
    // The name of the drawings' language isn't fetched.
    let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for fetch in [
        "http", "src=", "url(", "@import", "<script", "<iframe", "href=\"/", "href=\".",
    ] {
        assert!(!page.contains(fetch), "{fetch}");
    }
}

#[test]
fn plots_are_whole_and_told_in_words() {
    let folder = Folder::new();
    let page = folder.page(&everything());
    let plots = folder.plots();
    let names: Vec<_> = plots.iter().map(|(name, _)| name.as_str()).collect();
    for name in [
        "idle-burst-many.svg",
        "memory-burst-many.svg",
        "return-burst-many.svg",
        "time-buffers.svg",
        "time-rpc.svg",
        // Of `../../burst`: it stays where plots belong.
        "idle-burst.svg",
    ] {
        assert!(names.contains(&name), "{name} isn't in {names:?}");
    }
    for (name, text) in &plots {
        let svg = roxmltree::Document::parse(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let root = svg.root_element();
        let said = |tag| {
            let mut children = root.children();
            let child =
                children.find(|child| child.has_tag_name(("http://www.w3.org/2000/svg", tag)));
            child
                .and_then(|child| child.text())
                .unwrap_or_default()
                .len()
        };
        assert!(said("title") > 3 && said("desc") > 10, "{name}");
        assert!(text.contains("prefers-color-scheme:dark"), "{name}");
        // Its ground, its words, and marks.
        assert!(root.descendants().count() > 12, "{name} is empty");
    }
    let ids: Vec<_> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let different: BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), different.len(), "{ids:?}");
}

#[test]
fn what_was_not_measured_has_no_heading() {
    let folder = Folder::new();
    let empty = folder.page(&Results::default());
    for tag in ["<h2", "<h3", "<nav", "<svg", "<table"] {
        assert!(!empty.contains(tag), "{tag}");
    }
    assert!(empty.contains("This run is not complete."));
    assert!(folder.plots().is_empty());

    let all = everything();
    let some = Results {
        throughput: all.throughput,
        ..Results::default()
    };
    let page = folder.page(&some);
    assert!(page.contains("Time beside BytesMut"));
    for heading in [
        "Memory over time",
        "Idle bytes",
        "comes back",
        "The global heap",
        "What stays",
    ] {
        assert!(!page.contains(heading), "{heading}");
    }
}

#[test]
fn plots_of_an_earlier_report_go_and_other_files_stay() {
    let folder = Folder::new();
    folder.page(&everything());
    let other = folder.0.path().join("plots").join("mine.svg");
    fs::write(&other, "<svg/>").unwrap();
    folder.page(&Results::default());
    let left: Vec<_> = folder.plots().into_iter().map(|(name, _)| name).collect();
    assert_eq!(left, ["mine.svg"]);
}

#[test]
fn a_report_that_can_t_be_written_is_an_error() {
    let folder = Folder::new();
    let file = folder.0.path().join("file");
    fs::write(&file, "in the way").unwrap();
    assert!(page::write(&Results::default(), &file).is_err());
}

/// The choice for a use, of a run that has only this.
fn pick(name: &str, results: &Results) -> advice::Pick {
    let picks = advice::advise(results).picks;
    let found = picks.into_iter().find(|pick| pick.name == name);
    found.unwrap_or_else(|| panic!("nothing is said of {name}"))
}

fn times(throughput: Vec<Timed>) -> Results {
    Results {
        throughput,
        ..Results::default()
    }
}

#[test]
fn the_fastest_is_chosen_and_told_beside_the_others() {
    let results = times(vec![
        timed(
            "rpc",
            "linkbuf-pooled",
            Kind::Linkbuf,
            [90.0, 91.0, 92.0, 93.0],
        ),
        timed(
            "rpc",
            "linkbuf-mmap",
            Kind::Linkbuf,
            [60.0, 61.0, 62.0, 63.0],
        ),
        timed("rpc", "vec", Kind::Peer, [50.0; 4]),
        timed("rpc", "memcpy", Kind::Floor, [1.0; 4]),
        bytes_mut("rpc"),
    ]);
    let pick = pick("Small RPC", &results);
    assert_eq!(pick.best, "linkbuf-mmap");
    assert!(pick.how.contains("default-mmap"));
    let beside = pick.beside.join("\n");
    assert!(beside.contains("38 % less time than bytes_mut"), "{beside}");
    assert!(beside.contains("23 % MORE time than vec"), "{beside}");
    assert!(beside.contains("less time than linkbuf-pooled"), "{beside}");
    let text = advice::text(&results);
    assert!(text.contains("Small RPC: linkbuf-mmap"), "{text}");
    assert!(text.contains("linkbuf-pooled takes 1.83 ["), "{text}");
}

#[test]
fn within_the_spread_nothing_is_better_and_the_default_is_named() {
    let results = times(vec![
        timed(
            "rpc",
            "linkbuf-pooled",
            Kind::Linkbuf,
            [84.0, 79.0, 83.0, 76.0],
        ),
        timed(
            "rpc",
            "linkbuf-keep",
            Kind::Linkbuf,
            [79.0, 80.0, 78.0, 79.0],
        ),
        bytes_mut("rpc"),
    ]);
    let pick = pick("Small RPC", &results);
    assert_eq!(pick.best, "linkbuf-pooled");
    let noise = "no difference beyond noise from linkbuf-keep".to_owned();
    assert!(pick.beside.contains(&noise), "{:?}", pick.beside);
}

#[test]
fn the_default_is_said_to_be_slower_only_beyond_a_tenth() {
    let slower = |nanos: f64| {
        let results = times(vec![
            timed("lines", "linkbuf-pooled", Kind::Linkbuf, [nanos; 4]),
            // Faster, but it isn't what one gets unless one chooses.
            timed("lines", "linkbuf-keep", Kind::Linkbuf, [50.0; 4]),
            timed("lines", "memcpy", Kind::Floor, [1.0; 4]),
            bytes_mut("lines"),
        ]);
        advice::advise(&results)
    };
    let (well, badly) = (slower(109.0), slower(112.0));
    assert_eq!((well.slower.len(), well.compared), (0, 1));
    assert_eq!((badly.slower.len(), badly.compared), (1, 1));
    assert_eq!(badly.slower[0].peer, "bytes_mut");
    assert!((badly.slower[0].times.median - 1.12).abs() < 1e-9);
}

#[test]
fn memory_is_chosen_by_what_is_kept_and_when_it_is_back() {
    let results = Results {
        retention: vec![
            kept("burst-many", "bytes_mut", 1e6, None),
            kept("burst-many", "pooled", 5000.0, Some(0.25)),
            kept("burst-many", "mimalloc-low", 100.0, Some(0.25)),
            kept("burst-many", "pooled-release", 300.0, Some(0.3)),
            kept("burst-many", "heap", 4000.0, None),
        ],
        ..Results::default()
    };
    let idle = pick("Many idle connections", &results);
    // Some hundred bytes a buffer are noise; of two alike, the one that is easier to have.
    assert_eq!(idle.best, "pooled-release");
    let beside = idle.beside.join("\n");
    assert!(
        beside.contains("no difference beyond noise from mimalloc-low"),
        "{beside}"
    );
    assert!(beside.contains("the default, pooled: 4.9 KiB"), "{beside}");
    // A multiple of what is within the noise would say too much: of 512 bytes, not of 300.
    assert!(
        beside.contains("bytes_mut: 977 KiB, at least 1953 times as much"),
        "{beside}"
    );
    let bursts = pick("Bursts", &results);
    assert_eq!(bursts.best, "pooled");
    let beside = bursts.beside.join("\n");
    assert!(beside.contains("bytes_mut: never"), "{beside}");
}

#[test]
fn a_use_that_nothing_was_measured_for_is_left_out() {
    let results = times(vec![
        bytes_mut("rpc"),
        timed("rpc", "memcpy", Kind::Floor, [1.0; 4]),
    ]);
    let advice = advice::advise(&results);
    assert!(advice.picks.is_empty() && advice.compared == 0);
    assert_eq!(advice::text(&results), "");
}
