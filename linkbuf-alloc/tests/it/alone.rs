//! Runs a test in a process of its own.

use std::{env, process::Command};

/// Set in the process that does the work, to the name of the test.
const CHOSEN: &str = "LINKBUF_TEST_ALONE";

/// Declares tests that run alone: `name [features]: body;`.
macro_rules! alone {
    ($($name:ident [$($feature:literal)*]: $body:expr;)*) => {$(
        $(#[cfg(feature = $feature)])*
        #[test]
        fn $name() {
            $crate::alone::run(concat!(module_path!(), "::", stringify!($name)), || $body);
        }
    )*};
}
pub(crate) use alone;

/// Does `work` here, if this is the process for it, or starts one and waits for its end.
///
/// Beside the test's thread there is the harness's, which waits for it and does nothing else: `fork` is as it is in a
/// program with one thread, a limit hits nobody else, and what is resident is the test's own.
#[track_caller]
pub(crate) fn run(test: &str, work: impl FnOnce()) {
    // The harness's names do not begin with the crate's.
    let test = test.split_once("::").map_or(test, |(_, rest)| rest);
    if env::var_os(CHOSEN).is_some_and(|chosen| chosen == test) {
        work();
        return;
    }
    let program = env::current_exe().expect("the test program");
    let output = Command::new(program)
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(CHOSEN, test)
        .output()
        .expect("the test program starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{test} alone: {}\n{told}\n{complained}",
        output.status
    );
}

/// A figure of the process, in bytes: a field of `/proc/self/status` that is given in kB.
pub(crate) fn status(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes =
        line.and_then(|line| line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().ok());
    let kilobytes: usize = kilobytes.unwrap_or_else(|| panic!("{field} is a number"));
    kilobytes << 10
}
