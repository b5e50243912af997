//! All that a run found: what its JSON file holds, what a report is made of, and what two runs are compared by.
//!
//! Plain data with one reader and one writer (serde). A figure is a name, a value and a unit; a time is told with all
//! its rounds, because a ratio is formed within a round.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scenario::{Kind, Level};

/// The number of this shape of the file. A file with another one isn't read.
pub const FORMAT: u32 = 1;

/// A run.
///
/// ```
/// use linkbuf_bench::results::{FORMAT, Results};
/// let text = serde_json::to_string(&Results::default()).unwrap();
/// let read: Results = serde_json::from_str(&text).unwrap();
/// assert_eq!(read, Results::default());
/// assert_eq!(read.format, FORMAT);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`FORMAT`].
    pub format: u32,
    /// Where and when.
    pub about: About,
    /// How it was measured, by name: rounds, sizes, seconds.
    pub settings: BTreeMap<String, String>,
    /// Whether all that was asked for was measured. A run that was cut off holds what it had found by then.
    pub complete: bool,
    /// Times, in the order of the table.
    pub throughput: Vec<Timed>,
    /// What stays resident, in the order of the tables.
    pub retention: Vec<Kept>,
    /// What the global heap and the backends hold, phase by phase.
    pub heap: Vec<Profiled>,
}

impl Default for Results {
    fn default() -> Self {
        Self {
            format: FORMAT,
            about: About::default(),
            settings: BTreeMap::new(),
            complete: false,
            throughput: Vec::new(),
            retention: Vec::new(),
            heap: Vec::new(),
        }
    }
}

/// Where and when a run took place. Text that isn't known is empty, a number 0.
///
/// ```
/// assert_eq!(linkbuf_bench::results::About::default().cpus, 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Seconds since 1970, when it began.
    pub unix_time: u64,
    /// The machine's name.
    pub host: String,
    /// The operating system and its kernel's version.
    pub kernel: String,
    /// The processor's name.
    pub cpu: String,
    /// Processors that this program may use.
    pub cpus: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// Reserved huge pages that were free.
    pub huge_pages: u64,
    /// The system's setting for transparent huge pages.
    pub transparent: String,
    /// The revision that was measured, with `+` if files had changed since.
    pub revision: String,
}

/// A median and the quartiles around it.
///
/// ```
/// use linkbuf_bench::results::Quartiles;
/// let ratio = Quartiles { low: 0.9, median: 1.0, high: 1.2 };
/// assert_eq!(ratio.to_string(), "1.00 [0.90 … 1.20]");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    /// The first quartile.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The third quartile.
    pub high: f64,
}

impl std::fmt::Display for Quartiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} [{:.2} … {:.2}]", self.median, self.low, self.high)
    }
}

/// One contender in one timed scenario.
///
/// ```
/// use linkbuf_bench::{results::Timed, scenario::Kind};
/// let timed = Timed {
///     scenario: "W1".into(),
///     title: "append 64 B".into(),
///     contender: "memcpy".into(),
///     kind: Kind::Floor,
///     value: 3.0,
///     unit: "ns/op".into(),
///     shown: "3.00 ns/op".into(),
///     spread: 0.01,
///     nanos: vec![2.9, 3.0, 3.1],
///     rounds: vec![0, 1, 2],
///     base: "bytes_mut".into(),
///     to_base: None,
///     allocs: Vec::new(),
///     bars: Vec::new(),
/// };
/// assert_eq!(timed.name(), "W1/memcpy");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// The scenario's id.
    pub scenario: String,
    /// What is done in it.
    pub title: String,
    /// Who does it.
    pub contender: String,
    /// linkbuf, a peer, or a floor.
    pub kind: Kind,
    /// The median over the rounds, in `unit`.
    pub value: f64,
    /// `MB/s`, of which more is better, or `ns/…`, of which less is.
    pub unit: String,
    /// Value and unit, for people.
    pub shown: String,
    /// Half the distance of the quartiles of the rounds, as a part of the value.
    pub spread: f64,
    /// Nanoseconds of an operation in each round, whatever the unit.
    pub nanos: Vec<f64>,
    /// Which round each of `nanos` is from. Two contenders of a scenario are compared round by round.
    pub rounds: Vec<usize>,
    /// The contender whom all others of the scenario are divided by.
    pub base: String,
    /// Time as a multiple of the base's; `None` of the base itself, and where it wasn't measured.
    pub to_base: Option<Quartiles>,
    /// Allocator calls once warm: how many, per what.
    pub allocs: Vec<(f64, String)>,
    /// What it is held to.
    pub bars: Vec<Verdict>,
}

impl Timed {
    /// Scenario and contender.
    pub fn name(&self) -> String {
        format!("{}/{}", self.scenario, self.contender)
    }
}

/// A figure.
///
/// ```
/// use linkbuf_bench::results::Figure;
/// let never = Figure { name: "t90".into(), value: None, unit: "s".into() };
/// assert_eq!(never.value, None);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// How much; `None` of a time: it did not happen while it was watched for.
    pub value: Option<f64>,
    /// Of what: `B`, `B/buffer`, `s`, `%`, `×`, or nothing for a number.
    pub unit: String,
}

