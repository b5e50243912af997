//! Where results lie, and how they are written and read.
//!
//! | file | holds |
//! |---|---|
//! | `results.json` | the last run, as far as it came |
//! | `report.html`, `plots/` | its page and pictures |
//! | `saved/NAME.json` | runs that were given a name |
//! | `criterion/` | criterion's own files of the last round |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::names;
use crate::results::{FORMAT, Results};

/// Set to a directory, it is where results go.
pub(crate) const DIRECTORY: &str = "LINKBUF_BENCH_DIR";

/// The directory of all results: `linkbuf-bench` beside the build that this program is from, or [`DIRECTORY`].
pub(crate) fn home() -> PathBuf {
    if let Some(set) = std::env::var_os(DIRECTORY).filter(|set| !set.is_empty()) {
        return set.into();
    }
    let program = std::env::current_exe().ok();
    let target = program.as_deref().and_then(|p| p.parent()?.parent());
    let target = target.map_or_else(std::env::temp_dir, Path::to_path_buf);
    target.join("linkbuf-bench")
}

/// The last run's file.
pub(crate) fn last() -> PathBuf {
    home().join("results.json")
}

/// The file of the run that was saved as `name`.
pub(crate) fn saved(name: &str) -> PathBuf {
    home().join("saved").join(format!("{name}.json"))
}

/// A path as it is best shown: from the current directory, if it is in there.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Whether a run can be saved under that name: it is a file's.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_name(name: &str) -> Result<String, String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(fine) {
        return Err("a name is made of letters, digits, `-`, `_` and `.`".into());
    }
    Ok(name.to_owned())
}

/// Writes a run. Whoever reads the file meanwhile, or finds it after this program was killed, has the old one or the
/// new one, never a part.
///
/// # Errors
/// Which file can't be written, and why.
pub(crate) fn write(path: &Path, results: &Results) -> Result<(), String> {
    let wrong = |e: io::Error| format!("{}: {e}", path.display());
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(wrong)?;
    }
    let text = serde_json::to_string(results).map_err(|e| wrong(e.into()))?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, text).map_err(wrong)?;
    fs::rename(&beside, path).map_err(wrong)
}

/// Reads a run.
///
/// # Errors
/// Which file can't be read, and why.
pub(crate) fn read(path: &Path) -> Result<Results, String> {
    let name = shown(path);
    let text = fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
    let file: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("{name}: {e}"))?;
    if file["format"] != FORMAT {
        return Err(format!(
            "{name}: not a run's results of format {FORMAT}; a run of this version makes some"
        ));
    }
    Results::deserialize(file).map_err(|e| format!("{name}: {e}"))
}

/// Reads the run that `asked` names: the path of a file, or a name that it was saved under.
///
/// # Errors
/// There is no such run, or its file can't be read.
pub(crate) fn find(asked: &str) -> Result<Results, String> {
    let path = Path::new(asked);
    if path.is_file() || path.components().count() > 1 {
        return read(path);
    }
    let named = saved(asked);
    if named.is_file() {
        return read(&named);
    }
    let all = all_saved();
    let known: Vec<_> = all.iter().map(String::as_str).collect();
    Err(match known.is_empty() {
        true => format!("no run was saved as {asked}, nor any other: --save NAME does it"),
        false => names::unknown("run", asked, &known),
    })
}

/// The names of all runs that were saved.
fn all_saved() -> Vec<String> {
    let directory = fs::read_dir(home().join("saved"));
    let files = directory.into_iter().flatten().flatten();
    let mut names: Vec<_> = files
        .filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".json")?.to_owned()))
        .collect();
    names.sort();
    names
}
