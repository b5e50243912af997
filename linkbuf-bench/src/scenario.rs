//! What a measurement is made of: a workload (scenario), those who do it (contenders), and the bars they are held to.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One workload done by one contender: the state that the operation needs, and the operation.
///
/// ```
/// use linkbuf_bench::scenario::Case;
/// use std::time::{Duration, Instant};
///
/// struct Add(u64);
/// impl Case for Add {
///     fn run(&mut self, ops: u64) -> Duration {
///         let start = Instant::now();
///         for _ in 0..ops {
///             self.0 = std::hint::black_box(self.0 + 1);
///         }
///         start.elapsed()
///     }
///     fn check(&mut self) -> Result<(), String> {
///         self.0 = 1;
///         self.run(1);
///         if self.0 == 2 { Ok(()) } else { Err(format!("1 + 1 gave {}", self.0)) }
///     }
/// }
/// assert_eq!(Add(0).check(), Ok(()));
/// ```
pub trait Case {
    /// Does the operation `ops` times; returns the time of its timed part.
    fn run(&mut self, ops: u64) -> Duration;

    /// Does the operation once, on data that tells positions apart, and looks at what came out.
    ///
    /// # Errors
    /// What was wrong with the result.
    fn check(&mut self) -> Result<(), String>;
}

impl<C: Case + ?Sized> Case for Box<C> {
    fn run(&mut self, ops: u64) -> Duration {
        (**self).run(ops)
    }

    fn check(&mut self) -> Result<(), String> {
        (**self).check()
    }
}

/// What a contender is to linkbuf.
///
/// ```
/// use linkbuf_bench::scenario::Kind;
/// let scenario = linkbuf_bench::scenarios::all().remove(0);
/// assert_eq!(scenario.contender("memcpy").unwrap().kind, Kind::Floor);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// linkbuf, or one of its allocators.
    Linkbuf,
    /// What a program would use instead.
    Peer,
    /// The least that the work can cost, or a part of it.
    Floor,
}

/// One who does a scenario's workload.
///
/// ```
/// let scenario = linkbuf_bench::scenarios::all().remove(0);
/// let mut case = scenario.contenders[0].make();
/// assert_eq!(case.check(), Ok(()));
/// ```
pub struct Contender {
    /// Of letters, digits, `_` and `-`: it is a directory name, and part of a regular expression.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    make: Box<dyn Fn() -> Box<dyn Case>>,
    every: usize,
}

impl Contender {
    /// linkbuf in some configuration; its case is made when it is first needed.
    pub fn linkbuf<C: Case + 'static>(name: &'static str, make: impl Fn() -> C + 'static) -> Self {
        Self::of(Kind::Linkbuf, name, make)
    }

    /// What a program would use instead.
    pub fn peer<C: Case + 'static>(name: &'static str, make: impl Fn() -> C + 'static) -> Self {
        Self::of(Kind::Peer, name, make)
    }

    /// The least that the work can cost, or a part of it: it does not do all of it.
    pub fn floor<C: Case + 'static>(name: &'static str, make: impl Fn() -> C + 'static) -> Self {
        Self::of(Kind::Floor, name, make)
    }

    /// A contender of that kind.
    pub fn of<C: Case + 'static>(
        kind: Kind,
        name: &'static str,
        make: impl Fn() -> C + 'static,
    ) -> Self {
        Self {
            name,
            kind,
            make: Box::new(move || Box::new(make())),
            every: 1,
        }
    }

    /// The same contender, measured in one of so many rounds, and with it the whole scenario: because an operation
    /// takes long, or because many take part.
    #[must_use]
    pub fn every(self, rounds: usize) -> Self {
        Self {
            every: rounds.max(1),
            ..self
        }
    }

    /// Makes its case: buffers and inputs, nothing run yet.
    pub fn make(&self) -> Box<dyn Case> {
        (self.make)()
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Whether missing a bar is a failure.
///
/// ```
/// assert_eq!(linkbuf_bench::scenario::Level::Must.to_string(), "must");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It has to be met.
    Must,
    /// It is worked towards.
    Aim,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Must => "must",
            Self::Aim => "aim",
        })
    }
}

/// A bound on one contender's time, as a multiple of another's in the same run.
///
/// ```
/// use linkbuf_bench::scenario::Bar;
/// let bar = Bar::must("linkbuf", &["bytes_mut"], 1.5);
/// assert!(bar.is_met(1.4) && !bar.is_met(1.6));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// Must or aim.
    pub level: Level,
    /// Who is held to it.
    pub subject: &'static str,
    /// Whom it is compared with; the fastest if several are named.
    pub references: &'static [&'static str],
    /// Largest allowed multiple of the reference's time.
    pub at_most: f64,
}

