//! What is resident, minus what was: now, and over time.

use std::thread;
use std::time::{Duration, Instant};

use super::Found;
use crate::resident::Resident;

/// Between two looks at a silent program. Each look walks the process's page tables.
pub(super) const STEP: Duration = Duration::from_millis(50);
/// The part of what was taken that counts as gone.
const REST: f64 = 0.05;

/// What was resident when the process was ready to begin.
#[derive(Clone, Copy)]
pub(super) struct Base(u64);

impl Base {
    pub(super) fn now() -> Result<Self, String> {
        Ok(Self(now()?.adjusted()))
    }

    /// Bytes that came since; negative if more went.
    pub(super) fn more(self) -> Result<f64, String> {
        Ok(self.since(now()?))
    }

    /// The same of what was just looked at.
    pub(super) fn since(self, resident: Resident) -> f64 {
        bytes(resident.adjusted()) - bytes(self.0)
    }

    /// Watches for what is resident of `taken` bytes, without a word to anyone: every 50 ms, until nearly nothing is
    /// left, or for `most`. A second at least, if there is so much time.
    pub(super) fn watch(self, taken: f64, most: Duration) -> Result<Vec<(f64, f64)>, String> {
        // Taken now: a silent program doesn't call its allocator.
        let mut series = Vec::with_capacity(looks(most));
        let at_least = most.min(Duration::from_secs(1));
        every(STEP, most, |at| {
            let left = self.more()?;
            series.push((at.as_secs_f64(), left));
            Ok(at < at_least || left > REST * taken)
        })?;
        Ok(series)
    }
}

/// How often one looks in that time, at most.
pub(super) fn looks(most: Duration) -> usize {
    let steps = most.as_millis() / STEP.as_millis() + 2;
    usize::try_from(steps).unwrap_or(0)
}

/// Calls `look` at once and then every so often with the time since, while it returns true, for `most` at most.
pub(super) fn every(
    step: Duration,
    most: Duration,
    mut look: impl FnMut(Duration) -> Result<bool, String>,
) -> Result<(), String> {
    let start = Instant::now();
    for n in 0.. {
        thread::sleep((step * n).saturating_sub(start.elapsed()));
        let at = start.elapsed();
        if !look(at)? || at >= most {
            break;
        }
    }
    Ok(())
}

/// What the system says now.
pub(super) fn now() -> Result<Resident, String> {
    Resident::now().map_err(|e| format!("what is resident can't be told here: {e}"))
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
    ] {
        // The first look at that time or after it: never better than it was.
        let left = series.iter().find(|(at, _)| *at >= seconds);
        if let Some((_, left)) = left {
            found.part(name, left / taken);
        }
    }
    times(found, "", taken, &series);
    found.seconds(GONE, reached(&series, REST * taken));
    found.over_time("resident", series);
}

/// Tells how long it took until half and 90 % of `taken` had gone.
pub(super) fn times(found: &mut Found, mode: &str, taken: f64, series: &[(f64, f64)]) {
    for (name, rest) in [("t50", 0.5), ("t90", 0.1)] {
        let name = format!("{name} {mode}");
        found.seconds(name.trim_end(), reached(series, rest * taken));
    }
}

/// When the first look found so little left.
fn reached(series: &[(f64, f64)], rest: f64) -> Option<f64> {
    let first = series.iter().find(|(_, left)| *left <= rest);
    first.map(|(at, _)| *at)
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

    #[test]
    fn one_looks_at_least_once_and_stops_when_told() {
        let mut looks = 0;
        every(STEP, Duration::ZERO, |_| {
            looks += 1;
            Ok(true)
        })
        .unwrap();
        assert_eq!(looks, 1);
        every(Duration::ZERO, Duration::MAX, |_| {
            looks += 1;
            Ok(looks < 10)
        })
        .unwrap();
        assert_eq!(looks, 10);
    }
}
