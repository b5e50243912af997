//! `cargo xtask bench`: builds the benchmarks with their own profile and runs them.

use std::process::ExitCode;

use clap::Args;

use crate::{cargo::Cargo, steps};

#[derive(Args)]
pub(crate) struct Options {
    /// Arguments of the benchmark program
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    // The program starts another one for heap profiles, and looks for it beside itself.
    let build = [
        "build",
        "--profile",
        "bench",
        "-p",
        "linkbuf-bench",
        "--bins",
    ];
    let built = steps::alone(&Cargo::new(build));
    if built != ExitCode::SUCCESS {
        return built;
    }
    let call = Cargo::new(["run", "--profile", "bench", "-p", "linkbuf-bench"]);
    let call = call.args(["--quiet", "--bin", "linkbuf-bench", "--"]);
    // In place of this program: Ctrl-C is for the benchmark, which reports what is done, and so is the exit code.
    let error = call.args(&options.args).replace();
    eprintln!("cargo could not be started: {error}");
    ExitCode::FAILURE
}