impl Bar {
    /// A bar that has to be met.
    pub const fn must(
        subject: &'static str,
        references: &'static [&'static str],
        at_most: f64,
    ) -> Self {
        Self {
            level: Level::Must,
            subject,
            references,
            at_most,
        }
    }

    /// A bar that is worked towards.
    pub const fn aim(
        subject: &'static str,
        references: &'static [&'static str],
        at_most: f64,
    ) -> Self {
        Self {
            level: Level::Aim,
            subject,
            references,
            at_most,
        }
    }

    /// Whether `ratio` is within the bar.
    pub fn is_met(&self, ratio: f64) -> bool {
        ratio <= self.at_most
    }
}

/// How a scenario's times are told.
///
/// ```
/// use linkbuf_bench::scenario::Unit;
/// assert_eq!(Unit::PerOp { part: "line", parts: 10.0 }.show(50.0), "5.00 ns/line");
/// assert_eq!(Unit::Rate { bytes: 1_000 }.show(1_000.0), "1000 MB/s");
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    /// Time per part, of which one operation has so many.
    PerOp {
        /// What a part is called.
        part: &'static str,
        /// Parts of one operation.
        parts: f64,
    },
    /// Bytes per second; one operation passes so many.
    Rate {
        /// Bytes of one operation.
        bytes: u64,
    },
}

impl Unit {
    /// One operation, told as such.
    pub const OP: Self = Self::PerOp {
        part: "op",
        parts: 1.0,
    };

    /// The value for an operation of `nanos` ns, and its unit's name, for machines.
    pub fn value(&self, nanos: f64) -> (f64, String) {
        match self {
            Self::PerOp { part, parts } => (nanos / parts, format!("ns/{part}")),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a recording is far below 2^52 bytes"
            )]
            Self::Rate { bytes } => (*bytes as f64 * 1_000.0 / nanos, "MB/s".to_owned()),
        }
    }

    /// The value for an operation of `nanos` ns, for people: three digits and a unit.
    pub fn show(&self, nanos: f64) -> String {
        let (value, unit) = self.value(nanos);
        match unit.strip_prefix("ns/") {
            Some(part) if value >= 10_000.0 => format!("{:.1} µs/{part}", value / 1_000.0),
            Some(_) if value >= 100.0 => format!("{value:.0} {unit}"),
            Some(_) if value >= 10.0 => format!("{value:.1} {unit}"),
            Some(_) => format!("{value:.2} {unit}"),
            None => format!("{value:.0} {unit}"),
        }
    }
}

/// A part of an operation that allocator calls are told per.
///
/// ```
/// use linkbuf_bench::scenario::Share;
/// assert_eq!(Share { part: "message", parts: 4.0 }.of(2.0), 0.5);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// What a part is called.
    pub part: &'static str,
    /// Parts of one operation.
    pub parts: f64,
}

impl Share {
    /// The operation itself.
    pub const OP: Self = Self {
        part: "op",
        parts: 1.0,
    };

    /// Calls per part, for so many per operation.
    pub fn of(&self, calls_per_op: f64) -> f64 {
        calls_per_op / self.parts
    }
}

/// A workload, who does it, and the bars.
///
/// ```
/// let w1 = linkbuf_bench::scenarios::all().remove(0);
/// assert_eq!(w1.id, "W1");
/// assert!(w1.contender("linkbuf").is_some());
/// ```
#[derive(Debug)]
pub struct Scenario {
    /// Short name, as on the command line.
    pub id: &'static str,
    /// What is done.
    pub title: &'static str,
    /// How times are told.
    pub unit: Unit,
    /// Who does it.
    pub contenders: Vec<Contender>,
    /// The one whom all others' times are divided by.
    pub baseline: &'static str,
    /// What is held to what.
    pub bars: Vec<Bar>,
    /// Who may not call the allocator in the steady state; empty where that isn't asked.
    pub no_allocs: &'static [&'static str],
    /// What allocator calls are told per; empty where they say nothing.
    pub alloc_shares: Vec<Share>,
}

impl Scenario {
    /// The contender of that name.
    pub fn contender(&self, name: &str) -> Option<&Contender> {
        self.contenders.iter().find(|c| c.name == name)
    }

    /// In one of how many rounds it is measured.
    pub fn every(&self) -> usize {
        self.contenders.iter().map(|c| c.every).max().unwrap_or(1)
    }
}
