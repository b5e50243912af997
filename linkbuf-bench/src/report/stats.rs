//! Medians and quartiles, and the quotients of two contenders' times.

use crate::results::{Quartiles, Timed};

impl Quartiles {
    /// Of some values, in any order. `None` of none.
    ///
    /// ```
    /// use linkbuf_bench::results::Quartiles;
    /// let spread = Quartiles::of(&[5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
    /// assert_eq!((spread.low, spread.median, spread.high), (2.0, 3.0, 4.0));
    /// assert_eq!(Quartiles::of(&[]), None);
    /// ```
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        // Between two values, in proportion.
        let at = |quarters: usize| {
            let (whole, rest) = (last * quarters / 4, last * quarters % 4);
            let next = sorted[(whole + 1).min(last)];
            #[expect(clippy::cast_precision_loss, reason = "0 to 3")]
            let rest = rest as f64;
            sorted[whole] + (next - sorted[whole]) * rest / 4.0
        };
        Some(Self {
            low: at(1),
            median: at(2),
            high: at(3),
        })
    }

    /// Half the distance of the quartiles, as a part of the median.
    pub fn relative(&self) -> f64 {
        (self.high - self.low) / 2.0 / self.median
    }
}

impl Timed {
    /// Nanoseconds of an operation in that round, if it took part in it.
    pub fn in_round(&self, round: usize) -> Option<f64> {
        let at = self.rounds.iter().position(|r| *r == round)?;
        self.nanos.get(at).copied()
    }

    /// Its time as a multiple of `other`'s, of each round that both have.
    ///
    /// ```
    /// # let timed = |nanos: &[f64], rounds: &[usize]| linkbuf_bench::results::Timed {
    /// #     scenario: "W1".into(), title: String::new(), contender: "memcpy".into(),
    /// #     kind: linkbuf_bench::scenario::Kind::Floor, value: 0.0, unit: String::new(), shown: String::new(),
    /// #     spread: 0.0, nanos: nanos.to_vec(), rounds: rounds.to_vec(), base: String::new(), to_base: None,
    /// #     allocs: Vec::new(), bars: Vec::new(),
    /// # };
    /// let (one, other) = (timed(&[2.0, 20.0, 7.0], &[0, 1, 2]), timed(&[1.0, 10.0], &[0, 1]));
    /// assert_eq!(one.ratios(&other), [2.0, 2.0]);
    /// ```
    pub fn ratios(&self, other: &Self) -> Vec<f64> {
        let own = self.rounds.iter().zip(&self.nanos);
        own.filter_map(|(round, nanos)| Some(nanos / other.in_round(*round)?))
            .collect()
    }
}
