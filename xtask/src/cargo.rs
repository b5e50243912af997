//! A call of cargo that can be shown to a person before it is run.

use std::{
    env,
    ffi::OsString,
    fmt, io,
    process::{Command, ExitStatus, Output, Stdio},
};

use crate::workspace;

/// One call: arguments, and the environment variables it needs beyond the caller's.
#[derive(Clone, Debug)]
pub(crate) struct Cargo {
    toolchain: Option<String>,
    args: Vec<String>,
    env: Vec<(&'static str, String)>,
}

impl Cargo {
    /// `cargo` with these arguments, on the toolchain that runs this program.
    pub(crate) fn new<S: Into<String>>(args: impl IntoIterator<Item = S>) -> Self {
        Self {
            toolchain: None,
            args: args.into_iter().map(Into::into).collect(),
            env: Vec::new(),
        }
    }

    /// On another toolchain, as `cargo +nightly` would.
    pub(crate) fn toolchain(mut self, name: impl Into<String>) -> Self {
        self.toolchain = Some(name.into());
        self
    }

    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Runs it with this program's input and output.
    pub(crate) fn status(&self) -> io::Result<ExitStatus> {
        self.command().status()
    }

    /// Runs it and collects what it prints.
    pub(crate) fn output(&self) -> io::Result<Output> {
        self.command().stdin(Stdio::null()).output()
    }

    /// Runs it in place of this program, where the system can do that; else beside it, and ends as it does. Returns
    /// only if it can't be started.
    pub(crate) fn replace(&self) -> io::Error {
        let mut command = self.command();
        #[cfg(unix)]
        {
            std::os::unix::process::CommandExt::exec(&mut command)
        }
        #[cfg(not(unix))]
        match command.status() {
            Ok(status) => std::process::exit(status.code().unwrap_or(1)),
            Err(error) => error,
        }
    }

    fn command(&self) -> Command {
        // `$CARGO` is the very binary of one toolchain; only the rustup proxy on the path understands `+name`.
        let program = match &self.toolchain {
            Some(_) => OsString::from("cargo"),
            None => env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        };
        let mut command = Command::new(program);
        if let Some(toolchain) = &self.toolchain {
            command.arg(format!("+{toolchain}"));
        }
        command.args(&self.args).current_dir(workspace::root());
        for (name, value) in &self.env {
            command.env(name, value);
        }
        if is_ci() {
            command
                .env("CARGO_TERM_COLOR", "never")
                .env("CARGO_TERM_PROGRESS_WHEN", "never");
        }
        command
    }
}

/// The line that does the same in a shell.
impl fmt::Display for Cargo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.env {
            write!(f, "{name}={} ", quoted(value))?;
        }
        f.write_str("cargo")?;
        if let Some(toolchain) = &self.toolchain {
            write!(f, " +{toolchain}")?;
        }
        for arg in &self.args {
            write!(f, " {}", quoted(arg))?;
        }
        Ok(())
    }
}

/// True where `CI` is set to anything but `false`: no colour, no progress bars.
pub(crate) fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=+./,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_itself_as_a_shell_line() {
        let call = Cargo::new(["test", "--lib"])
            .toolchain("nightly")
            .arg("it's")
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(
            call.to_string(),
            r"RUSTDOCFLAGS='-D warnings' cargo +nightly test --lib 'it'\''s'"
        );
    }
}
