//! Where a run took place, in a line.

use std::fs;
use std::process::Command;
use std::thread;

use crate::resident::Machine;

/// Processor, kernel, huge pages, and the revision that was measured.
pub(crate) fn about() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").ok();
    let cpu = cpu.as_deref().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim())
    });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    let revision = output(Command::new("git").args(["rev-parse", "--short", "HEAD"]));
    format!(
        "{} · {} CPUs · {} {} · {} reserved huge pages free · revision {}",
        cpu.unwrap_or("unknown CPU"),
        thread::available_parallelism().map_or(1, usize::from),
        std::env::consts::OS,
        kernel.as_deref().map_or("", str::trim),
        Machine::now().map_or(0, |machine| machine.huge >> 21),
        revision.as_deref().map_or("unknown", str::trim),
    )
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|o| o.status.success())?;
    String::from_utf8(output.stdout).ok()
}
