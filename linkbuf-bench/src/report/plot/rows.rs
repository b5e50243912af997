//! A chart of rows: a name, marks or a bar along a logarithmic axis, a value at the right.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::canvas::{Area, Drawn, beyond, bold, fit, legend, mark, px, width, words};
use super::scale::Axis;
use super::theme::Ink;
use crate::scenario::Kind;

/// What stands on the axis.
pub(super) struct Mark {
    pub(super) kind: Kind,
    /// The one that the row is about.
    pub(super) strong: bool,
    pub(super) at: f64,
    /// Where the whiskers end.
    pub(super) range: Option<(f64, f64)>,
}

/// What a row shows.
pub(super) enum Shown {
    /// Dots with whiskers. Strong ones are drawn last.
    Dots(Vec<Mark>),
    /// A bar from the axis' left end.
    Bar(Kind, f64),
}

pub(super) struct Row {
    pub(super) name: String,
    /// More about it, in small letters.
    pub(super) note: String,
    pub(super) strong: bool,
    pub(super) shown: Shown,
    /// At the right.
    pub(super) value: String,
}

/// A chart.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) legend: Vec<(Kind, bool, &'static str)>,
    pub(super) rows: Vec<Row>,
    pub(super) axis: Axis,
    /// Names stand over their rows, for narrow screens.
    pub(super) names_above: bool,
}

const LETTERS: i32 = 13;
const MARGIN: i32 = 14;

impl Chart {
    fn row_height(&self) -> i32 {
        let notes = self.rows.iter().any(|row| !row.note.is_empty());
        match (self.names_above, notes) {
            (true, _) => 46,
            (false, true) => 40,
            (false, false) => 25,
        }
    }

    fn top(&self, wide: i32) -> i32 {
        let lines = self.legend.iter().map(|(_, _, name)| width(name, 12) + 34);
        let lines = lines.sum::<i32>() / (wide - 2 * MARGIN) + 1;
        let legend = if self.legend.is_empty() {
            0
        } else {
            18 * lines
        };
        42 + legend
    }

    /// How high it is when it is `wide`.
    pub(super) fn height(&self, wide: i32) -> i32 {
        self.top(wide) + self.row_height() * px(self.rows.len()) + 50
    }

