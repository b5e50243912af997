//! The plots: which there are, in which order, and what is said beside them.

use maud::{Markup, html};

use super::{Section, drawn};
use crate::report::{
    names,
    plot::{self, Plot},
};
use crate::results::Results;

/// How wide plots are drawn for wide screens, and for phones.
const WIDE: i32 = 1000;
const NARROW: i32 = 420;

/// What the files' names begin with.
pub(super) const PREFIXES: [&str; 4] = ["memory-", "idle-", "time-", "return-"];

/// A plot that is drawn anew for narrow screens, or one that is narrow enough.
struct Shown {
    plot: Plot,
    narrow: Option<Plot>,
}

/// Plots of one kind, under one heading.
pub(super) struct Group {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    large: Vec<Shown>,
    small: Vec<Shown>,
    /// Shown when asked for.
    more: Vec<Shown>,
    more_title: &'static str,
}

impl Group {
    /// What goes to files.
    pub(super) fn files(&self) -> impl Iterator<Item = &Plot> {
        let all = self.large.iter().chain(&self.small).chain(&self.more);
        all.map(|shown| &shown.plot)
    }

    fn is_empty(&self) -> bool {
        self.large.is_empty() && self.small.is_empty() && self.more.is_empty()
    }
}

fn single(plot: Plot) -> Shown {
    Shown { plot, narrow: None }
}

/// The plot that `draw` makes of a name and a width, both ways.
fn both(name: &str, draw: impl Fn(&str, i32) -> Option<Plot>) -> Option<Shown> {
    Some(Shown {
        plot: draw(name, WIDE)?,
        narrow: draw(name, NARROW),
    })
}

/// All that can be drawn of `results`. Groups without a plot are left out.
pub(super) fn all(results: &Results) -> Vec<Group> {
    let groups = [
        memory(results),
        idle(results),
        time(results),
        returned(results),
    ];
    groups
        .into_iter()
        .filter(|group| !group.is_empty())
        .collect()
}

fn memory(results: &Results) -> Group {
    let kept = names::kept_scenarios(&results.retention);
    let draw = |scenario: &&[_]| {
        let scenario: &[crate::results::Kept] = scenario;
        let name = format!("memory-{}", scenario[0].scenario);
        both(&name, |name, wide| plot::over_time(name, scenario, wide))
    };
    // Whole lives of buffers first; blocks that go back are told by their times too.
    let (lives, blocks): (Vec<&[_]>, Vec<&[_]>) = kept
        .iter()
        .copied()
        .partition(|scenario| scenario.iter().any(|kept| !kept.marks.is_empty()));
    let lives: Vec<_> = lives.iter().filter_map(draw).collect();
    let blocks: Vec<_> = blocks.iter().filter_map(draw).collect();
    let (large, more) = if lives.is_empty() {
        (blocks, Vec::new())
    } else {
        (lives, blocks)
    };
    Group {
        id: "memory",
        title: "Memory over time",
        about: "What is resident of a process, by backend and policy. Each had a process of its own; grounds of \
                changing grey are the parts of the run.",
        large,
        small: Vec::new(),
        more,
        more_title: "Blocks alone, without buffers",
    }
}

fn idle(results: &Results) -> Group {
    let mut kept = names::kept_scenarios(&results.retention);
    // Where most are compared comes first.
    kept.sort_by_key(|scenario| std::cmp::Reverse(scenario.len()));
    Group {
        id: "idle",
        title: "Idle bytes per connection",
        about: "What a buffer keeps when a large message has passed through it and nothing more comes. The axis is \
                logarithmic: each mark is sixteen times the one before.",
        large: Vec::new(),
        small: kept
            .iter()
            .filter_map(|scenario| plot::idle(scenario))
            .map(single)
            .collect(),
        more: Vec::new(),
        more_title: "",
    }
}

fn time(results: &Results) -> Group {
    let all = names::scenarios(&results.throughput);
    let (allocators, buffers): (Vec<&[_]>, Vec<&[_]>) = all
        .iter()
        .copied()
        .partition(|scenario| names::is_of_allocators(scenario));
    let overview = |name: &str, title: &str, scenarios: &[&[_]]| {
        both(name, |name, wide| {
            plot::overview(name, title, scenarios, wide)
        })
    };
    let buffers = overview("time-buffers", "Buffers: time beside BytesMut", &buffers);
    let allocators = overview(
        "time-allocators",
        "Allocators: time beside others",
        &allocators,
    );
    Group {
        id: "time",
        title: "Time beside BytesMut",
        about: "Each scenario's times as multiples of its base's: BytesMut's, unless another is named after ÷. A ratio \
                is formed within a round; the mark is the median of the rounds, the whiskers are the quartiles. The \
                line is the base: left of it is faster.",
        large: buffers.into_iter().chain(allocators).collect(),
        small: Vec::new(),
        more: all
            .iter()
            .filter_map(|scenario| plot::of_scenario(scenario))
            .map(single)
            .collect(),
        more_title: "Each scenario, with all who took part",
    }
}

fn returned(results: &Results) -> Group {
    let (mut small, mut more) = (Vec::new(), Vec::new());
    for scenario in names::kept_scenarios(&results.retention) {
        for mode in names::modes(scenario) {
            let list = if mode.said.is_empty() {
                &mut small
            } else {
                &mut more
            };
            list.extend(plot::returned(scenario, &mode).map(single));
        }
    }
    Group {
        id: "return",
        title: "When memory comes back",
        about: "How long it takes until 90 % of what a burst took has gone back to the system (t90). \u{201c}Never\u{201d} \
                means: not while it was watched, which the settings tell.",
        large: Vec::new(),
        small,
        more,
        more_title: "Alone, with a heartbeat, after trim(), freed by another thread",
    }
}

/// A group as a part of the page.
pub(super) fn section(group: &Group) -> Section {
    let body = html! {
        h2 { (group.title) }
        p { (group.about) }
        @for shown in &group.large { (figure(shown)) }
        @if !group.small.is_empty() {
            div.grid { @for shown in &group.small { (figure(shown)) } }
        }
        @if !group.more.is_empty() {
            details {
                summary { (group.more_title) }
                div class=[(group.more[0].narrow.is_none()).then_some("grid")] {
                    @for shown in &group.more { (figure(shown)) }
                }
            }
        }
    };
    Section {
        id: group.id,
        link: group.title,
        body,
    }
}

fn figure(shown: &Shown) -> Markup {
    let Shown { plot, narrow } = shown;
    html! {
        figure {
            @match narrow {
                None => (drawn(plot, &plot.name)),
                Some(narrow) => {
                    div.wide { (drawn(plot, &plot.name)) }
                    div.narrow { (drawn(narrow, &format!("{}-narrow", plot.name))) }
                }
            }
        }
    }
}
