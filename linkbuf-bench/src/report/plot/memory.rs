//! Memory over time: a panel per subject, all on one scale.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::Plot;
use super::canvas::{Area, Drawn, bold, fit, px, width, words};
use super::scale::bytes;
use super::theme::Ink;
use crate::results::{Kept, Series};

/// How high a panel is.
const PANEL: i32 = 138;
/// How wide a plot has to be for four panels in a line; it has two if it isn't.
const FOUR_FROM: i32 = 700;
const MARGIN: i32 = 14;
const HEAD: i32 = 56;
/// Room for the values at a panel's left.
const LEFT: i32 = 56;

/// The series that tells what is resident.
fn resident(kept: &Kept) -> Option<&Series> {
    let with = |part: &str| kept.series.iter().find(|s| s.name.contains(part));
    with("resident")
        .or(kept.series.first())
        .filter(|series| series.points.len() > 1)
}

/// The bytes of the messages that are in the buffers.
fn live(kept: &Kept) -> Option<&Series> {
    kept.series.iter().find(|series| series.name == "live")
}

/// How many buffers it was done with.
fn buffers(kept: &Kept) -> Option<f64> {
    kept.figure("buffers")?.value
}

/// At most two points for each of `parts` equal times, the least and the largest, so that no peak is lost.
fn thinned(series: &Series, end: f64, parts: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<_> = series
        .points
        .iter()
        .map(|(at, value)| (*at, value.max(0.0)))
        .collect();
    points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let part = |(at, _): &(f64, f64)| (at / end * parts).floor();
    let parts = points.chunk_by(|a, b| part(a) == part(b));
    let ends = parts.flat_map(|points| {
        let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let ends = [
            points.iter().min_by(by_value),
            points.iter().max_by(by_value),
        ];
        let mut ends: Vec<_> = ends.into_iter().flatten().copied().collect();
        ends.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        ends.dedup();
        ends
    });
    ends.collect()
}

/// The binary unit that values up to `most` are told in: its bytes, and its name.
fn unit(most: f64) -> (f64, &'static str) {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let (power, name) = units
        .into_iter()
        .find(|(power, _)| most >= 4.0 * f64::from(1 << power))
        .unwrap_or((0, "B"));
    (f64::from(1 << power), name)
}

/// What is resident over time in one scenario.
///
/// `None` if nobody told.
pub(crate) fn over_time(name: &str, scenario: &[Kept], wide: i32) -> Option<Plot> {
    let first = scenario.first()?;
    let told = scenario
        .iter()
        .filter_map(|kept| Some((kept, resident(kept)?)));
    let told: Vec<_> = told.collect();
    let unit = told.first()?.1.unit.clone();
    let points = || told.iter().flat_map(|(_, series)| &series.points);
    let most = points().map(|(_, value)| *value).fold(1.0, f64::max);
    let usual = told
        .iter()
        .filter_map(|(kept, _)| buffers(kept))
        .fold(0.0, f64::max);
    let end = points().map(|(at, _)| *at).fold(0.001, f64::max);
    let columns = if wide < FOUR_FROM { 2 } else { 4 };
    let lines = (px(told.len()) + columns - 1) / columns;
    let title = format!("{}: memory over time", first.scenario);
    let said = told.iter().map(|(kept, series)| {
        let peak = series
            .points
            .iter()
            .map(|(_, value)| *value)
            .fold(0.0, f64::max);
        let last = series.points.last().map_or(0.0, |(_, value)| *value);
        let show = |value: f64| {
            if unit.starts_with('B') {
                bytes(value.round())
            } else {
                format!("{value}")
            }
        };
        format!(
            "{} {} at most, {} in the end",
            kept.subject,
            show(peak),
            show(last)
        )
    });
    let desc = format!("{}. {}.", first.title, said.collect::<Vec<_>>().join("; "));
    let size = (wide, HEAD + lines * PANEL + 20);
    Some(Plot::new(name, &title, desc, size, |area| {
        area.draw(&Text::new(
            fit(&title, 15, wide - 2 * MARGIN),
            (MARGIN, 20),
            bold(15, Ink::Text, HPos::Left),
        ))?;
        let mut note = "resident over seconds, all on one scale".to_owned();
        if told.iter().any(|(kept, _)| live(kept).is_some()) {
            note += "; thin: the messages in the buffers";
        }
        if told
            .iter()
            .any(|(kept, _)| buffers(kept).is_some_and(|n| n < usual))
        {
            note += &format!("; n: buffers, if not {usual}");
        }
        let note = fit(&note, 12, wide - 2 * MARGIN);
        area.draw(&Text::new(
            note,
            (MARGIN, 40),
            words(12, Ink::Muted, HPos::Left),
        ))?;
        let inside = area.margin(HEAD, 20, MARGIN, MARGIN);
        let panels = inside.split_evenly((
            lines.unsigned_abs() as usize,
            columns.unsigned_abs() as usize,
        ));
        for (panel, (kept, series)) in panels.iter().zip(&told) {
            // Peers would fill the machine's memory, so some have fewer: not what the panels' scale suggests.
            let fewer = buffers(kept).filter(|n| *n < usual);
            draw(panel, kept, series, (end, most), fewer)?;
        }
        Ok(())
    }))
}

