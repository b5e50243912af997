//! What an idle buffer keeps, and when memory has gone back.

use super::Plot;
use super::rows::{Chart, Mark, Row, Shown};
use super::scale::{Axis, bytes, seconds};
use crate::report::names;
use crate::results::{Figure, Kept};

const WIDE: i32 = 460;

fn chart(name: &str, about: &str, what: &str, chart: &Chart) -> Plot {
    let said: Vec<_> = chart
        .rows
        .iter()
        .map(|row| format!("{} {}", row.name, row.value))
        .collect();
    let desc = format!("{about}. {what}. {}.", said.join(", "));
    let size = (WIDE, chart.height(WIDE));
    Plot::new(name, &chart.title, desc, size, |area| chart.draw(area))
}

/// Bytes that an idle buffer keeps, as bars, the least first: of one scenario, all its subjects.
///
/// `None` if fewer than two told.
pub(crate) fn idle(scenario: &[Kept]) -> Option<Plot> {
    let first = scenario.first()?;
    let found = scenario.iter().filter_map(|kept| {
        let value = names::idle(kept)?.value?;
        Some((value.max(0.0), kept))
    });
    let mut found: Vec<_> = found.collect();
    if found.len() < 2 {
        return None;
    }
    found.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let what = names::idle(found[0].1).map_or("", |figure| &figure.name);
    let rows = found.iter().map(|(value, kept)| Row {
        name: kept.subject.clone(),
        note: String::new(),
        strong: names::is_default(&kept.subject),
        shown: Shown::Bar(kept.kind, *value),
        value: bytes(value.round()),
    });
    let of_kind = Chart {
        title: format!("{}: {what}", first.scenario),
        legend: Vec::new(),
        rows: rows.collect(),
        axis: Axis::of_bytes(
            found.iter().map(|(value, _)| *value),
            "bytes per buffer, each mark sixteenfold".into(),
        ),
        names_above: false,
    };
    Some(chart(
        &format!("idle-{}", first.scenario),
        &first.title,
        what,
        &of_kind,
    ))
}

/// When 90 % of the memory had gone back, with a whisker from 50 % on: of one scenario, all its subjects that
/// have the figures whose names these are.
///
/// `None` if nobody told.
pub(crate) fn returned(scenario: &[Kept], mode: &names::Mode) -> Option<Plot> {
    let first = scenario.first()?;
    let figure = |kept: &Kept| kept.figure(&mode.t90).cloned();
    let mut found: Vec<(&Kept, Figure)> = scenario
        .iter()
        .filter_map(|kept| Some((kept, figure(kept)?)))
        .collect();
    if found.is_empty() {
        return None;
    }
    let at = |figure: &Figure| figure.value.map_or(f64::INFINITY, |t| t.max(0.001));
    found.sort_by(|(_, a), (_, b)| at(a).total_cmp(&at(b)));
    let other = |kept: &Kept, name: &str| {
        let figure = kept.figure(name)?;
        Some(figure.value.map_or(f64::INFINITY, |t| t.max(0.001)))
    };
    let rows = found.iter().map(|(kept, t90)| {
        let half = other(kept, &mode.t50);
        Row {
            name: kept.subject.clone(),
            note: String::new(),
            strong: names::is_default(&kept.subject),
            shown: Shown::Dots(vec![Mark {
                kind: kept.kind,
                strong: true,
                at: at(t90),
                range: half.map(|half| (half, at(t90))),
            }]),
            value: t90.value.map_or_else(|| "never".into(), seconds),
        }
    });
    let what = format!("time until 90 % is back{}", mode.said);
    let of_mode = Chart {
        title: format!("{}: {what}", first.scenario),
        legend: Vec::new(),
        rows: rows.collect(),
        axis: Axis::of_seconds(
            found.iter().filter_map(|(_, t90)| t90.value),
            "since the drain; whiskers begin where 50 % is back".into(),
        ),
        names_above: false,
    };
    let name = format!("return-{}{}", first.scenario, mode.said);
    Some(chart(&name, &first.title, &what, &of_mode))
}
