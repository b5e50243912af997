//! Medians and quartiles.

/// A median and the quartiles around it.
///
/// ```
/// let spread = linkbuf_bench::report::Spread::of(&[5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
/// assert_eq!((spread.low, spread.median, spread.high), (2.0, 3.0, 4.0));
/// assert_eq!(linkbuf_bench::report::Spread::of(&[]), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The first quartile.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The third quartile.
    pub high: f64,
}

impl Spread {
    /// Of some values, in any order. `None` of none.
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

    /// Of the quotients of `values` and `others`, pair by pair.
    ///
    /// ```
    /// use linkbuf_bench::report::Spread;
    /// let ratio = Spread::of_ratios(&[2.0, 20.0], &[1.0, 10.0]).unwrap();
    /// assert_eq!((ratio.low, ratio.high), (2.0, 2.0));
    /// ```
    pub fn of_ratios(values: &[f64], others: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = values.iter().zip(others).map(|(v, o)| v / o).collect();
        Self::of(&ratios)
    }

    /// Half the distance of the quartiles, as a part of the median.
    pub fn relative(&self) -> f64 {
        (self.high - self.low) / 2.0 / self.median
    }
}
