//! Runs steps one after the other, a line and a time for each, and sums them up.

use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
    time::{Duration, Instant},
};

use crate::cargo::{self, Cargo};

/// A check made by this program itself: what it has to say, or what is wrong.
pub(crate) type Rule = fn() -> Result<String, String>;

/// A piece of work with a name.
pub(crate) struct Step {
    name: String,
    action: Action,
}

enum Action {
    Cargo(Cargo),
    /// The rule, and the command that runs it alone.
    Rule(Rule, &'static str),
    /// Why it can't be done here.
    Skip(String),
}

impl Step {
    pub(crate) fn cargo(name: impl Into<String>, call: Cargo) -> Self {
        Self::new(name, Action::Cargo(call))
    }

    pub(crate) fn rule(name: impl Into<String>, rule: Rule, again: &'static str) -> Self {
        Self::new(name, Action::Rule(rule, again))
    }

    pub(crate) fn skip(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(name, Action::Skip(why.into()))
    }

    fn new(name: impl Into<String>, action: Action) -> Self {
        Self {
            name: name.into(),
            action,
        }
    }

    /// The line that runs this step alone.
    fn again(&self) -> String {
        match &self.action {
            Action::Cargo(call) => call.to_string(),
            Action::Rule(_, again) => (*again).to_owned(),
            Action::Skip(_) => String::new(),
        }
    }

    fn run(&self) -> Outcome {
        let start = Instant::now();
        let result = match &self.action {
            Action::Skip(why) => return Outcome::Skipped(why.clone()),
            Action::Rule(rule, _) => rule().map(|said| print!("{said}")),
            Action::Cargo(call) => match call.status() {
                Ok(status) if status.success() => Ok(()),
                Ok(status) => Err(format!("{status}\n")),
                Err(error) => Err(format!("cargo could not be started: {error}\n")),
            },
        };
        match result {
            Ok(()) => Outcome::Passed(start.elapsed()),
            Err(wrong) => {
                eprint!("{wrong}");
                Outcome::Failed(start.elapsed())
            }
        }
    }
}

enum Outcome {
    Passed(Duration),
    Failed(Duration),
    Skipped(String),
}

/// Runs all steps (up to the first failure if `fail_fast`), prints the summary, and fails if one of them did.
pub(crate) fn run(steps: &[Step], fail_fast: bool) -> ExitCode {
    let paint = Paint::detect();
    let start = Instant::now();
    let mut outcomes = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let place = format!("[{}/{}]", index + 1, steps.len());
        println!("\n{} {}", paint.bold(&place), paint.bold(&step.name));
        let again = step.again();
        if !again.is_empty() {
            println!("$ {again}");
        }
        let outcome = step.run();
        println!("{}", paint.line(&step.name, &outcome));
        let failed = matches!(outcome, Outcome::Failed(_));
        outcomes.push((step, outcome));
        if failed && fail_fast {
            break;
        }
    }

    println!("\n{}", paint.bold("summary"));
    for (step, outcome) in &outcomes {
        println!("{}", paint.line(&step.name, outcome));
    }
    let failed: Vec<&Step> = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)))
        .map(|(step, _)| *step)
        .collect();
    let skipped = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Skipped(_)))
        .count();
    println!(
        "{} passed, {} failed, {skipped} skipped, {} not run, in {}",
        outcomes.len() - failed.len() - skipped,
        failed.len(),
        steps.len() - outcomes.len(),
        seconds(start.elapsed()).trim_start(),
    );
    for step in &failed {
        println!(
            "\n`{}` failed; to run it alone:\n    {}",
            step.name,
            step.again()
        );
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs one call without the frame of steps: what it prints is all there is to see.
pub(crate) fn alone(call: &Cargo) -> ExitCode {
    match call.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo could not be started: {error}");
            ExitCode::FAILURE
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:7.1} s", time.as_secs_f64())
}

/// Colour on a terminal, none elsewhere, under `CI` or with `NO_COLOR`.
struct Paint(bool);

impl Paint {
    fn detect() -> Self {
        let wanted =
            !cargo::is_ci() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self(wanted && io::stdout().is_terminal())
    }

    fn line(&self, name: &str, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Passed(time) => {
                format!("{} {}  {name}", self.code("32", "passed "), seconds(*time))
            }
            Outcome::Failed(time) => {
                format!("{} {}  {name}", self.code("31", "FAILED "), seconds(*time))
            }
            Outcome::Skipped(why) => {
                format!("{} {:9}  {name}: {why}", self.code("33", "skipped"), "")
            }
        }
    }

    fn bold(&self, text: &str) -> String {
        self.code("1", text)
    }

    fn code(&self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
