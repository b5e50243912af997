//! A run as it goes: what is resident, live, cached and mapped, look by look, and when its parts began.

use std::time::{Duration, Instant};

use linkbuf_alloc::Figures;

use super::Found;
use super::subjects::Subject;
use super::watch::{Base, bytes, now};
use crate::resident::Resident;

/// Looks that a run has room for. What is beyond isn't drawn; no figure is made of it.
const LOOKS: usize = 2000;

/// One look.
#[derive(Clone, Default)]
pub(super) struct Look {
    /// Bytes, more than in the base.
    pub(super) resident: f64,
    /// The whole of it.
    pub(super) system: Resident,
    /// What the memory behind the buffers says.
    pub(super) figures: Option<Figures>,
}

/// The record of a run.
pub(super) struct Record<'s, S> {
    subject: &'s S,
    base: Base,
    start: Instant,
    last: Duration,
    /// Of what is resident, and of what messages are in the buffers.
    resident: Vec<(f64, f64)>,
    live: Vec<(f64, f64)>,
    cached: Vec<(f64, f64)>,
    mapped: Vec<(f64, f64)>,
    marks: Vec<(f64, &'static str)>,
}

impl<'s, S: Subject> Record<'s, S> {
    /// Begins. All that it takes from the heap, it takes now, and touches.
    pub(super) fn begin(subject: &'s S) -> Result<Self, String> {
        let table = || {
            let mut table = vec![(1.0, 1.0); LOOKS];
            table.clear();
            table
        };
        let mut record = Self {
            subject,
            base: Base::now()?,
            start: Instant::now(),
            last: Duration::ZERO,
            resident: table(),
            live: table(),
            cached: table(),
            mapped: table(),
            marks: Vec::with_capacity(16),
        };
        record.base = Base::now()?;
        record.start = Instant::now();
        Ok(record)
    }

    /// A part of the run begins.
    pub(super) fn mark(&mut self, name: &'static str) {
        self.marks.push((self.start.elapsed().as_secs_f64(), name));
    }

    /// Looks, while so many bytes of messages are in the buffers.
    pub(super) fn look(&mut self, live: usize) -> Result<Look, String> {
        let system = now()?;
        let look = Look {
            resident: self.base.since(system),
            system,
            figures: self.subject.figures(),
        };
        self.last = self.start.elapsed();
        let at = self.last.as_secs_f64();
        if self.resident.len() < LOOKS {
            self.resident.push((at, look.resident));
            self.live.push((at, bytes(live as u64)));
            if let Some(figures) = &look.figures
                && figures.totals.mapped_bytes > 0
            {
                self.cached.push((at, bytes(figures.totals.cached_bytes)));
                self.mapped.push((at, bytes(figures.totals.mapped_bytes)));
            }
        }
        Ok(look)
    }

    /// What was resident when it began.
    pub(super) fn base(&self) -> Base {
        self.base
    }

    /// Whether the last look was so long ago.
    pub(super) fn is_due(&self, after: Duration) -> bool {
        self.start.elapsed() >= self.last + after
    }

    /// Tells what came over time.
    pub(super) fn tell(self, found: &mut Found) {
        let marks = self.marks.into_iter();
        found.marks = marks.map(|(at, name)| (at, name.to_owned())).collect();
        for (name, points) in [
            ("resident", self.resident),
            ("live", self.live),
            ("cached", self.cached),
            ("mapped", self.mapped),
        ] {
            if !points.is_empty() {
                found.over_time(name, points);
            }
        }
    }
}
