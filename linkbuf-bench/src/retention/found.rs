//! What one run of one phase found, and how it goes from process to process.

use serde_json::{Value, json};

/// What a figure counts.
///
/// ```
/// use linkbuf_bench::retention::Unit;
/// assert_eq!(Unit::Bytes.show(3.0 * 1024.0 * 1024.0), "3.00 MiB");
/// assert_eq!(Unit::Seconds.show(0.25), "0.25 s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, told in the unit that fits.
    Bytes,
    /// Bytes of one buffer, told one by one.
    EachBytes,
    /// Seconds.
    Seconds,
    /// Hundredths of what was taken.
    Percent,
    /// A multiple.
    Times,
    /// How many.
    Count,
}

impl Unit {
    const ALL: [Self; 6] = [
        Self::Bytes,
        Self::EachBytes,
        Self::Seconds,
        Self::Percent,
        Self::Times,
        Self::Count,
    ];

    /// Its name, for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "B",
            Self::EachBytes => "B/buffer",
            Self::Seconds => "s",
            Self::Percent => "%",
            Self::Times => "×",
            Self::Count => "",
        }
    }

    /// A value of it, for people.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Bytes if value.abs() >= 1e9 => format!("{:.3} GiB", value / f64::from(1 << 30)),
            Self::Bytes if value.abs() >= 1e5 => format!("{:.2} MiB", value / f64::from(1 << 20)),
            Self::Bytes => format!("{:.1} KiB", value / 1024.0),
            Self::EachBytes => format!("{value:.0} B"),
            Self::Seconds if value.abs() < 0.1 => format!("{:.1} ms", value * 1000.0),
            Self::Seconds => format!("{value:.2} s"),
            Self::Percent => format!("{value:.2} %"),
            Self::Times => format!("{value:.2} ×"),
            Self::Count => format!("{value:.0}"),
        }
    }
}

/// One figure.
///
/// ```
/// use linkbuf_bench::retention::{Figure, Unit};
/// let never = Figure { name: "to 5 %".into(), value: None, unit: Unit::Seconds };
/// assert_eq!(never.to_string(), "never");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// How much; `None` of a time: it did not happen while it was watched for.
    pub value: Option<f64>,
    /// Of what.
    pub unit: Unit,
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.value {
            Some(value) => f.write_str(&self.unit.show(value)),
            None => f.write_str("never"),
        }
    }
}

/// All figures of one run, in the order of the table's columns.
///
/// ```
/// use linkbuf_bench::retention::{Found, Unit};
/// let mut found = Found::default();
/// found.add("resident", Unit::Bytes, 4096.0);
/// assert_eq!(found.get("resident").unwrap().value, Some(4096.0));
/// assert_eq!(Found::from_json(&found.to_json()), Ok(found));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The figures.
    pub figures: Vec<Figure>,
    /// Seconds since the last block went back, and bytes that were resident then.
    pub series: Vec<(f64, f64)>,
}

impl Found {
    /// Adds a figure.
    pub fn add(&mut self, name: &str, unit: Unit, value: impl Into<Option<f64>>) {
        self.figures.push(Figure {
            name: name.into(),
            value: value.into(),
            unit,
        });
    }

    /// The figure of that name.
    pub fn get(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// As JSON: `figures`, each a name, a value and a unit, and `series`.
    pub fn to_json(&self) -> Value {
        let figure =
            |f: &Figure| json!({ "name": f.name, "value": f.value, "unit": f.unit.name() });
        let figures: Vec<_> = self.figures.iter().map(figure).collect();
        json!({ "figures": figures, "series": self.series })
    }

    /// Reads what [`to_json`](Self::to_json) made.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        let figure = |value: &Value| {
            let unit = value["unit"].as_str()?;
            Some(Figure {
                name: value["name"].as_str()?.to_owned(),
                value: value["value"].as_f64(),
                unit: Unit::ALL.into_iter().find(|u| u.name() == unit)?,
            })
        };
        let point = |value: &Value| Some((value[0].as_f64()?, value[1].as_f64()?));
        let all = |name: &str| value[name].as_array();
        let read = || {
            Some(Self {
                figures: all("figures")?.iter().map(figure).collect::<Option<_>>()?,
                series: all("series")?.iter().map(point).collect::<Option<_>>()?,
            })
        };
        read().ok_or_else(|| format!("not a run's figures: {value}"))
    }
}
