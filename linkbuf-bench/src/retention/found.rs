//! What one run found, as it is put together.

use serde::{Deserialize, Serialize};

use crate::results::{Figure, Series};

/// What a run found: the part of a [`Kept`](crate::results::Kept) that its process knows.
///
/// ```
/// use linkbuf_bench::retention::Found;
/// let mut found = Found::default();
/// found.bytes("resident", 4096.0);
/// found.seconds("t90", None);
/// assert_eq!(found.get("resident").unwrap().value, Some(4096.0));
/// assert_eq!(found.get("t90").unwrap().to_string(), "never");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The figures, in the order of the table's columns.
    pub figures: Vec<Figure>,
    /// Values over time.
    pub series: Vec<Series>,
    /// When the parts of the run began: seconds, and their names.
    pub marks: Vec<(f64, String)>,
}

impl Found {
    fn add(&mut self, name: &str, value: Option<f64>, unit: &str) {
        self.figures.push(Figure {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
        });
    }

    /// Adds bytes of the whole process.
    pub fn bytes(&mut self, name: &str, value: f64) {
        self.add(name, Some(value), "B");
    }

    /// Adds bytes of one buffer.
    pub fn each(&mut self, name: &str, value: f64) {
        self.add(name, Some(value), "B/buffer");
    }

    /// Adds a time; `None`: it did not happen while it was watched for.
    pub fn seconds(&mut self, name: &str, value: Option<f64>) {
        self.add(name, value, "s");
    }

    /// Adds a part, of 1.
    pub fn part(&mut self, name: &str, value: f64) {
        self.add(name, Some(value * 100.0), "%");
    }

    /// Adds a multiple.
    pub fn times(&mut self, name: &str, value: f64) {
        self.add(name, Some(value), "×");
    }

    /// Adds a number.
    pub fn count(&mut self, name: &str, value: f64) {
        self.add(name, Some(value), "");
    }

    /// The figure of that name.
    pub fn get(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// Adds values over time.
    pub(super) fn over_time(&mut self, name: &str, points: Vec<(f64, f64)>) {
        self.series.push(Series {
            name: name.to_owned(),
            unit: "B".to_owned(),
            points,
        });
    }
}

/// What became of a run, as its process says.
///
/// ```
/// use linkbuf_bench::retention::Outcome;
/// let skipped = Outcome::Skipped("no pages".into());
/// assert_eq!(serde_json::to_string(&skipped).unwrap(), r#"{"skipped":"no pages"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It found something.
    Found(Found),
    /// This machine doesn't have what it takes.
    Skipped(String),
    /// It went wrong.
    Failed(String),
}
