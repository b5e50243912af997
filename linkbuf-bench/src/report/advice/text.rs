//! The advice for a terminal.

use super::{Advice, advise};
use crate::results::Results;

/// What to choose, and where linkbuf's default is slower than a peer: some lines for each kind of use.
///
/// Empty if nothing was measured that an advice could be drawn from.
///
/// ```
/// use linkbuf_bench::{report::advice, results::Results};
/// assert_eq!(advice::text(&Results::default()), "");
/// ```
pub fn text(results: &Results) -> String {
    let advice = advise(results);
    let mut text = String::new();
    if !advice.picks.is_empty() {
        text.push_str("What did best here\n");
    }
    for pick in &advice.picks {
        text += &format!("\n{}: {}, {}\n", pick.name, pick.best, pick.found);
        if !pick.how.is_empty() {
            text += &format!("    write   {}\n", pick.how);
        }
        for (heading, lines) in [("beside", &pick.beside), ("costs", &pick.costs)] {
            for (n, line) in lines.iter().enumerate() {
                text += &format!("    {:<7} {line}\n", if n == 0 { heading } else { "" });
            }
        }
        text += &format!("    from    {}\n", pick.source);
    }
    text + &slower(&advice)
}

fn slower(advice: &Advice) -> String {
    let mut text = super::verdict(advice).map_or_else(String::new, |line| format!("\n{line}\n"));
    for slower in &advice.slower {
        text += &format!("    {slower}\n");
    }
    text
}
