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
    let call = Cargo::new(["run", "--profile", "bench", "-p", "linkbuf-bench", "--"]);
    steps::alone(&call.args(&options.args))
}
