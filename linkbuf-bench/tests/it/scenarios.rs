//! Every contender of every workload runs and checks its own result.

use linkbuf_bench::measure::allocs;
use linkbuf_bench::scenarios::{all, idle};

#[test]
fn every_contender_does_what_its_scenario_says() {
    for scenario in all() {
        for contender in &scenario.contenders {
            let result = contender.make().check();
            assert_eq!(result, Ok(()), "{}/{}", scenario.id, contender.name);
        }
    }
}

#[test]
fn every_case_runs_on_where_its_check_ended() {
    for scenario in all() {
        for contender in &scenario.contenders {
            let mut case = contender.make();
            case.run(3);
            let result = case.check();
            assert_eq!(result, Ok(()), "{}/{}", scenario.id, contender.name);
            assert!(!case.run(2).is_zero());
        }
    }
}

#[test]
fn names_can_be_directories_and_regular_expressions() {
    for scenario in all() {
        for name in scenario
            .contenders
            .iter()
            .map(|c| c.name)
            .chain([scenario.id])
        {
            let fine = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            assert!(name.chars().all(fine), "{name}");
        }
    }
}

#[test]
fn bars_and_baselines_name_contenders() {
    for scenario in all() {
        let references = scenario.bars.iter().flat_map(|bar| bar.references);
        let names = scenario.bars.iter().map(|bar| &bar.subject);
        let names = names.chain(references).chain(scenario.no_allocs);
        for name in names.chain([&scenario.baseline]) {
            assert!(scenario.contender(name).is_some(), "{}/{name}", scenario.id);
        }
    }
}

#[test]
fn a_buffer_that_may_keep_its_nodes_allocates_none_once_warm() {
    for scenario in [
        "W1",
        "W2",
        "W3",
        "W4",
        "W7",
        "W8",
        "rpc",
        "lines",
        "proxy",
        "fanout",
        "fanout-small",
        "tls",
        "trickle",
    ] {
        let mut one = all();
        one.retain(|s| s.id == scenario);
        let free = one[0].no_allocs;
        assert!(!free.is_empty(), "{scenario}");
        for row in allocs(&one).iter().filter(|a| free.contains(&a.contender)) {
            assert_eq!(row.calls, 0.0, "{scenario}/{}", row.contender);
        }
    }
}

#[test]
fn allocations_of_those_who_allocate_are_seen() {
    let mut w7 = all();
    w7.retain(|s| s.id == "W7");
    let rows = allocs(&w7);
    let default = rows.iter().find(|a| a.contender == "linkbuf").unwrap();
    assert!(
        default.calls >= 100.0,
        "128 nodes, of which a page stays: {default:?}"
    );
}

#[test]
fn an_idle_buffer_keeps_what_its_policy_allows() {
    let idle = idle(|_| true);
    let bytes = |name| idle.iter().find(|i| i.contender == name).unwrap().bytes;
    assert_eq!(bytes("linkbuf-release"), 0);
    assert!(
        (1..=4096).contains(&bytes("linkbuf")),
        "{}",
        bytes("linkbuf")
    );
    assert!(bytes("bytes_mut") >= 1024 * 1024);
    assert!(bytes("linked_bytes") >= 1024 * 1024);
}