fn draw(
    area: &Area<'_>,
    kept: &Kept,
    series: &Series,
    (end, most): (f64, f64),
    fewer: Option<f64>,
) -> Drawn {
    let ink = Ink::from(kept.kind).colour();
    let wide = px(area.dim_in_pixel().0 as usize);
    let name = match fewer {
        Some(n) => format!("{}, n = {n}", kept.subject),
        None => kept.subject.clone(),
    };
    let name = fit(&name, 12, wide - LEFT);
    area.draw(&Text::new(
        name,
        (LEFT, 10),
        bold(12, Ink::Text, HPos::Left),
    ))?;
    let (unit, unit_name) = unit(most);
    // Room for the phases' names over the highest line.
    let top = most * 1.22 / unit;
    let mut chart = ChartBuilder::on(area)
        .margin_top(20)
        .margin_right(10)
        .x_label_area_size(20)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(0.0..end, 0.0..top)?;
    // Every second phase has a ground of its own.
    let starts = kept.marks.iter().map(|(at, _)| *at);
    let ends = starts.clone().skip(1).chain([end]);
    let phases: Vec<_> = starts
        .zip(ends)
        .zip(kept.marks.iter().map(|(_, name)| name))
        .collect();
    for ((from, to), _) in phases.iter().skip(1).step_by(2) {
        let corners = [(*from, 0.0), (*to, top)];
        chart.draw_series([Rectangle::new(corners, Ink::Band.colour().filled())])?;
    }
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(Ink::Grid.colour())
        .light_line_style(TRANSPARENT)
        .axis_style(Ink::Grid.colour())
        .x_labels(4)
        .y_labels(4)
        .y_label_style(words(10, Ink::Muted, HPos::Right))
        .x_label_style(words(10, Ink::Muted, HPos::Center))
        .x_label_formatter(&|at| format!("{}", (at * 100.0).round() / 100.0))
        .y_label_formatter(&|value| format!("{value} {unit_name}"))
        .draw()?;
    let base = area.get_base_pixel();
    for ((from, to), name) in phases {
        let (left, high) = chart.backend_coord(&(from, top));
        let (right, _) = chart.backend_coord(&(to, 0.0));
        if width(name, 9) + 4 <= right - left {
            let at = (left + 3 - base.0, high + 7 - base.1);
            area.draw(&Text::new(
                name.clone(),
                at,
                words(9, Ink::Muted, HPos::Left),
            ))?;
        }
    }
    let line = |series: &Series| {
        let points = thinned(series, end, f64::from(wide - LEFT) / 2.0);
        points
            .into_iter()
            .map(|(at, value)| (at, value / unit))
            .collect::<Vec<_>>()
    };
    if let Some(live) = live(kept) {
        chart.draw_series(LineSeries::new(line(live), Ink::Muted.colour()))?;
    }
    chart.draw_series(LineSeries::new(line(series), ink.stroke_width(2)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_peaks() {
        let mut points: Vec<_> = (0..1000).map(|n| (f64::from(n) / 100.0, 5.0)).collect();
        points[437].1 = 99.0;
        points[438].1 = 1.0;
        let series = Series {
            name: "resident".into(),
            unit: "B".into(),
            points,
        };
        let thin = thinned(&series, 10.0, 10.0);
        assert!(thin.len() <= 22, "{}", thin.len());
        for kept in [99.0, 1.0] {
            assert!(thin.iter().any(|(_, value)| *value == kept), "{kept}");
        }
    }

    #[test]
    fn values_are_told_in_numbers_that_fit_an_axis() {
        assert_eq!(unit(900e6), (1_048_576.0, "MiB"));
        assert_eq!(unit(0.0), (1.0, "B"));
    }
}
