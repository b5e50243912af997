//! What a drawing is drawn on, and what every drawing is made of: lines, words, marks.

use std::io;

use plotters::coord::Shift;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::theme::Ink;
use crate::scenario::Kind;

/// A part of a drawing, in pixels from its upper left corner.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Drawing into a string doesn't fail; the drawing crate asks all the same.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// A length of a drawing or a count of its rows. None comes near 2^31.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a cut drawing is the worst that can happen"
)]
pub(super) fn px(n: usize) -> i32 {
    n as i32
}

/// Words of `size` pixels.
pub(super) fn words(size: i32, ink: Ink, at: HPos) -> TextStyle<'static> {
    // The SVG backend divides by this again.
    let font = ("sans-serif", f64::from(size) * 1.24).into_font();
    font.color(&ink.colour()).pos(Pos::new(at, VPos::Center))
}

/// The same, bold.
pub(super) fn bold(size: i32, ink: Ink, at: HPos) -> TextStyle<'static> {
    let font = ("sans-serif", f64::from(size) * 1.24, FontStyle::Bold).into_font();
    font.color(&ink.colour()).pos(Pos::new(at, VPos::Center))
}

/// A letter's width in hundredths of its size, on average and of wide fonts, also bold: the reader's isn't known.
const LETTER: i32 = 60;

/// About how many pixels `text` takes.
pub(super) fn width(text: &str, size: i32) -> i32 {
    px(text.chars().count()) * size * LETTER / 100
}

/// As much of `text` as fits, with an ellipsis if that isn't all.
pub(super) fn fit(text: &str, size: i32, room: i32) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let letters = usize::try_from(room * 100 / LETTER / size - 1).unwrap_or(0);
    let cut: String = text.chars().take(letters).collect();
    format!("{}…", cut.trim_end())
}

/// A mark of a kind: linkbuf's is round, a peer's a diamond, a floor's a bar. `strong` ones are filled and larger.
pub(super) fn mark(area: &Area<'_>, (x, y): (i32, i32), kind: Kind, strong: bool) -> Drawn {
    let ink = Ink::from(kind).colour();
    let r = if strong { 6 } else { 4 };
    match kind {
        Kind::Linkbuf if strong => area.draw(&Circle::new((x, y), r, ink.filled())),
        Kind::Linkbuf => {
            area.draw(&Circle::new((x, y), r, Ink::Paper.colour().filled()))?;
            area.draw(&Circle::new((x, y), r, ink.stroke_width(2)))
        }
        Kind::Peer => {
            let r = r + 1;
            let corners = vec![(x - r, y), (x, y - r), (x + r, y), (x, y + r)];
            area.draw(&Polygon::new(corners, ink.filled()))
        }
        Kind::Floor => area.draw(&Rectangle::new(
            [(x - 1, y - 7), (x + 2, y + 7)],
            ink.filled(),
        )),
    }
}

/// An arrow at the edge: the value lies beyond.
pub(super) fn beyond(area: &Area<'_>, (x, y): (i32, i32), kind: Kind, left: bool) -> Drawn {
    let tip = if left { x - 4 } else { x + 4 };
    let back = if left { x + 5 } else { x - 5 };
    let corners = vec![(tip, y), (back, y - 5), (back, y + 5)];
    area.draw(&Polygon::new(corners, Ink::from(kind).colour().filled()))
}

/// What the marks are, from `at` on; wraps at `right`. Returns how far down it went.
pub(super) fn legend(
    area: &Area<'_>,
    (left, top): (i32, i32),
    right: i32,
    entries: &[(Kind, bool, &str)],
) -> Result<i32, DrawingAreaErrorKind<io::Error>> {
    let (mut x, mut y) = (left, top);
    for (kind, strong, name) in entries {
        let wide = 16 + width(name, 12) + 18;
        if x > left && x + wide > right {
            (x, y) = (left, y + 18);
        }
        mark(area, (x + 6, y), *kind, *strong)?;
        area.draw(&Text::new(
            *name,
            (x + 18, y),
            words(12, Ink::Muted, HPos::Left),
        ))?;
        x += wide;
    }
    Ok(y + 14)
}
