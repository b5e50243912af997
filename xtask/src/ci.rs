//! `cargo xtask ci`: what CI runs: the lock file as it is checked in, then all of `cargo xtask test`.

use std::process::ExitCode;

use crate::{
    cargo::Cargo,
    steps::{self, Step},
    test, workspace,
};

pub(crate) fn run() -> ExitCode {
    let packages = match workspace::packages() {
        Ok(packages) => packages,
        Err(wrong) => {
            eprint!("{wrong}");
            return ExitCode::FAILURE;
        }
    };
    let mut all = vec![
        Step::cargo("toolchain", Cargo::new(["--version", "--verbose"])),
        Step::cargo("lock file", Cargo::new(["fetch", "--locked"])),
    ];
    all.extend(test::steps(packages));
    steps::run(&all, false)
}
