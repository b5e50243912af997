//! What developers of linkbuf look at: results of single operations, instructions, and a profiler's target.

use std::process::Command;

use super::say;
use super::select::Select;
use crate::child;
use crate::measure;
use crate::scenario::Scenario;

fn selected(select: &Select) -> Result<Vec<Scenario>, String> {
    let scenarios = measure::selected(&select.selection()?);
    match scenarios.is_empty() {
        true => Err("no timed scenario has that; `linkbuf-bench list` tells what there is".into()),
        false => Ok(scenarios),
    }
}

/// Every case once, on data that tells positions apart.
pub(super) fn check(select: &Select) -> Result<(), String> {
    selected(select)?.iter().try_for_each(measure::check)
}

/// The operations so many times, and nothing else.
pub(super) fn spin(times: u64, select: &Select) -> Result<(), String> {
    for contender in selected(select)?.iter().flat_map(|s| &s.contenders) {
        contender.make().run(times);
    }
    Ok(())
}

/// Instructions per operation: the difference of a long run and a short one, so that what surrounds it is gone.
pub(super) fn instructions(select: &Select) -> Result<(), String> {
    const FEW: u64 = 1_000;
    const MANY: u64 = 11_000;
    let me = child::this_program()?;
    let counted = |scenario: &str, contender: &str, ops: u64| -> Result<u64, String> {
        let run = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(&me)
            .args(["spin", &ops.to_string()])
            .args(["--scenario", scenario, "--contender", contender])
            .output()
            .map_err(|e| format!("valgrind didn't start: {e}"))?;
        let said = String::from_utf8_lossy(&run.stderr);
        said.lines()
            .find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
            .ok_or_else(|| format!("valgrind counted nothing:\n{said}"))
    };
    let mut scenarios = selected(select)?;
    if select.is_of_all() {
        scenarios.retain(|scenario| scenario.id == "W1");
    }
    for scenario in scenarios {
        for contender in &scenario.contenders {
            let few = counted(scenario.id, contender.name, FEW)?;
            let many = counted(scenario.id, contender.name, MANY)?;
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52 instructions")]
            let each = many.saturating_sub(few) as f64 / (MANY - FEW) as f64;
            say(&format!(
                "{:<4} {:<20} {each:8.1} instructions/op\n",
                scenario.id, contender.name
            ));
        }
    }
    Ok(())
}
