//! What to choose on the machine that was measured: for each kind of use the backend and policy that did best, by how
//! much, and what it costs; and where linkbuf's default is slower than what a program would use instead.

mod kept;
mod paired;
mod text;
mod timed;
mod uses;

pub use text::text;

use crate::results::{Quartiles, Results, Timed};
use crate::scenario::Kind;

use super::names;
use uses::{By, USES};

/// How much slower than the fastest peer linkbuf's default may be before it is said.
const TOO_SLOW: f64 = 1.1;

/// What follows from a run.
///
/// ```
/// use linkbuf_bench::{report::advice::advise, results::Results};
/// assert!(advise(&Results::default()).picks.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advice {
    /// A choice per kind of use. Kinds that nothing was measured for are left out.
    pub picks: Vec<Pick>,
    /// Where linkbuf's default is slower than the fastest peer by more than 10 %, the slowest first.
    pub slower: Vec<Slower>,
    /// In how many scenarios the default and a peer were measured.
    pub compared: usize,
}

/// The choice for a kind of use.
///
/// ```
/// use linkbuf_bench::{report::advice::advise, results::Results};
/// let best: Vec<String> = advise(&Results::default()).picks.into_iter().map(|pick| pick.best).collect();
/// assert!(best.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// The kind of use.
    pub name: String,
    /// The backend and policy that did best.
    pub best: String,
    /// What to write to have it; empty if the benchmark doesn't know.
    pub how: String,
    /// What it reached.
    pub found: String,
    /// By how much, against the next and against `BytesMut`.
    pub beside: Vec<String>,
    /// What it costs: memory kept, or time.
    pub costs: Vec<String>,
    /// The scenario that decided.
    pub source: String,
}

/// A scenario in which linkbuf's default is slower than a peer.
///
/// ```
/// use linkbuf_bench::{report::advice::Slower, results::Quartiles};
/// let slower = Slower {
///     scenario: "W7".into(),
///     title: "find a line".into(),
///     default: "linkbuf".into(),
///     peer: "flat-memchr".into(),
///     times: Quartiles { low: 1.4, median: 1.45, high: 1.5 },
/// };
/// assert_eq!(slower.to_string(), "W7 (find a line): linkbuf takes 1.45 [1.40 … 1.50] × as long as flat-memchr");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Slower {
    /// The scenario's id.
    pub scenario: String,
    /// What is done in it.
    pub title: String,
    /// linkbuf, as it is if nothing was chosen.
    pub default: String,
    /// The fastest of the others.
    pub peer: String,
    /// Its time as a multiple of the peer's.
    pub times: Quartiles,
}

impl std::fmt::Display for Slower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            scenario,
            title,
            default,
            peer,
            times,
        } = self;
        write!(
            f,
            "{scenario} ({title}): {default} takes {times} × as long as {peer}"
        )
    }
}

/// Draws the conclusions.
///
/// ```
/// use linkbuf_bench::{report::advice::advise, results::Results};
/// assert_eq!(advise(&Results::default()).compared, 0);
/// ```
pub fn advise(results: &Results) -> Advice {
    let picks = USES.iter().filter_map(|of| match of.by {
        By::Time(scenarios) => timed::pick(results, of.name, scenarios),
        By::Kept(scenarios, wants) => kept::pick(results, of.name, scenarios, wants),
    });
    let scenarios = names::scenarios(&results.throughput);
    let compared: Vec<_> = scenarios
        .iter()
        .filter_map(|scenario| default_beside(scenario))
        .collect();
    let mut slower: Vec<_> = compared
        .iter()
        .filter(|s| s.times.median > TOO_SLOW)
        .cloned()
        .collect();
    slower.sort_by(|a, b| b.times.median.total_cmp(&a.times.median));
    Advice {
        picks: picks.collect(),
        slower,
        compared: compared.len(),
    }
}

/// linkbuf's default beside the fastest peer of a scenario.
fn default_beside(scenario: &[Timed]) -> Option<Slower> {
    let default = names::default_of(scenario)?;
    let peer = paired::fastest(scenario, |timed| timed.kind == Kind::Peer)?;
    Some(Slower {
        scenario: default.scenario.clone(),
        title: default.title.clone(),
        default: default.contender.clone(),
        peer: peer.contender.clone(),
        times: paired::ratio(default, peer)?,
    })
}

/// How linkbuf's default stands beside its peers, in a sentence; `None` if there is nothing to compare.
pub(crate) fn verdict(advice: &Advice) -> Option<String> {
    let (slower, compared) = (advice.slower.len(), advice.compared);
    match (slower, compared) {
        (_, 0) => None,
        (0, 1) => Some(
            "linkbuf with default settings isn't slower than the fastest peer by more than 10 %."
                .into(),
        ),
        (0, _) => Some(format!(
            "In none of {compared} scenarios is linkbuf with default settings slower than the fastest peer by more than 10 %."
        )),
        _ => Some(format!(
            "In {slower} of {compared} scenarios linkbuf with default settings IS slower than the fastest peer by more than 10 %:"
        )),
    }
}
