//! What is told in the end: statistics over the rounds, the table for people, the JSON for machines.

mod json;
mod stats;
mod table;
mod verdict;

pub use json::json;
pub use stats::Spread;
pub use table::table;
pub(crate) use table::tally;
pub use verdict::{Row, Verdict, rows};

use crate::measure::{Allocs, Times};
use crate::scenario::Scenario;
use crate::scenarios::Idle;

/// All that was measured.
///
/// ```
/// let run = linkbuf_bench::report::Run::default();
/// assert!(linkbuf_bench::report::rows(&run).is_empty());
/// ```
#[derive(Debug, Default)]
pub struct Run {
    /// What was measured, of it the contenders that were.
    pub scenarios: Vec<Scenario>,
    /// Their times.
    pub times: Vec<Times>,
    /// Their allocator calls.
    pub allocs: Vec<Allocs>,
    /// W9.
    pub idle: Vec<Idle>,
    /// How long and where: one line.
    pub about: String,
}
