//! Numbers along an axis and beside a mark: where the ticks are, and how values are told.

/// A logarithmic axis.
pub(super) struct Axis {
    /// Its least value. Nothing is drawn left of it.
    pub(super) from: f64,
    /// Its largest.
    pub(super) to: f64,
    /// Where it is labelled.
    pub(super) ticks: Vec<f64>,
    /// How a tick is told.
    pub(super) show: fn(f64) -> String,
    /// What it counts.
    pub(super) title: String,
    /// A value that others are seen beside.
    pub(super) line: Option<f64>,
}

impl Axis {
    /// Multiples, around 1. What lies beyond a hundredth and a hundredfold is at the edge.
    pub(super) fn of_ratios(values: impl Iterator<Item = f64>, title: String) -> Self {
        let all = [
            0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0,
        ];
        Self::over(
            values.chain([0.7, 1.4]),
            &all,
            |v| format!("{v}×"),
            title,
            Some(1.0),
        )
    }

    /// Bytes, from a few on.
    pub(super) fn of_bytes(values: impl Iterator<Item = f64>, title: String) -> Self {
        let all: Vec<f64> = (1..=10).map(|n| f64::powi(16.0, n)).collect();
        let values = values.chain([16.0, 4096.0]);
        let mut axis = Self::over(values, &all, bytes, title, None);
        axis.from = 16.0;
        axis
    }

    /// Seconds, from milliseconds on.
    pub(super) fn of_seconds(values: impl Iterator<Item = f64>, title: String) -> Self {
        let all = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0];
        Self::over(values.chain([0.1, 1.0]), &all, seconds, title, None)
    }

    /// From below the least value to above the largest, ticked at those of `all` that lie between.
    fn over(
        values: impl Iterator<Item = f64>,
        all: &[f64],
        show: fn(f64) -> String,
        title: String,
        line: Option<f64>,
    ) -> Self {
        let (lowest, highest) = (all[0], all[all.len() - 1] * 2.0);
        let inside = values
            .filter(|v| v.is_finite())
            .map(|v| v.clamp(lowest, highest));
        let (least, most) = inside.fold((highest, lowest), |(least, most), v| {
            (least.min(v), most.max(v))
        });
        let (from, to) = ((least / 1.15).max(lowest), most * 1.15);
        Self {
            from,
            to,
            ticks: all
                .iter()
                .copied()
                .filter(|t| (from..=to).contains(t))
                .collect(),
            show,
            title,
            line,
        }
    }

    /// The nearest value that can be drawn.
    pub(super) fn clamp(&self, value: f64) -> f64 {
        if value.is_nan() {
            self.from
        } else {
            value.clamp(self.from, self.to)
        }
    }
}

/// A multiple: three digits at most.
pub(crate) fn ratio(value: f64) -> String {
    match value {
        v if v >= 100.0 => format!("{v:.0}"),
        v if v >= 10.0 => format!("{v:.1}"),
        v => format!("{v:.2}"),
    }
}

/// Bytes, in the binary unit that fits.
pub(crate) fn bytes(value: f64) -> String {
    let mut left = value;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if left.abs() < 1024.0 {
            let whole = unit == "B" || left.abs() >= 100.0 || left.fract() == 0.0;
            return format!("{left:.*} {unit}", usize::from(!whole));
        }
        left /= 1024.0;
    }
    format!("{left:.1} TiB")
}

/// Seconds, or milliseconds where they are few: none below one, looks are further apart.
pub(super) fn seconds(value: f64) -> String {
    match value {
        v if v < 0.001 => "< 1 ms".to_owned(),
        v if v < 1.0 => format!("{:.0} ms", v * 1000.0),
        v if v < 10.0 && v.fract() != 0.0 => format!("{v:.2} s"),
        v => format!("{v:.0} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_in_the_unit_that_fits() {
        assert_eq!([0.0, 256.0, 1536.0].map(bytes), ["0 B", "256 B", "1.5 KiB"]);
        assert_eq!([1048576.0, 1e12].map(bytes), ["1 MiB", "931 GiB"]);
        assert_eq!(
            [0.0004, 0.25, 1.5, 20.0].map(seconds),
            ["< 1 ms", "250 ms", "1.50 s", "20 s"]
        );
        assert_eq!(
            [0.826, 12.34, 54617.9].map(ratio),
            ["0.83", "12.3", "54618"]
        );
    }

    #[test]
    fn an_axis_holds_its_values_but_no_absurd_ones() {
        let axis = Axis::of_ratios([0.3, 7.0, 54617.9].into_iter(), String::new());
        assert!(axis.from < 0.3 && axis.to > 7.0 && axis.to < 200.0);
        assert_eq!(axis.clamp(54617.9), axis.to);
        assert!(axis.ticks.contains(&1.0));
        let none = Axis::of_bytes(std::iter::empty(), String::new());
        assert!(none.from < none.to);
    }
}
