//! The kinds of use, and what stands for each: the one table to change if a scenario is added that stands better.

use crate::results::{Figure, Kept};

use super::super::names;

/// What a use is judged by.
pub(super) enum By {
    /// The least time in the first of these scenarios that was measured. The others are told beside it.
    Time(&'static [&'static str]),
    /// The least of these figures in the first of these scenarios that was measured; where two don't differ in the
    /// first figure, the next one decides.
    Kept(&'static [&'static str], &'static [Want]),
}

/// A figure that is wanted small.
pub(super) struct Want {
    /// How it is told, `{}` being its value.
    pub(super) what: &'static str,
    pub(super) find: fn(&Kept) -> Option<&Figure>,
    /// Differences below this part of the larger one, and below so much, say nothing: it was found once.
    pub(super) noise: (f64, f64),
}

/// A kind of use.
pub(super) struct Use {
    pub(super) name: &'static str,
    pub(super) by: By,
}

/// A buffer more or less resident in ten thousand, and the heap's own pages, make some hundred bytes.
const IDLE: Want = Want {
    what: "{} per idle buffer",
    find: names::idle,
    noise: (0.1, 512.0),
};

/// Looks are 50 ms apart, and the trimmer comes every 250.
const BACK: Want = Want {
    what: "90 % back after {}",
    find: names::back,
    noise: (0.1, 0.25),
};

/// Of two runs the peaks differ by some hundredths.
const PEAK: Want = Want {
    what: "at the peak {} what was live",
    find: names::peak,
    noise: (0.05, 0.05),
};

/// All of them, in the order in which they are told.
pub(super) const USES: &[Use] = &[
    Use {
        name: "Many idle connections",
        by: By::Kept(&["burst-many", "R5"], &[IDLE]),
    },
    Use {
        name: "Small RPC",
        by: By::Time(&[
            "rpc",
            "replay-small",
            "lines",
            "trickle",
            "fanout-small",
            "W1",
            "W2",
        ]),
    },
    Use {
        name: "Large payloads",
        by: By::Time(&["replay-large", "W8", "W4", "W3", "fanout"]),
    },
    Use {
        name: "Streaming proxy",
        by: By::Time(&["proxy", "tls", "replay-mixed"]),
    },
    Use {
        name: "Bursts",
        by: By::Kept(&["burst-few", "burst-many", "R2"], &[BACK, PEAK]),
    },
];
