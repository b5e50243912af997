//! Which of the scenarios, contenders and backends are meant: the options, their names checked, and the list.

use crate::backends::Backend;
use crate::part::Selection;
use crate::retention::{self, Trial, subjects};
use crate::{idle, names, scenarios};

/// What the part that is all about the heap is called as a scenario.
const HEAP: &str = "heap";

/// The options that choose.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Select {
    /// Only this scenario, or all whose names begin with it and a dash (`R3`, `replay`); may be given several times
    #[arg(long, value_name = "ID")]
    scenario: Vec<String>,
    /// Only contenders of this name, or, where there is none, with this in their names; may be given several times. A
    /// ratio needs both its sides
    #[arg(long, value_name = "NAME")]
    contender: Vec<String>,
    /// Of linkbuf only what stands on this backend; may be given several times
    #[arg(long, value_name = "NAME")]
    backend: Vec<String>,
}

impl Select {
    /// As the parts of the benchmark want it.
    ///
    /// # Errors
    /// A name that there isn't, with those that are near it.
    pub(super) fn selection(&self) -> Result<Selection, String> {
        let check = |what, asked: &[String], known: &[&str], parts: bool| {
            let is = |asked: &str| {
                let same = |name: &&str| name.eq_ignore_ascii_case(asked);
                known
                    .iter()
                    .any(|name| same(name) || parts && name.contains(asked))
            };
            match asked.iter().find(|asked| !is(asked)) {
                Some(asked) => Err(names::unknown(what, asked, known)),
                None => Ok(()),
            }
        };
        check("scenario", &self.scenario, &scenario_names(), false)?;
        check("contender", &self.contender, &contender_names(), true)?;
        check("backend", &self.backend, &backend_names(), false)?;
        Ok(Selection {
            scenarios: self.scenario.clone(),
            contenders: self.contender.clone(),
            backends: self.backend.clone(),
            ..Selection::default()
        })
    }

    /// Whether no scenario is named.
    pub(super) fn is_of_all(&self) -> bool {
        self.scenario.is_empty()
    }
}

/// Ids, and what families of several are called.
fn scenario_names() -> Vec<&'static str> {
    let timed = scenarios::all().into_iter().map(|scenario| scenario.id);
    let trials = Trial::ALL.iter().map(|trial| trial.id());
    let others = [idle::ID, HEAP];
    let ids: Vec<_> = timed.chain(others).chain(trials).collect();
    let family = |id: &&'static str| id.split('-').next();
    let mut names: Vec<_> = ids.iter().filter_map(family).chain(ids.clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn contender_names() -> Vec<&'static str> {
    let scenarios = scenarios::all();
    let timed = scenarios.iter().flat_map(|scenario| &scenario.contenders);
    let mut names: Vec<_> = timed.map(|contender| contender.name).collect();
    names.extend(subjects::all().map(|entry| entry.name));
    names.extend(idle::NAMES);
    names.sort_unstable();
    names.dedup();
    names
}

fn backend_names() -> Vec<&'static str> {
    Backend::ALL.iter().map(|backend| backend.name()).collect()
}

/// All there is, a line or two each.
pub(super) fn list() -> String {
    let mut text = String::from("Timed scenarios, and who takes part\n");
    for scenario in scenarios::all() {
        let names: Vec<_> = scenario.contenders.iter().map(|c| c.name).collect();
        text.push_str(&format!("{:<13} {}\n", scenario.id, scenario.title));
        text.push_str(&format!("{:<13} {}\n", "", names.join(", ")));
    }
    text.push_str("\nWhat stays\n");
    text.push_str(&format!("{:<13} {}\n", idle::ID, idle::TITLE));
    text.push_str(&format!("{:<13} {}\n", "", idle::NAMES.join(", ")));
    text.push_str(&retention::list());
    text.push_str(&format!(
        "{:<13} the global heap, phase by phase, by dhat\n",
        HEAP
    ));
    text.push_str(&format!("\nBackends\n{}\n", backend_names().join(", ")));
    text
}
