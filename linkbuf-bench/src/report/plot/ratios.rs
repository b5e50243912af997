//! Time beside the base's: all scenarios at a glance, and each with all who took part.

use super::Plot;
use super::rows::{Chart, Mark, Row, Shown};
use super::scale::{Axis, ratio};
use crate::report::names;
use crate::results::Timed;
use crate::scenario::Kind;

/// How wide one scenario's plot is.
const WIDE: i32 = 460;
/// How wide the screen has to be for names beside their rows.
const NAMES_BESIDE: i32 = 600;

const FASTER: &str = "× BytesMut's time, or that of what is after ÷; left is faster";

/// A contender's time as a multiple of its base's, and the quartiles; 1 for the base itself.
fn to_base(timed: &Timed) -> Option<(f64, Option<(f64, f64)>)> {
    match timed.to_base {
        Some(r) => Some((r.median, Some((r.low, r.high)))),
        None => (timed.contender == timed.base).then_some((1.0, None)),
    }
}

fn mark(timed: &Timed, strong: bool) -> Option<Mark> {
    let (at, range) = to_base(timed)?;
    Some(Mark {
        kind: timed.kind,
        strong,
        at,
        range,
    })
}

/// A row per scenario: linkbuf as it is by default, and around it everyone else.
///
/// `None` if none of `scenarios`, each all who took part in it, has a ratio.
pub(crate) fn overview(name: &str, title: &str, scenarios: &[&[Timed]], wide: i32) -> Option<Plot> {
    let mut rows = Vec::new();
    let mut said = Vec::new();
    for scenario in scenarios {
        let default = names::default_of(scenario);
        let main = |timed: &Timed| default.is_some_and(|d| d.contender == timed.contender);
        // Whiskers are the default's alone: with all of them a row could not be read.
        let marks = scenario.iter().filter_map(|timed| {
            let mark = mark(timed, main(timed))?;
            let range = mark.range.filter(|_| mark.strong);
            Some(Mark { range, ..mark })
        });
        let marks: Vec<_> = marks.collect();
        let Some(first) = scenario.first().filter(|_| marks.len() > 1) else {
            continue;
        };
        let value = default
            .and_then(to_base)
            .map_or_else(String::new, |(at, _)| format!("{}×", ratio(at)));
        if !value.is_empty() {
            said.push(format!("{} {value}", first.scenario));
        }
        rows.push(Row {
            name: match first.base.starts_with("bytes_mut") {
                true => first.scenario.clone(),
                false => format!("{} ÷ {}", first.scenario, first.base),
            },
            note: first.title.clone(),
            strong: true,
            shown: Shown::Dots(marks),
            value,
        });
    }
    if rows.is_empty() {
        return None;
    }
    let values = scenarios
        .iter()
        .flat_map(|s| s.iter())
        .filter(|t| t.kind != Kind::Floor);
    let values: Vec<f64> = values.filter_map(to_base).map(|(at, _)| at).collect();
    let chart = Chart {
        title: title.to_owned(),
        legend: vec![
            (Kind::Linkbuf, true, "linkbuf by default, with quartiles"),
            (Kind::Linkbuf, false, "linkbuf otherwise"),
            (Kind::Peer, false, "what you would use instead"),
            (Kind::Floor, false, "a floor: less than all the work"),
        ],
        rows,
        axis: Axis::of_ratios(values.into_iter(), FASTER.to_owned()),
        names_above: wide < NAMES_BESIDE,
    };
    let desc = format!(
        "Time of linkbuf with default settings as a multiple of the base's time; below 1 linkbuf is faster. {}.",
        said.join(", ")
    );
    let size = (wide, chart.height(wide));
    Some(Plot::new(name, title, desc, size, |area| chart.draw(area)))
}

/// All who took part in one scenario, in the order of their times.
///
/// `None` if nobody has a ratio.
pub(crate) fn of_scenario(scenario: &[Timed]) -> Option<Plot> {
    let first = scenario.first()?;
    let default = names::default_of(scenario);
    let mut all: Vec<_> = scenario
        .iter()
        .filter_map(|t| Some((to_base(t)?.0, t)))
        .collect();
    if all.len() < 2 {
        return None;
    }
    all.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let axis = Axis::of_ratios(
        all.iter().map(|(at, _)| *at),
        format!("time, as a multiple of {}'s", first.base),
    );
    let row = |(at, timed): &(f64, &Timed)| {
        let strong = default.is_some_and(|d| d.contender == timed.contender);
        Row {
            name: timed.contender.clone(),
            note: String::new(),
            strong,
            shown: Shown::Dots(mark(timed, true).into_iter().collect()),
            value: format!("{}×", ratio(*at)),
        }
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let said: Vec<_> = rows
        .iter()
        .map(|row| format!("{} {}", row.name, row.value))
        .collect();
    let chart = Chart {
        title: format!("{}: {}", first.scenario, first.title),
        legend: Vec::new(),
        rows,
        axis,
        names_above: false,
    };
    let desc = format!(
        "Time as a multiple of {}'s. {}.",
        first.base,
        said.join(", ")
    );
    let size = (WIDE, chart.height(WIDE));
    let name = format!("time-{}", first.scenario);
    Some(Plot::new(&name, &chart.title, desc, size, |area| {
        chart.draw(area)
    }))
}
