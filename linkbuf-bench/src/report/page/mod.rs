//! The page: one file that needs no other, to be read on a phone as on a wide screen, in light and dark, without
//! JavaScript. The plots lie beside it too, for READMEs.

mod plots;
mod summary;
mod tables;

use std::path::{Path, PathBuf};
use std::{fs, io};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plot::{self, Plot};
use crate::results::Results;

const STYLE: &str = include_str!("style.css");

/// Writes `report.html` and `plots/*.svg` into `dir`, which is made if it isn't there. Plots of an earlier report in
/// it are removed. Returns the page's path.
///
/// The page links to nothing and loads nothing.
///
/// ```
/// let dir = tempfile::tempdir()?;
/// let page = linkbuf_bench::report::page::write(&Default::default(), dir.path())?;
/// assert!(std::fs::read_to_string(page)?.starts_with("<!DOCTYPE html>"));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// A file or folder can't be written.
pub fn write(results: &Results, dir: &Path) -> io::Result<PathBuf> {
    let shown = plots::all(results);
    let folder = dir.join("plots");
    fs::create_dir_all(&folder)?;
    remove_old(&folder)?;
    for plot in shown.iter().flat_map(plots::Group::files) {
        fs::write(folder.join(format!("{}.svg", plot.name)), plot.file())?;
    }
    let page = dir.join("report.html");
    fs::write(&page, markup(results, &shown).into_string())?;
    Ok(page)
}

/// Removes plots, and nothing else, so that none of another run is taken for this one's.
fn remove_old(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.ends_with(".svg")
            && plots::PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix))
        {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// A part of the page: where it is linked to, what the link says, and what it is.
struct Section {
    id: &'static str,
    link: &'static str,
    body: Markup,
}

fn markup(results: &Results, shown: &[plots::Group]) -> Markup {
    let mut sections: Vec<Section> = Vec::new();
    sections.extend(summary::choices(results));
    sections.extend(summary::missed(results));
    sections.extend(shown.iter().map(plots::section));
    sections.extend(summary::machine(results));
    sections.extend(tables::heap(results));
    sections.extend(tables::throughput(results));
    sections.extend(tables::retention(results));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Without it a browser asks the server for an icon.
                link rel="icon" href="data:,";
                title { (summary::title(results)) }
                style { (PreEscaped(STYLE)) (PreEscaped(plot::style())) }
            }
            body {
                header {
                    (summary::head(results))
                    @if sections.len() > 1 {
                        nav aria-label="Sections" {
                            @for section in &sections {
                                a href={ "#" (section.id) } { (section.link) }
                            }
                        }
                    }
                }
                main {
                    @for section in &sections {
                        section id=(section.id) { (section.body) }
                    }
                }
            }
        }
    }
}

/// A plot in the page. What is data in it was escaped when it was drawn.
fn drawn(plot: &Plot, id: &str) -> Markup {
    PreEscaped(plot.inline(id))
}
