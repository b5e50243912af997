//! What is resident, minus what was: now, and over time.

use std::thread;
use std::time::{Duration, Instant};

use super::{Found, Unit};
use crate::resident::Resident;

/// Between two looks at a silent program. Each look walks the process's page tables.
const STEP: Duration = Duration::from_millis(50);
/// A silent program is watched at least so long.
const AT_LEAST: Duration = Duration::from_millis(2000);
/// The part of what was taken that counts as gone.
const REST: f64 = 0.05;

/// What was resident when the process was ready to begin.
#[derive(Clone, Copy)]
pub(super) struct Base(u64);

impl Base {
    pub(super) fn now() -> Result<Self, String> {
        now().map(Self)
    }

    /// Bytes that came since; negative if more went.
    pub(super) fn more(self) -> Result<f64, String> {
        let resident = now()?;
        let more = resident.saturating_sub(self.0);
        let less = self.0.saturating_sub(resident);
        Ok(bytes(more) - bytes(less))
    }

    /// Watches for what is resident of `taken` bytes, without a word to anyone: every 50 ms, until nearly nothing is
    /// left and two seconds have passed, or for `most`.
    pub(super) fn watch(self, taken: f64, most: Duration) -> Result<Vec<(f64, f64)>, String> {
        let steps = most.as_millis() / STEP.as_millis() + 2;
        // Taken now: a silent program doesn't call its allocator.
        let mut series = Vec::with_capacity(usize::try_from(steps).unwrap_or(0));
        let start = Instant::now();
        for step in 0.. {
            thread::sleep((STEP * step).saturating_sub(start.elapsed()));
            let at = start.elapsed();
            let left = self.more()?;
            series.push((at.as_secs_f64(), left));
            if at >= most || at >= AT_LEAST && left <= REST * taken {
                break;
            }
        }
        Ok(series)
    }
}

fn now() -> Result<u64, String> {
    let resident = Resident::now();
    resident
        .map(|resident| resident.adjusted())
        .map_err(|e| format!("what is resident can't be told here: {e}"))
}

/// Bytes as a figure.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
pub(super) fn bytes(n: u64) -> f64 {
    n as f64
}

/// Tells `series` of `taken` bytes: what was left when, and how long it took.
pub(super) fn tell(found: &mut Found, taken: f64, series: Vec<(f64, f64)>) {
    for (name, seconds) in [
        ("at once", 0.0),
        ("0.25 s", 0.25),
        ("0.5 s", 0.5),
        ("1 s", 1.0),
        ("2 s", 2.0),
    ] {
        // The first look at that time or after it: never better than it was.
        let left = series.iter().find(|(at, _)| *at >= seconds);
        if let Some((_, left)) = left {
            found.add(name, Unit::Percent, left / taken * 100.0);
        }
    }
    for (name, rest) in [("t50", 0.5), ("t90", 0.1), (GONE, REST)] {
        let reached = series.iter().find(|(_, left)| *left <= rest * taken);
        found.add(name, Unit::Seconds, reached.map(|(at, _)| *at));
    }
    found.series = series;
}

/// The figure that silent programs are held to.
pub(super) const GONE: &str = "t95";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_first_look_that_found_it() {
        let mut found = Found::default();
        let series = vec![(0.0, 100.0), (0.3, 50.0), (0.6, 11.0), (0.9, 6.0)];
        tell(&mut found, 100.0, series);
        let value = |name| found.get(name).map(|figure| figure.value);
        assert_eq!(value("at once"), Some(Some(100.0)));
        assert_eq!(value("0.25 s"), Some(Some(50.0)));
        assert_eq!(value("0.5 s"), Some(Some(11.0)));
        assert_eq!(value("1 s"), None, "it wasn't watched for so long");
        assert_eq!(value("t50"), Some(Some(0.3)));
        assert_eq!(value("t90"), Some(Some(0.9)));
        assert_eq!(value(GONE), Some(None), "never");
    }
}
