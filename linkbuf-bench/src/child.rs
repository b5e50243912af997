//! Processes that this program starts to measure in, and what they answer.

use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

use serde::de::DeserializeOwned;

/// The program that runs.
///
/// # Errors
/// The system doesn't tell, in words.
pub(crate) fn this_program() -> Result<PathBuf, String> {
    std::env::current_exe().map_err(|e| format!("this program isn't found: {e}"))
}

/// Runs `command` to its end, and reads what it printed as JSON. `None`: the user stopped it.
///
/// # Errors
/// It didn't start, failed, or printed something else, in words.
pub(crate) fn ask<T: DeserializeOwned>(command: &mut Command) -> Result<Option<T>, String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("it didn't start: {e}"))?;
    if was_stopped(output.status) {
        return Ok(None);
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {}", output.status, said.trim()));
    }
    let answer = serde_json::from_slice(&output.stdout);
    answer.map(Some).map_err(|e| e.to_string())
}

/// Whether a user's Ctrl-C, which goes to the processes that this one started too, was its end.
fn was_stopped(status: ExitStatus) -> bool {
    #[cfg(unix)]
    {
        const SIGINT: i32 = 2;
        const SIGTERM: i32 = 15;
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        signal.is_some_and(|signal| signal == SIGINT || signal == SIGTERM)
    }
    #[cfg(not(unix))]
    {
        let _ = status;
        false
    }
}
