//! Plots, as SVG: in files of their own for READMEs, and within the page.

mod canvas;
mod memory;
mod ratios;
mod retained;
mod rows;
mod scale;
mod theme;

pub(crate) use memory::over_time;
pub(crate) use ratios::{of_scenario, overview};
pub(crate) use retained::{idle, returned};
pub(crate) use scale::{bytes, ratio};
pub(crate) use theme::style;

use plotters::drawing::IntoDrawingArea;
use plotters::prelude::SVGBackend;

use canvas::{Area, Drawn};
use theme::Ink;

/// A drawing.
///
/// It is as wide as its place lets it, up to its own width.
#[derive(Clone, Debug)]
pub(crate) struct Plot {
    /// Its file's name, without the ending: letters, digits, `-` and `_`.
    pub(crate) name: String,
    /// What it shows.
    pub(crate) title: String,
    /// The same for those who can't see it: what is to be read from it.
    pub(crate) desc: String,
    size: (u32, u32),
    shapes: String,
}

impl Plot {
    /// Draws one.
    fn new(
        name: &str,
        title: &str,
        desc: String,
        (wide, high): (i32, i32),
        draw: impl FnOnce(&Area<'_>) -> Drawn,
    ) -> Self {
        let size = (wide.unsigned_abs(), high.unsigned_abs());
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            let done = area.fill(&Ink::Paper.colour()).and_then(|()| draw(&area));
            // Into a string, so there is nothing that could be full or gone.
            done.and_then(|()| area.present()).ok();
        }
        // What is inside the root element: that one needs a title first, and a class.
        let inside = svg.split_once('>').map_or("", |(_, rest)| rest);
        let shapes = inside
            .rsplit_once("</svg>")
            .map_or(inside, |(shapes, _)| shapes);
        Self {
            name: file_name(name),
            title: title.to_owned(),
            desc,
            size,
            shapes: shapes.trim().to_owned(),
        }
    }

    /// As a file: with its own light and dark.
    pub(crate) fn file(&self) -> String {
        let style = format!("<style>{}</style>\n", style());
        self.element(&self.name, &style)
    }

    /// As a part of a page that has [`style`], in which `id` is unique.
    pub(crate) fn inline(&self, id: &str) -> String {
        self.element(id, "")
    }

    fn element(&self, id: &str, style: &str) -> String {
        let (wide, high) = self.size;
        let [title, desc] = [&self.title, &self.desc].map(|text| escape(text));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\" width=\"{wide}\" height=\"{high}\" \
             viewBox=\"0 0 {wide} {high}\">\n<title id=\"{id}-title\">{title}</title>\n\
             <desc id=\"{id}-desc\">{desc}</desc>\n{style}{}\n</svg>\n",
            self.shapes
        )
    }
}

/// What of `name` a file may be called.
fn file_name(name: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '_' {
            c
        } else {
            '-'
        }
    };
    let safe: String = name.chars().map(safe).collect();
    let parts = safe.split('-').filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
