//! `cargo xtask soundness`: the tests of the crates that touch memory, under tools that watch memory and threads.
//!
//! The tools slow the tests down by ten to a hundred times, so each property test runs fewer cases here: as many as
//! `PROPTEST_CASES` says, else a number that fits the tool.

use std::{env, path::Path, process::ExitCode};

use clap::{Args, ValueEnum};

use crate::{
    cargo::Cargo,
    steps::{self, Step},
    workspace,
};

#[derive(Args)]
pub(crate) struct Options {
    /// Which tools; all of them if none is named
    #[arg(value_enum)]
    tools: Vec<Tool>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Tool {
    /// valgrind: reads of memory that was never written, use after free, leaks
    Memcheck,
    /// AddressSanitizer (nightly): use after free, out of bounds, leaks
    Address,
    /// ThreadSanitizer (nightly with rust-src): data races
    Thread,
    /// loom: every order in which threads can count references
    Loom,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let tools = match options.tools.as_slice() {
        [] => Tool::value_variants(),
        named => named,
    };
    let steps: Vec<Step> = tools
        .iter()
        .map(|tool| match tool {
            Tool::Memcheck => memcheck(),
            Tool::Address => address(),
            Tool::Thread => thread(),
            Tool::Loom => loom(),
        })
        .collect();
    steps::run(&steps, false)
}

fn memcheck() -> Step {
    let name = "valgrind memcheck";
    if !on_path("valgrind") {
        return Step::skip(name, "no valgrind on the path");
    }
    // As cargo's runner valgrind starts each test binary. Memory that is still reachable at the end is the
    // test harness's own; a block that nothing points at is a leak.
    let runner = concat!(
        r#"target."cfg(all())".runner=["valgrind", "--quiet", "--error-exitcode=99", "--leak-check=full", "#,
        r#""--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect", "#,
        r#""--fair-sched=yes"]"#,
    );
    let call = tests("500").args(["--config", runner]);
    Step::cargo(name, call.args(LEFT_OUT))
}

fn address() -> Step {
    sanitizer("AddressSanitizer", "address", "ASAN_OPTIONS", Ok)
}

fn thread() -> Step {
    sanitizer("ThreadSanitizer", "thread", "TSAN_OPTIONS", |call| {
        // The standard library as shipped is not instrumented, and its fences would be reported as races:
        // it has to be built along.
        if sources_of_std() {
            Ok(call.arg("-Zbuild-std"))
        } else {
            Err("no rust-src (rustup component add rust-src --toolchain nightly)".to_owned())
        }
    })
}

fn sanitizer(
    name: &str,
    kind: &str,
    options: &'static str,
    finish: fn(Cargo) -> Result<Cargo, String>,
) -> Step {
    let Some(host) = nightly_host() else {
        return Step::skip(
            name,
            "no nightly (rustup toolchain install nightly --profile minimal)",
        );
    };
    if !["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"].contains(&host.as_str()) {
        return Step::skip(name, format!("not for {host}"));
    }
    // `--target`, even though it is the host: build scripts and macros stay without the sanitizer. A test that asks
    // for more memory than there is wants to see the refusal, which the sanitizer would by itself make an error.
    let call = tests("5000")
        .toolchain("nightly")
        .args(["--target", &host])
        .env("RUSTFLAGS", format!("-Zsanitizer={kind}"))
        .env(options, "allocator_may_return_null=1");
    match finish(call) {
        Ok(call) => Step::cargo(name, call.args(LEFT_OUT)),
        Err(why) => Step::skip(name, why),
    }
}

/// Only the tests that are named for it: the others use loom's atomics outside its model, which it forbids.
fn loom() -> Step {
    let core = workspace::packages()
        .unwrap_or_default()
        .iter()
        .find(|package| package.name == "linkbuf-core");
    if !core.is_some_and(|core| core.builds_on.iter().any(|name| name == "loom")) {
        return Step::skip("loom", "linkbuf-core does not depend on it");
    }
    let call = Cargo::new(["test", "--release", "-p", "linkbuf-core", "--lib", "loom"]);
    Step::cargo("loom", call.env("RUSTFLAGS", "--cfg loom"))
}

/// A test that loses memory on purpose, to see a broken allocator fail the suite, has `leaks` in its name. Those that
/// limit a process's addresses, look at what is resident, or wait for a fault would find the tool's own; a child that is
/// forked off a process with busy threads would find the tool's locks held.
const LEFT_OUT: [&str; 11] = [
    "--",
    "--skip",
    "leaks",
    "--skip",
    "limits::",
    "--skip",
    "resident::",
    "--skip",
    "a_child_does_without",
    "--skip",
    "fork::busy_",
];

/// The test binaries of the crates that hold or drive unsafe code.
fn tests(cases: &str) -> Cargo {
    let cases = env::var("PROPTEST_CASES").unwrap_or_else(|_| cases.to_owned());
    Cargo::new([
        "test",
        "-p",
        "linkbuf-core",
        "-p",
        "linkbuf-alloc",
        "-p",
        "linkbuf-net",
        "--all-features",
        "--lib",
        "--tests",
    ])
    .arg("--no-fail-fast")
    .env("PROPTEST_CASES", cases)
}

fn on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The triple of the nightly toolchain's host, if there is one.
fn nightly_host() -> Option<String> {
    let text = printed(&Cargo::new(["-vV"]).toolchain("nightly"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(ToOwned::to_owned)
}

fn sources_of_std() -> bool {
    let call = Cargo::new([
        "rustc",
        "-p",
        "xtask",
        "-Zunstable-options",
        "--print",
        "sysroot",
    ]);
    printed(&call.toolchain("nightly")).is_some_and(|sysroot| {
        Path::new(sysroot.trim())
            .join("lib/rustlib/src/rust/library")
            .is_dir()
    })
}

fn printed(call: &Cargo) -> Option<String> {
    let output = call
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}
