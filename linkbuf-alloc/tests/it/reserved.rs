//! Reserved huge pages for the time of a test.

use std::fs;

/// Pages beyond those that were reserved before, until it is dropped.
pub(crate) struct Reserved {
    before: usize,
}

const SETTING: &str = "/proc/sys/vm/nr_hugepages";

impl Reserved {
    /// `None` where this process may not, or the system has no such pages. Pages of 2 MiB, by default.
    pub(crate) fn pages(count: usize) -> Option<Self> {
        let before = reserved()?;
        fs::write(SETTING, (before + count).to_string()).ok()?;
        let guard = Reserved { before };
        // The kernel reserves what it finds.
        (reserved()? >= before + count).then_some(guard)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        // Nothing is to be done where it fails.
        let _ = fs::write(SETTING, self.before.to_string());
    }
}

fn reserved() -> Option<usize> {
    fs::read_to_string(SETTING).ok()?.trim().parse().ok()
}
