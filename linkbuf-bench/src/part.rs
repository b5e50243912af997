//! What a part of the benchmark (throughput, retention, heap) is to the program: a list of steps.
//!
//! The program shows them as one progress bar with the time that is left, keeps what is found after each, and stops
//! between two of them when it is asked to.

use crate::results::Results;

/// What was asked for on the command line, whichever part it is for. Empty lists mean everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Short runs.
    pub(crate) quick: bool,
    /// Scenarios by id, in upper or lower case; the first part of an id (`R3` of `R3-trim`, `replay`) means its family.
    pub(crate) scenarios: Vec<String>,
    /// Contenders, or subjects that aren't backends, by name or, where there is no such name, by a part of it.
    pub(crate) contenders: Vec<String>,
    /// Backends, by name.
    pub(crate) backends: Vec<String>,
    /// Rounds, instead of the plan's.
    pub(crate) rounds: Option<u16>,
    /// Whether huge pages may be reserved for the runs that are about them.
    pub(crate) reserve_huge_pages: bool,
}

impl Selection {
    /// Whether the scenario of that id was asked for, by its id or its family's.
    pub(crate) fn wants_scenario(&self, id: &str) -> bool {
        let family = id.split('-').next().unwrap_or(id);
        let asked =
            |asked: &String| id.eq_ignore_ascii_case(asked) || family.eq_ignore_ascii_case(asked);
        self.scenarios.is_empty() || self.scenarios.iter().any(asked)
    }

    /// Whether the contender `name` was asked for, of those that there are.
    pub(crate) fn wants_contender(&self, name: &str, names: &[&str]) -> bool {
        // `--contender linkbuf` isn't meant for linkbuf-keep too where both are.
        let asked =
            |asked: &String| name == asked || !names.contains(&&**asked) && name.contains(&**asked);
        self.contenders.is_empty() || self.contenders.iter().any(asked)
    }

    /// Whether the backend of that name was asked for.
    pub(crate) fn wants_backend(&self, name: &str) -> bool {
        self.backends.is_empty() || self.backends.iter().any(|asked| asked == name)
    }
}

/// Work that adds what it finds.
pub(crate) type Work = Box<dyn FnOnce(&mut Results) -> Result<(), String>>;

/// A piece of work that can't be cut: some seconds at most.
pub(crate) struct Step {
    /// What it does, for people.
    pub(crate) what: String,
    /// About how long it takes, in seconds: its share of the progress bar.
    pub(crate) seconds: f64,
    /// Does it, and adds what it found.
    ///
    /// # Errors
    /// The benchmark itself is broken. What a subject can't do is a finding, not an error.
    pub(crate) run: Work,
}
