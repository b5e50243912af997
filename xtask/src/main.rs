//! `cargo xtask`: the one entry for people and CI. The grammar below is the help; each command is a file.
//!
//! It starts cargo and nothing else. Whatever it runs, it prints first, so that any step can be run alone.

#![forbid(unsafe_code)]

mod bench;
mod cargo;
mod ci;
mod doc;
mod lint;
mod soundness;
mod source;
mod steps;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The tasks of the linkbuf workspace.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must be green: house rules, lints, documentation, every feature, all tests
    Test(test::Options),
    /// What CI runs: that the lock file is up to date, then all of `test`
    Ci,
    /// House rules, formatting and clippy
    Lint,
    /// House rules only, and where the unsafe code stands
    Tidy,
    /// Documentation, warnings denied
    Doc(doc::Options),
    /// Which backend is best on this machine: speed, memory, a page; what follows goes to it (try `bench --help`)
    #[command(disable_help_flag = true)]
    Bench(bench::Options),
    /// valgrind, AddressSanitizer, ThreadSanitizer and loom over the tests of core and net
    Soundness(soundness::Options),
}

fn main() -> ExitCode {
    match Cli::parse().task {
        Task::Test(options) => test::run(&options),
        Task::Ci => ci::run(),
        Task::Lint => lint::run(),
        Task::Tidy => tidy::run(),
        Task::Doc(options) => doc::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Soundness(options) => soundness::run(&options),
    }
}
