//! Huge pages, reserved for the length of a run.

use std::fs;

const COUNT: &str = "/proc/sys/vm/nr_hugepages";

/// Puts the number of reserved pages back when it is dropped.
pub(super) struct Reserved {
    before: u64,
}

impl Reserved {
    /// Reserves so many pages of 2 MiB more than there are.
    pub(super) fn bytes(bytes: u64) -> Result<Self, String> {
        let before = count()?;
        let wanted = before + bytes.div_ceil(2 << 20);
        let reserved = Self { before };
        set(wanted)?;
        match count()? {
            got if got >= wanted => Ok(reserved),
            got => Err(format!(
                "the system reserved {got} huge pages of {wanted}: its memory is in use, or in pieces"
            )),
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Err(why) = set(self.before) {
            eprintln!("{why}");
        }
    }
}

fn count() -> Result<u64, String> {
    let text = fs::read_to_string(COUNT).map_err(|e| format!("{COUNT}: {e}"))?;
    let count = text.trim().parse();
    count.map_err(|e| format!("{COUNT}: {e}"))
}

fn set(count: u64) -> Result<(), String> {
    fs::write(COUNT, count.to_string()).map_err(|e| format!("{COUNT}: {e}"))
}