    /// Draws it.
    pub(super) fn draw(&self, area: &Area<'_>) -> Drawn {
        let (wide, high) = area.dim_in_pixel();
        let (wide, high) = (px(wide as usize), px(high as usize));
        area.draw(&Text::new(
            fit(&self.title, 15, wide - 2 * MARGIN),
            (MARGIN, 20),
            bold(15, Ink::Text, HPos::Left),
        ))?;
        legend(area, (MARGIN, 44), wide - MARGIN, &self.legend)?;
        let names = self
            .rows
            .iter()
            .map(|row| width(&row.name, LETTERS).max(width(&row.note, 11)));
        let names = names.max().unwrap_or(0).clamp(60, wide * 2 / 5);
        let values = self.rows.iter().map(|row| width(&row.value, LETTERS));
        let values = values.max().unwrap_or(0).clamp(20, wide / 4) + 12;
        let left = if self.names_above {
            MARGIN
        } else {
            MARGIN + names + 12
        };
        let (top, bottom) = (self.top(wide), high - 50);
        let inside = area.margin(top, 0, left, MARGIN + values);
        // The rows are in pixels, from the first one's upper edge.
        let mut chart = ChartBuilder::on(&inside)
            .x_label_area_size(50)
            .build_cartesian_2d(
                (self.axis.from..self.axis.to)
                    .log_scale()
                    .with_key_points(self.axis.ticks.clone()),
                bottom - top..0,
            )?;
        let show = self.axis.show;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .bold_line_style(Ink::Grid.colour())
            .light_line_style(TRANSPARENT)
            .axis_style(Ink::Grid.colour())
            .x_label_style(words(11, Ink::Muted, HPos::Center))
            .x_label_formatter(&|value| show(*value))
            .draw()?;
        let x = |value: f64| chart.backend_coord(&(self.axis.clamp(value), 0)).0;
        for (n, _) in self.rows.iter().enumerate().filter(|_| self.names_above) {
            // Or the lines would go through the names.
            let above = top + px(n) * self.row_height();
            let corners = [(0, above), (wide, above + 21)];
            area.draw(&Rectangle::new(corners, Ink::Paper.colour().filled()))?;
        }
        let axis = words(11, Ink::Muted, HPos::Center);
        let title = fit(&self.axis.title, 11, wide - 2 * MARGIN);
        let middle = (left + wide - MARGIN - values) / 2;
        let half = width(&title, 11) / 2;
        let middle = middle.clamp(half + MARGIN, (wide - MARGIN - half).max(half + MARGIN));
        area.draw(&Text::new(title, (middle, high - 14), axis))?;
        for (n, row) in self.rows.iter().enumerate() {
            let above = top + px(n) * self.row_height();
            let y = if self.names_above {
                above + 31
            } else {
                above + self.row_height() / 2
            };
            self.name(area, row, (above, y), names, wide)?;
            if let Some(line) = self.axis.line {
                let from = if self.names_above { above + 21 } else { above };
                let ends = [(x(line), from), (x(line), above + self.row_height())];
                area.draw(&PathElement::new(ends, Ink::Muted.colour().stroke_width(2)))?;
            }
            match &row.shown {
                Shown::Dots(marks) => self.dots(area, marks, &x, y)?,
                Shown::Bar(kind, to) if *to > self.axis.from => {
                    let corners = [(x(self.axis.from), y - 7), (x(*to), y + 7)];
                    area.draw(&Rectangle::new(corners, Ink::from(*kind).colour().filled()))?;
                }
                // Nothing, or next to it: a stroke, so that it isn't taken for missing.
                Shown::Bar(kind, _) => {
                    let corners = [(x(self.axis.from), y - 7), (x(self.axis.from) + 2, y + 7)];
                    area.draw(&Rectangle::new(corners, Ink::from(*kind).colour().filled()))?;
                }
            }
            let style = match row.strong {
                true => bold(LETTERS, Ink::Text, HPos::Right),
                false => words(LETTERS, Ink::Text, HPos::Right),
            };
            area.draw(&Text::new(row.value.clone(), (wide - MARGIN, y), style))?;
        }
        Ok(())
    }

    fn name(
        &self,
        area: &Area<'_>,
        row: &Row,
        (above, y): (i32, i32),
        names: i32,
        wide: i32,
    ) -> Drawn {
        let style = match row.strong {
            true => bold(LETTERS, Ink::Text, HPos::Left),
            false => words(LETTERS, Ink::Text, HPos::Left),
        };
        let note = words(11, Ink::Muted, HPos::Left);
        if self.names_above {
            let name = fit(&row.name, LETTERS, wide - 2 * MARGIN);
            let after = MARGIN + width(&name, LETTERS) + 12;
            let rest = fit(&row.note, 11, wide - MARGIN - after);
            area.draw(&Text::new(name, (MARGIN, above + 12), style))?;
            if wide - MARGIN - after > 40 {
                area.draw(&Text::new(rest, (after, above + 12), note))?;
            }
            return Ok(());
        }
        let high = if row.note.is_empty() { y } else { y - 8 };
        area.draw(&Text::new(
            fit(&row.name, LETTERS, names),
            (MARGIN, high),
            style,
        ))?;
        if !row.note.is_empty() {
            area.draw(&Text::new(fit(&row.note, 11, names), (MARGIN, y + 8), note))?;
        }
        Ok(())
    }

    fn dots(&self, area: &Area<'_>, marks: &[Mark], x: &dyn Fn(f64) -> i32, y: i32) -> Drawn {
        let mut marks: Vec<_> = marks.iter().collect();
        marks.sort_by_key(|mark| mark.strong);
        for dot in marks {
            let ink = Ink::from(dot.kind).colour();
            if let Some((low, high)) = dot.range {
                let ends = [(x(low), y), (x(high), y)];
                area.draw(&PathElement::new(ends, ink.stroke_width(2)))?;
            }
            match dot.at {
                at if at < self.axis.from => beyond(area, (x(at), y), dot.kind, true)?,
                at if at > self.axis.to => beyond(area, (x(at), y), dot.kind, false)?,
                at => mark(area, (x(at), y), dot.kind, dot.strong)?,
            }
        }
        Ok(())
    }
}
