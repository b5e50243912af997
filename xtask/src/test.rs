//! `cargo xtask test`: everything that must be green before a change is taken, and what CI runs.

use std::process::ExitCode;

use clap::Args;

use crate::{
    cargo::Cargo,
    doc, lint,
    steps::{self, Step},
    workspace::{self, Package},
};

#[derive(Args)]
pub(crate) struct Options {
    /// Stop at the first step that fails
    #[arg(long)]
    fail_fast: bool,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    match workspace::packages() {
        Ok(packages) => steps::run(&steps(packages), options.fail_fast),
        Err(wrong) => {
            eprint!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

/// The cheap and the most telling first; the tests last, so that their lines stand at the end.
pub(crate) fn steps(packages: &[Package]) -> Vec<Step> {
    let mut steps = lint::steps();
    steps.push(doc::step());
    steps.push(minimum_rust(&packages[0].rust_version));
    for package in packages
        .iter()
        .filter(|package| !package.features.is_empty())
    {
        features(package, &mut steps);
    }
    // The other steps see core with `std`; unit and integration tests must hold without it too.
    steps.push(Step::cargo(
        "tests of linkbuf-core without std",
        Cargo::new([
            "test",
            "-p",
            "linkbuf-core",
            "--no-default-features",
            "--lib",
            "--tests",
        ]),
    ));
    steps.push(Step::cargo(
        "tests of the documentation",
        Cargo::new(["test", "--workspace", "--all-features", "--doc"]),
    ));
    steps.push(Step::cargo(
        "tests",
        Cargo::new([
            "test",
            "--workspace",
            "--all-features",
            "--lib",
            "--bins",
            "--tests",
            "--examples",
            "--no-fail-fast",
        ]),
    ));
    steps
}

/// The package with every combination of its features, none and all among them: what one leaves out another may not
/// lean on. Features that only choose between others (`default-…`) are tried one at a time, and all together elsewhere.
fn features(package: &Package, steps: &mut Vec<Step>) {
    let (choices, parts): (Vec<&String>, Vec<&String>) = package
        .features
        .iter()
        .partition(|feature| feature.starts_with("default-"));
    let mut combinations: Vec<Vec<&str>> = vec![Vec::new()];
    for part in parts {
        let with: Vec<Vec<&str>> = combinations
            .iter()
            .map(|others| others.iter().copied().chain([part.as_str()]).collect())
            .collect();
        combinations.extend(with);
    }
    combinations.extend(choices.iter().map(|choice| vec![choice.as_str()]));
    combinations.sort_by_key(Vec::len);
    for combination in combinations {
        let list = combination.join(",");
        let named = if list.is_empty() { "no feature" } else { &list };
        let bare = ["-p", &package.name, "--no-default-features", "--features"];
        let clippy = Cargo::new(["clippy"]).args(bare).args([&list]);
        steps.push(Step::cargo(
            format!("{} with {named}", package.name),
            clippy.args(["--", "-D", "warnings"]),
        ));
        // Where a backend brings its tests along, they run without the others, too. What only chooses has none.
        if package.name == "linkbuf-alloc" && combination.len() <= 1 && !list.contains("default") {
            let test = Cargo::new(["test"]).args(bare).args([&list]);
            steps.push(Step::cargo(
                format!("tests of {} with {named}", package.name),
                test.args(["--lib", "--tests"]),
            ));
        }
    }
}

/// Builds on the oldest Rust that the manifest promises. Where that is the one in use, every other step does so.
fn minimum_rust(stated: &str) -> Step {
    let name = format!("minimum Rust version {stated}");
    // A manifest may say `1.95`; a toolchain's name has three numbers.
    let full = if stated.matches('.').count() == 1 {
        format!("{stated}.0")
    } else {
        stated.to_owned()
    };
    if version(&Cargo::new(["--version"])).as_ref() == Some(&full) {
        return Step::skip(name, "it is the one in use: all other steps run on it");
    }
    if version(&Cargo::new(["--version"]).toolchain(&full)).is_none() {
        return Step::skip(
            name,
            format!("not installed (rustup toolchain install {full} --profile minimal)"),
        );
    }
    let call = Cargo::new(["check", "--workspace", "--all-targets", "--all-features"]);
    Step::cargo(name, call.toolchain(full))
}

/// The second word of `cargo 1.95.0 (f2d3ce0bd 2026-03-21)`.
fn version(call: &Cargo) -> Option<String> {
    let output = call
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.split_whitespace().nth(1).map(ToOwned::to_owned)
}
