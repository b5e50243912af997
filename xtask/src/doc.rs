//! `cargo xtask doc`: the documentation of all members with all features; a broken link is an error.

use std::process::ExitCode;

use clap::Args;

use crate::{
    cargo::Cargo,
    steps::{self, Step},
};

#[derive(Args)]
pub(crate) struct Options {
    /// Open it in a browser
    #[arg(long)]
    open: bool,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    if options.open {
        steps::alone(&call().arg("--open"))
    } else {
        steps::run(&[step()], true)
    }
}

pub(crate) fn step() -> Step {
    Step::cargo("documentation", call())
}

fn call() -> Cargo {
    Cargo::new(["doc", "--workspace", "--all-features", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
}
