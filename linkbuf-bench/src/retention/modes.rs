//! The ways in which a burst's memory comes back, tried one after the other in a process that has seen one burst.
//!
//! | mode | after the drain |
//! |---|---|
//! | (none) | silence, with a trimmer: in [`burst`](super::burst) |
//! | alone | silence, without a trimmer |
//! | heartbeat | small messages go on through some of the buffers; no trimmer |
//! | trim() | the allocator is asked to trim |
//! | other thread | another thread drains the buffers and lives on; silence, with a trimmer |
//!
//! Peers have no trimmer and no `trim()`, so `alone` is what was found already, and `trim()` is missing.

use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use linkbuf_alloc::Trimmer;

use super::Found;
use super::buffers::Passing;
use super::burst::{SMALL, burst};
use super::subjects::Subject;
use super::watch::{Base, STEP, every, looks, times};

/// Between two messages of the heartbeat.
const BEAT: Duration = Duration::from_millis(10);
/// Buffers that have one.
const BEATING: usize = 8;
/// A program without a trimmer is watched so long at most: what isn't gone by then has no reason to go later.
const ALONE: Duration = Duration::from_millis(600);
/// And so long where small messages go on: a pool looks at what it keeps every half second.
const BEATEN: Duration = Duration::from_millis(1200);
/// After `trim()` nothing more is expected.
const AFTER_TRIM: Duration = Duration::from_millis(100);
/// Bursts whose median time is that of a warm one.
const WARM: usize = 3;

/// What was resident before the first burst.
#[derive(Clone, Copy)]
pub(super) struct Level {
    pub(super) base: Base,
    /// More than in the base.
    pub(super) ramp: f64,
}

impl Level {
    /// What is resident more than that.
    fn left(self) -> Result<f64, String> {
        Ok(self.base.more()? - self.ramp)
    }
}

/// What the modes are tried with.
pub(super) struct Modes<'a, S: Subject> {
    subject: &'a S,
    buffers: &'a mut [S::Buffer],
    level: Level,
    most: Duration,
}

impl<'a, S: Subject> Modes<'a, S> {
    pub(super) fn new(
        subject: &'a S,
        buffers: &'a mut [S::Buffer],
        level: Level,
        most: Duration,
    ) -> Self {
        Self {
            subject,
            buffers,
            level,
            most,
        }
    }

    /// Tries all, and tells. `trimmer` has been running until now.
    pub(super) fn tell(
        mut self,
        found: &mut Found,
        trimmer: Option<Trimmer>,
    ) -> Result<(), String> {
        let first = self.timed();
        let told = trimmer.is_some();
        drop(trimmer);
        let mut warm = [(); WARM].map(|()| self.timed());
        warm.sort_unstable();
        let warm = warm[WARM / 2].as_secs_f64();
        found.seconds("warm burst", Some(warm));
        found.times("re-warming", first.as_secs_f64() / warm);
        if told {
            self.alone(found)?;
            self.trimmed(found)?;
        }
        self.heartbeat(found)?;
        self.other_thread(found)
    }

    /// How long a burst takes.
    fn timed(&mut self) -> Duration {
        let start = Instant::now();
        let done = burst(self.buffers, |window, _| {
            window.iter_mut().for_each(Passing::drain);
            Ok::<_, std::convert::Infallible>(())
        });
        let Ok(()) = done;
        start.elapsed()
    }

    /// A burst, from a trimmed state, drained here. Returns what it took.
    fn taken(&mut self) -> Result<f64, String> {
        self.subject.trim();
        taken(self.buffers, self.level, |window| {
            window.iter_mut().for_each(Passing::drain);
            Ok(())
        })
    }

    /// Watches for what is left of `taken`, and tells.
    fn watch(
        &self,
        found: &mut Found,
        mode: &str,
        taken: f64,
        most: Duration,
    ) -> Result<(), String> {
        let mut series = Vec::with_capacity(looks(most));
        every(STEP, most.min(self.most), |at| {
            let left = self.level.left()?;
            series.push((at.as_secs_f64(), left));
            Ok(left > taken * 0.1)
        })?;
        times(found, mode, taken, &series);
        Ok(())
    }

    fn alone(&mut self, found: &mut Found) -> Result<(), String> {
        let taken = self.taken()?;
        self.watch(found, "alone", taken, ALONE)
    }

    fn trimmed(&mut self, found: &mut Found) -> Result<(), String> {
        let taken = self.taken()?;
        let start = Instant::now();
        self.subject.trim();
        let took = start.elapsed();
        let mut series = Vec::with_capacity(looks(AFTER_TRIM));
        every(STEP, AFTER_TRIM, |_| {
            let at = start.elapsed().as_secs_f64();
            series.push((at, self.level.left()?));
            Ok(true)
        })?;
        // It has gone when the call is over, whenever somebody looks.
        if let Some(first) = series.first_mut() {
            first.0 = took.as_secs_f64();
        }
        times(found, "trim()", taken, &series);
        found.seconds("trim() took", Some(took.as_secs_f64()));
        Ok(())
    }

    fn heartbeat(&mut self, found: &mut Found) -> Result<(), String> {
        let taken = self.taken()?;
        let most = BEATEN.min(self.most);
        let mut series = Vec::with_capacity(looks(most));
        let mut next = Duration::ZERO;
        every(BEAT, most, |at| {
            for buffer in self.buffers.iter_mut().take(BEATING) {
                buffer.pass(SMALL);
            }
            if at < next {
                return Ok(true);
            }
            next = at + STEP;
            let left = self.level.left()?;
            series.push((at.as_secs_f64(), left));
            Ok(left > taken * 0.1)
        })?;
        times(found, "heartbeat", taken, &series);
        Ok(())
    }

    fn other_thread(&mut self, found: &mut Found) -> Result<(), String> {
        let trimmer = self.subject.trimmer()?;
        self.subject.trim();
        let (subject, level) = (self.subject, self.level);
        let most = match trimmer {
            Some(_) => self.most,
            None => self.most.min(ALONE),
        };
        thread::scope(|scope| {
            let (go, arrived) = channel::<&mut [S::Buffer]>();
            let (told, done) = channel();
            scope.spawn(move || {
                // It lives on, idle, until all has been weighed.
                for window in arrived {
                    window.iter_mut().for_each(Passing::drain);
                    told.send(()).ok();
                }
            });
            let gone = "the other thread is gone";
            let taken = taken(self.buffers, level, |window| {
                go.send(window).map_err(|_| gone)?;
                Ok(done.recv().map_err(|_| gone)?)
            })?;
            // The buffers are lent to the thread.
            let watched = Modes::new(subject, &mut [], level, most);
            watched.watch(found, "other thread", taken, most)
        })
    }
}

/// A burst, each window of it drained by `drain`. Returns what it took.
fn taken<'b, B: Passing>(
    buffers: &'b mut [B],
    level: Level,
    mut drain: impl FnMut(&'b mut [B]) -> Result<(), String>,
) -> Result<f64, String> {
    let mut taken = 0.0;
    burst(buffers, |window, last| {
        if last {
            taken = level.left()?;
        }
        drain(window)
    })?;
    Ok(taken)
}
