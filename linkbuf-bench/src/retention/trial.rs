//! What is measured, and how much of it.

use std::fmt;
use std::time::Duration;

/// What is measured.
///
/// ```
/// use linkbuf_bench::retention::Trial;
/// assert_eq!(Trial::named("r3-TRIM"), Some(Trial::OtherTrim));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// All blocks given back, then `trim()`.
    Trim,
    /// All blocks given back, then nothing: a trimmer thread runs.
    Silent,
    /// As `Trim`; another thread gives the blocks back, and lives on.
    OtherTrim,
    /// As `Silent`; another thread gives the blocks back, and lives on.
    OtherSilent,
    /// One in 64 blocks stays, at random; then `trim()`.
    Survivors,
    /// Idle buffers, of the default policy.
    Idle,
    /// Idle buffers that release all.
    IdleRelease,
    /// A large message through each of very many buffers.
    BurstMany,
    /// A large message through each of some buffers, and how its memory comes back in every mode.
    BurstFew,
    /// One in 64 slices is kept.
    Pinned,
}

impl Trial {
    /// All of them, in the order in which they are told.
    pub const ALL: &[Self] = &[
        Self::Trim,
        Self::Silent,
        Self::OtherTrim,
        Self::OtherSilent,
        Self::Survivors,
        Self::Idle,
        Self::IdleRelease,
        Self::BurstMany,
        Self::BurstFew,
        Self::Pinned,
    ];

    /// Its name on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Trim => "R1",
            Self::Silent => "R2",
            Self::OtherTrim => "R3-trim",
            Self::OtherSilent => "R3-silent",
            Self::Survivors => "R4",
            Self::Idle => "R5",
            Self::IdleRelease => "R5-release",
            Self::BurstMany => "burst-many",
            Self::BurstFew => "burst-few",
            Self::Pinned => "pin",
        }
    }

    /// The one of that name, in upper or lower case.
    pub fn named(id: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|trial| trial.id().eq_ignore_ascii_case(id))
    }

    /// What is done in it, with how much.
    ///
    /// ```
    /// use linkbuf_bench::retention::{Sizes, Trial};
    /// assert!(Trial::Idle.title(Sizes::FULL).starts_with("10000 buffers"));
    /// ```
    pub fn title(self, sizes: Sizes) -> String {
        let mib = sizes.mib;
        let blocks = format!("{mib} MiB of 8 KiB blocks taken, written and given back");
        let buffers = format!("{} buffers idle after 1 MiB each", sizes.buffers);
        let burst = |n| format!("{n} buffers: small messages, then 1 MiB through each, then idle");
        match self {
            Self::Trim => format!("{blocks}, then trim()"),
            Self::Silent => format!("{blocks}, then silence, with a trimmer thread"),
            Self::OtherTrim => format!("{blocks} by another thread, then trim()"),
            Self::OtherSilent => format!("{blocks} by another thread, then silence"),
            Self::Survivors => format!("{blocks} but for one in 64 at random, then trim()"),
            Self::Idle => buffers,
            Self::IdleRelease => format!("{buffers}, TailPolicy::Release"),
            Self::BurstMany => burst(sizes.buffers),
            Self::BurstFew => burst(sizes.few()),
            Self::Pinned => format!(
                "{} MiB of messages cut into slices of 1 KiB, of which one in 64 is kept",
                sizes.pin_mib()
            ),
        }
    }

    /// The names of those who take part, in the order of the tables.
    ///
    /// ```
    /// use linkbuf_bench::retention::Trial;
    /// assert!(Trial::BurstMany.subjects().contains(&"bytes_mut"));
    /// ```
    pub fn subjects(self) -> Vec<&'static str> {
        super::entries(self).map(|entry| entry.name).collect()
    }

    /// Whether whole buffers are weighed, and not only blocks.
    pub(super) fn is_of_buffers(self) -> bool {
        matches!(
            self,
            Self::Idle | Self::IdleRelease | Self::BurstMany | Self::BurstFew | Self::Pinned
        )
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// How much is taken.
///
/// ```
/// use linkbuf_bench::retention::Sizes;
/// assert_eq!(Sizes::FULL.mib, 1024);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// MiB of blocks.
    pub mib: usize,
    /// Buffers, where they are very many.
    pub buffers: usize,
    /// How long a silent program is watched at most.
    pub watch: Duration,
}

impl Sizes {
    /// The sizes that the bars are for.
    pub const FULL: Self = Self {
        mib: 1024,
        buffers: 10_000,
        watch: Duration::from_secs(5),
    };

    /// A first look.
    pub const QUICK: Self = Self {
        mib: 128,
        buffers: 1000,
        watch: Duration::from_millis(2200),
    };

    /// Buffers, where they are few.
    pub(super) fn few(self) -> usize {
        self.buffers.min(100)
    }

    /// MiB of messages that are cut.
    pub(super) fn pin_mib(self) -> usize {
        self.mib.div_ceil(4)
    }
}
