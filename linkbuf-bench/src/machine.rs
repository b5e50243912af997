//! Where a run takes place, and of which revision it is.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::resident::Machine;
use crate::results::About;

/// This machine, now. What a system doesn't tell is empty.
pub(crate) fn about() -> About {
    let cpu = figure("/proc/cpuinfo", "model name");
    let kernel = line("/proc/sys/kernel/osrelease");
    let memory = figure("/proc/meminfo", "MemTotal");
    let memory = memory.trim_end_matches(" kB").parse().unwrap_or(0_u64) << 10;
    // `always [madvise] never`
    let transparent = line("/sys/kernel/mm/transparent_hugepage/enabled");
    let chosen = transparent
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    About {
        unix_time: time.map_or(0, |t| t.as_secs()),
        host: line("/proc/sys/kernel/hostname"),
        kernel: format!("{} {kernel}", std::env::consts::OS)
            .trim_end()
            .to_owned(),
        cpu,
        cpus: thread::available_parallelism().map_or(1, usize::from),
        memory,
        huge_pages: Machine::now().map_or(0, |machine| machine.huge >> 21),
        transparent: chosen.map_or("", |(word, _)| word).to_owned(),
        revision: revision().unwrap_or_default(),
    }
}

/// All of it, in a line.
pub(crate) fn line_of(about: &About) -> String {
    let known = |text: &str, unknown: &str| match text {
        "" => unknown.to_owned(),
        text => text.to_owned(),
    };
    format!(
        "{} · {} · {} CPUs · {} MiB · {} · transparent huge pages: {} · {} reserved huge pages free · revision {}",
        known(&about.host, "unknown host"),
        known(&about.cpu, "unknown CPU"),
        about.cpus,
        about.memory >> 20,
        about.kernel,
        known(&about.transparent, "unknown"),
        about.huge_pages,
        known(&about.revision, "unknown"),
    )
}

fn line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// What stands behind `name:` in a file.
fn figure(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = |line: &str| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    };
    text.lines().find_map(value).unwrap_or_default()
}

/// Of the tree that this program was built from, if it still stands there.
fn revision() -> Option<String> {
    let short = git(&["rev-parse", "--short", "HEAD"])?;
    let changed = git(&["status", "--porcelain"])?;
    let mark = if changed.trim().is_empty() { "" } else { "+" };
    Some(format!("{}{mark}", short.trim()))
}

fn git(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command
        .args(["-C", env!("CARGO_MANIFEST_DIR")])
        .args(arguments);
    let output = command.output().ok().filter(|o| o.status.success())?;
    String::from_utf8(output.stdout).ok()
}
