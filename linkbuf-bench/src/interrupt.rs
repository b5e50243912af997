//! Ctrl-C and SIGTERM: the first ends the run after the step that is being done, the second ends the program.
//!
//! On a terminal the processes that a step waits for get the signal, too, and die of it: a step that fails just then
//! has nothing to say.

use std::fs;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What the program exits with: 128 and the number of SIGINT, as shells have it.
pub(crate) const EXIT_CODE: u8 = 130;

/// How many huge pages are reserved, as a number that can be read and written.
const RESERVED: &str = "/proc/sys/vm/nr_hugepages";

static ASKED: AtomicBool = AtomicBool::new(false);

/// Listens from now on. If `reserves`, the second signal gives up what huge pages were reserved since.
///
/// # Errors
/// The system doesn't let it.
pub(crate) fn listen(reserves: bool) -> Result<(), String> {
    let before = fs::read_to_string(RESERVED).ok().filter(|_| reserves);
    let handler = move || {
        // One flag that nothing else hangs on.
        if !ASKED.swap(true, Ordering::Relaxed) {
            eprintln!("\nstopping after this step; once more ends it at once");
            return;
        }
        if let Some(before) = &before {
            let put_back = fs::write(RESERVED, before.trim());
            if let Err(why) = put_back {
                eprintln!("{RESERVED}: {why}; it was {}", before.trim());
            }
        }
        process::exit(EXIT_CODE.into());
    };
    ctrlc::set_handler(handler).map_err(|e| format!("Ctrl-C can't be listened for: {e}"))
}

/// Whether the run was asked to end.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Whether the run was asked to end, after a step failed. Its process may have died of the signal before this one
/// heard of it.
pub(crate) fn asked_lately() -> bool {
    if !asked() {
        thread::sleep(Duration::from_millis(200));
    }
    asked()
}
