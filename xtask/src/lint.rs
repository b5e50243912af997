//! `cargo xtask lint`: house rules, formatting, clippy.

use std::process::ExitCode;

use crate::{
    cargo::Cargo,
    steps::{self, Step},
    tidy,
};

pub(crate) fn run() -> ExitCode {
    steps::run(&steps(), false)
}

pub(crate) fn steps() -> Vec<Step> {
    vec![
        tidy::step(),
        Step::cargo("format", Cargo::new(["fmt", "--all", "--check"])),
        Step::cargo(
            "clippy",
            Cargo::new([
                "clippy",
                "--workspace",
                "--all-targets",
                "--all-features",
                "--",
                "-D",
                "warnings",
            ]),
        ),
    ]
}
