//! The bar that shows how far long work is. Nothing is shown where the output is no terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(crate) fn bar(steps: usize) -> ProgressBar {
    let target = if std::io::stdout().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style =
        ProgressStyle::with_template("{wide_bar} {percent:>3} %  {elapsed} of {duration}\n{msg}");
    ProgressBar::with_draw_target(Some(steps as u64), target)
        .with_style(style.expect("the template is well formed"))
}
