//! How far a run is, and how much time it will still take: a bar on a terminal, a line per part elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A part's share of a run, as it was planned and as it turned out.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    /// Seconds that its steps are planned for.
    planned: f64,
    /// Of these, those that are done.
    done: f64,
    /// Seconds that they took.
    took: f64,
}

/// So many seconds of a part pass before its plan is doubted much.
const TRUST: f64 = 3.0;

impl Share {
    /// Seconds that the rest of it takes, if it goes on as it did.
    fn left(self) -> f64 {
        let pace = (self.took + TRUST) / (self.done + TRUST);
        (self.planned - self.done).max(0.0) * pace
    }
}

/// The progress of a run.
pub(crate) struct Progress {
    bar: ProgressBar,
    parts: Vec<(&'static str, Share)>,
    start: Instant,
    step: Instant,
}

impl Progress {
    /// Of a run of these parts, of so many seconds each.
    pub(crate) fn new(parts: &[(&'static str, f64)]) -> Self {
        let target = if std::io::stdout().is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let template = "{wide_bar} {percent:>3} %  {elapsed} gone, {prefix} left\n{wide_msg}";
        let style = ProgressStyle::with_template(template).expect("the template is well formed");
        let share = |planned| Share {
            planned,
            ..Share::default()
        };
        let bar = ProgressBar::with_draw_target(Some(1_000), target).with_style(style);
        // The clock goes on while a step takes its time.
        bar.enable_steady_tick(Duration::from_secs(1));
        Self {
            bar,
            parts: parts.iter().map(|&(name, s)| (name, share(s))).collect(),
            start: Instant::now(),
            step: Instant::now(),
        }
    }

    /// A part begins.
    pub(crate) fn part(&self, name: &str, steps: usize) {
        if self.bar.is_hidden() {
            eprintln!("{name}: {steps} steps, about {} left", time(self.left()));
        }
    }

    /// A step begins.
    pub(crate) fn begin(&mut self, what: String) {
        self.step = Instant::now();
        self.show();
        self.bar.set_message(what);
    }

    /// The step of the part `name` that was planned for so many seconds is done.
    pub(crate) fn end(&mut self, name: &str, planned: f64) {
        let part = self.parts.iter_mut().find(|(part, _)| *part == name);
        if let Some((_, share)) = part {
            share.done += planned;
            share.took += self.step.elapsed().as_secs_f64();
        }
        self.show();
    }

    /// No more of it is shown.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn left(&self) -> f64 {
        self.parts.iter().map(|(_, share)| share.left()).sum()
    }

    fn show(&self) {
        let (gone, left) = (self.start.elapsed().as_secs_f64(), self.left());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1000"
        )]
        let position = (gone / (gone + left).max(0.001) * 1_000.0) as u64;
        self.bar.set_position(position);
        self.bar.set_prefix(time(left));
    }
}

/// Seconds, for people.
fn time(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "some hours at most"
    )]
    let whole = seconds.max(0.0).ceil() as u64;
    match whole {
        0..100 => format!("{whole} s"),
        _ => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{Share, time};

    #[test]
    fn what_is_left_follows_what_was_found() {
        let new = Share {
            planned: 100.0,
            ..Share::default()
        };
        assert_eq!(new.left(), 100.0);
        let slow = Share {
            done: 50.0,
            took: 100.0,
            ..new
        };
        assert!((90.0..100.0).contains(&slow.left()), "{}", slow.left());
        let over = Share { done: 120.0, ..new };
        assert_eq!(over.left(), 0.0);
    }

    #[test]
    fn times_are_told_in_seconds_and_minutes() {
        assert_eq!(
            [time(0.2), time(99.0), time(125.0)],
            ["1 s", "99 s", "2 min 05 s"]
        );
    }
}