/// For people: bytes in the unit that fits, and `never` of what did not happen.
///
/// ```
/// use linkbuf_bench::results::Figure;
/// let show = |value, unit: &str| Figure { name: String::new(), value, unit: unit.into() }.to_string();
/// assert_eq!(show(Some(3.0 * 1024.0 * 1024.0), "B"), "3.00 MiB");
/// assert_eq!(show(Some(8192.0), "B/buffer"), "8192 B");
/// assert_eq!(show(Some(0.25), "s"), "0.25 s");
/// assert_eq!(show(None, "s"), "never");
/// ```
impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(value) = self.value else {
            return f.write_str("never");
        };
        match &*self.unit {
            "B" if value.abs() >= 1e9 => write!(f, "{:.3} GiB", value / f64::from(1 << 30)),
            "B" if value.abs() >= 1e5 => write!(f, "{:.2} MiB", value / f64::from(1 << 20)),
            "B" => write!(f, "{:.1} KiB", value / 1024.0),
            "B/buffer" => write!(f, "{value:.0} B"),
            "s" if value.abs() < 0.1 => write!(f, "{:.1} ms", value * 1000.0),
            "s" => write!(f, "{value:.2} s"),
            "" => write!(f, "{value:.0}"),
            unit => write!(f, "{value:.2} {unit}"),
        }
    }
}

/// Values over time.
///
/// ```
/// use linkbuf_bench::results::Series;
/// let series = Series { name: "resident".into(), unit: "B".into(), points: vec![(0.0, 4096.0)] };
/// assert_eq!(series.points.len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Of what.
    pub name: String,
    /// The unit of the values.
    pub unit: String,
    /// Seconds, and the value then.
    pub points: Vec<(f64, f64)>,
}

/// One subject in one retention scenario.
///
/// ```
/// use linkbuf_bench::{results::Kept, scenario::Kind};
/// let kept = Kept {
///     scenario: "burst".into(),
///     title: "10,000 buffers".into(),
///     subject: "bytes_mut".into(),
///     kind: Kind::Peer,
///     figures: Vec::new(),
///     series: Vec::new(),
///     marks: vec![(0.5, "drain".into())],
///     missing: Some("skipped: it is an example".into()),
///     bars: Vec::new(),
/// };
/// assert_eq!(kept.figure("t90"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The scenario's id.
    pub scenario: String,
    /// What is done in it.
    pub title: String,
    /// With which backend and policy, or which peer.
    pub subject: String,
    /// linkbuf or a peer.
    pub kind: Kind,
    /// What was found.
    pub figures: Vec<Figure>,
    /// What was found over time.
    pub series: Vec<Series>,
    /// When the parts of the run began: seconds, and their names.
    pub marks: Vec<(f64, String)>,
    /// Why there are no figures: skipped or failed, and what was missing.
    pub missing: Option<String>,
    /// What it is held to.
    pub bars: Vec<Verdict>,
}

impl Kept {
    /// The figure of that name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

/// What one subject holds of the global heap, by dhat, and beside it what dhat can't see.
///
/// ```
/// use linkbuf_bench::results::Profiled;
/// assert!(Profiled::default().phases.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profiled {
    /// With which backend and policy, or which peer.
    pub subject: String,
    /// In the order in which they came.
    pub phases: Vec<HeapPhase>,
    /// The profile that DHAT's viewer opens, as a path from the current directory; empty if there is none.
    pub file: String,
    /// Why there is nothing: skipped or failed.
    pub missing: Option<String>,
    /// What it is held to.
    pub bars: Vec<Verdict>,
}

/// A phase of a heap profile, at its end.
///
/// ```
/// use linkbuf_bench::results::HeapPhase;
/// assert_eq!(HeapPhase::default().bytes, 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeapPhase {
    /// What was done.
    pub name: String,
    /// Blocks of the global heap that are out.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The most bytes that were out at once since the profile began.
    pub peak: u64,
    /// Blocks that were taken since the profile began.
    pub total_blocks: u64,
    /// Their bytes.
    pub total_bytes: u64,
    /// What the backend itself says, of memory that is not the global heap's: live, cached, mapped.
    pub beside: Vec<Figure>,
}

/// A bar, and whether it is met.
///
/// ```
/// use linkbuf_bench::{results::Verdict, scenario::Level};
/// let verdict = Verdict { level: Level::Must, bound: "≤ 4096 B".into(), found: "0 B".into(), met: true };
/// assert_eq!(verdict.to_string(), "must ≤ 4096 B met");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Must or aim.
    pub level: Level,
    /// What was asked.
    pub bound: String,
    /// What was found.
    pub found: String,
    /// Whether that is enough.
    pub met: bool,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let met = if self.met { "met" } else { "MISSED" };
        write!(f, "{} {} {met}", self.level, self.bound)
    }
}
