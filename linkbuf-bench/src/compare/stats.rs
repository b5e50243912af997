//! Whether two samples differ by more than noise and drift explain.
//!
//! The test is Yuen's: Welch's t test of trimmed means. A fifth of the values is left out at either end, so that the
//! rounds in which the machine was busy with something else don't decide. Of few values it isn't known how far they
//! spread: there the spread that is common in the run counts, too ([`steady`]).

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::results::Quartiles;

/// Two runs of the same program may differ by so much for reasons that all their rounds share: what else the machine
/// did meanwhile, and where the system put the program. In logarithms, near enough 3 %.
const BETWEEN_RUNS: f64 = 0.03;
/// The least standard error that is believed, in logarithms.
const LEAST_ERROR: f64 = 0.002;
/// Of all comparisons of two runs together, so many may be wrong by chance.
const WRONG: f64 = 0.01;

/// A trimmed mean, and how well it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    /// The mean.
    pub(super) value: f64,
    /// Its squared standard error.
    error: f64,
    /// How many values its error is of, less one.
    freedom: f64,
    /// How many values there were.
    values: f64,
}

impl Mean {
    /// Of so many values at least it can be said how well it is known.
    pub(super) const LEAST: usize = 3;

    /// Of some values; `None` of fewer than [`LEAST`](Self::LEAST).
    #[expect(clippy::cast_precision_loss, reason = "some hundreds at most")]
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        if n < Self::LEAST {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let cut = n / 5;
        let kept = n - 2 * cut;
        let value = sorted[cut..n - cut].iter().sum::<f64>() / kept as f64;
        // What is cut counts as the last that isn't: the error is of all values.
        let (low, high) = (sorted[cut], sorted[n - cut - 1]);
        let pulled = sorted.iter().map(|value| value.clamp(low, high));
        let middle = pulled.clone().sum::<f64>() / n as f64;
        let squares: f64 = pulled.map(|value| (value - middle).powi(2)).sum();
        let error = squares / (kept * (kept - 1)) as f64;
        Some(Self {
            value,
            error: error.max(LEAST_ERROR.powi(2)),
            freedom: (kept - 1) as f64,
            values: n as f64,
        })
    }
}

/// What is common in a run counts as much as so many values more.
const COMMON: f64 = 6.0;
/// Squared errors that are so many times the common one are no accident: they stay.
const UNCOMMON: f64 = 3.0;
/// Squared errors that are less than this part of the common one are an accident.
const LUCKY: f64 = 0.7;

/// Draws the errors of a run's means towards what is common among them: some have happened to meet a quiet machine,
/// and some one disturbance.
pub(super) fn steady(means: &mut [Mean]) {
    // Of one value, so that means of many and of few can be put side by side.
    let each: Vec<_> = means.iter().map(|mean| mean.error * mean.values).collect();
    let Some(common) = Quartiles::of(&each) else {
        return;
    };
    for mean in means {
        let common = common.median / mean.values;
        if mean.error <= UNCOMMON * common {
            let freedom = mean.freedom + COMMON;
            let drawn = (mean.freedom * mean.error + COMMON * common) / freedom;
            mean.error = drawn.max(LUCKY * common);
            mean.freedom = freedom;
        }
    }
}

/// How likely a difference like this one or a larger is, if only noise and drift made it.
pub(super) fn chance(a: Mean, b: Mean) -> f64 {
    let error = a.error + b.error;
    let freedom = error.powi(2) / (a.error.powi(2) / a.freedom + b.error.powi(2) / b.freedom);
    let beyond = (b.value - a.value).abs() - BETWEEN_RUNS;
    match StudentsT::new(0.0, 1.0, freedom) {
        // Either way round.
        Ok(t) => (2.0 * t.sf(beyond / error.sqrt())).min(1.0),
        Err(_) => 1.0,
    }
}

/// Which of several differences are real, by their chances: Holm's rule, because among many one is always unlikely.
pub(super) fn real(chances: &[f64]) -> Vec<bool> {
    let mut order: Vec<_> = (0..chances.len()).collect();
    order.sort_by(|&a, &b| chances[a].total_cmp(&chances[b]));
    let mut real = vec![false; chances.len()];
    for (done, &n) in order.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "some hundreds at most")]
        let left = (chances.len() - done) as f64;
        if chances[n] * left > WRONG {
            break;
        }
        real[n] = true;
    }
    real
}

#[cfg(test)]
mod tests {
    use super::{Mean, chance, real, steady};

    #[test]
    fn a_fifth_at_either_end_does_not_count() {
        let mean = Mean::of(&[-1e6, 1.0, 2.0, 3.0, 1e6]).unwrap();
        assert_eq!(mean.value, 2.0);
        // Pulled in they are 1, 1, 2, 3, 3: squares of 4, over 3 × 2.
        assert!((mean.error - 4.0 / 6.0).abs() < 1e-12);
        assert!(Mean::of(&[1.0, 2.0]).is_none());
    }

    #[test]
    fn chances_agree_with_tables() {
        // Welch of two samples of three, beyond what two runs may differ by: t = 2.776 at 4 degrees is 5 %.
        let step = |middle: f64| [middle - 1.0, middle, middle + 1.0];
        let far = 2.776 * (2.0_f64 / 3.0).sqrt() + super::BETWEEN_RUNS;
        let (a, b) = (Mean::of(&step(0.0)).unwrap(), Mean::of(&step(far)).unwrap());
        assert!((chance(a, b) - 0.05).abs() < 1e-3, "{}", chance(a, b));
    }

    #[test]
    fn accidents_are_drawn_in_and_what_is_noisy_stays_so() {
        let of = |spread: f64| Mean::of(&[0.0, spread, -spread, 0.0, spread]).unwrap();
        let mut means = [of(0.02), of(1.0), of(1.0), of(1.1), of(9.0)];
        let before = means;
        steady(&mut means);
        assert!(means[0].error > 0.69 * before[2].error);
        assert!(means[3].error < before[3].error && means[3].freedom > before[3].freedom);
        assert_eq!(means[4].error, before[4].error);
    }

    #[test]
    fn the_more_are_compared_the_less_is_believed() {
        assert_eq!(real(&[0.006, 0.9]), [false, false]);
        assert_eq!(real(&[0.9, 0.004]), [false, true]);
        // Once the first is real, one fewer is left.
        assert_eq!(real(&[0.006, 0.004]), [true, true]);
    }
}
