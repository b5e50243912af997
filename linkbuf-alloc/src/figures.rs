//! What a backend knows of itself: live, cached, free, mapped; by size class and by rung; hits and misses.

use std::fmt;

use linkbuf_core::AllocFigures;

/// Size classes that figures tell apart: 4, 8, 16, 32, 64, 128, 256, 512 KiB and 1 MiB.
pub const CLASSES: usize = 9;

/// What kind of pages a piece of memory stands on.
///
/// ```
/// assert_eq!(linkbuf_alloc::Rung::HugeTlb.to_string(), "hugetlb");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rung {
    /// Pages of 2 MiB that the administrator reserved, populated when they were mapped.
    HugeTlb,
    /// Ordinary memory, aligned to 2 MiB, for which the kernel was asked for transparent huge pages.
    Transparent,
    /// Ordinary pages.
    Plain,
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Rung::HugeTlb => "hugetlb",
            Rung::Transparent => "transparent",
            Rung::Plain => "plain",
        })
    }
}

/// The figures of one rung.
///
/// ```
/// use linkbuf_alloc::{Figures, Rung};
///
/// let figures = Figures::default(); // or what a backend's `report()` says
/// let huge = figures.rung(Rung::HugeTlb);
/// assert_eq!((huge.pieces, huge.last_error), (0, None));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RungFigures {
    /// Pieces that stand on it at present.
    pub pieces: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Times it was asked for and not to be had.
    pub failures: u64,
    /// The system's error number of the last of these times.
    pub last_error: Option<i32>,
}

/// The figures of one size class.
///
/// ```
/// let of_4_kib = linkbuf_alloc::Figures::default().class(4096);
/// assert_eq!((of_4_kib.hits, of_4_kib.misses), (0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassFigures {
    /// Blocks in caches.
    pub cached_blocks: u64,
    /// Requests that a cache served.
    pub hits: u64,
    /// Requests that went on to the memory behind the caches.
    pub misses: u64,
}

/// What a backend holds and has done. Zero where it does not count.
///
/// While no thread is inside the backend, `live + cached + free = mapped`. It is shown as a table, without the classes
/// and rungs of which there is nothing to say.
///
/// ```
/// let figures = linkbuf_alloc::Figures::default();
/// assert!(figures.to_string().starts_with("live           0 B in 0 blocks"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Live, cached, free and mapped.
    pub totals: AllocFigures,
    /// The most that was ever mapped.
    pub peak_mapped_bytes: u64,
    /// By size class, from 4 KiB on.
    pub classes: [ClassFigures; CLASSES],
    /// By rung: hugetlb, transparent, plain. Zero for memory that is not mapped.
    pub rungs: [RungFigures; 3],
    /// Blocks given back on another thread than the one that took them, at least.
    pub remote_frees: u64,
    /// Bytes of the backend's own tables, caches and magazines, empty ones too. They come from the program's global heap
    /// and are no part of the other figures.
    pub own_bytes: u64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = &self.totals;
        let live = totals.live_bytes;
        writeln!(
            f,
            "live    {:>10} in {} blocks",
            Bytes(live),
            totals.live_blocks
        )?;
        writeln!(f, "cached  {:>10}", Bytes(totals.cached_bytes))?;
        writeln!(f, "free    {:>10}", Bytes(totals.free_bytes))?;
        let (mapped, peak) = (totals.mapped_bytes, self.peak_mapped_bytes);
        write!(f, "mapped  {:>10} (peak {})", Bytes(mapped), Bytes(peak))?;
        if self.own_bytes > 0 {
            write!(f, "\nown     {:>10}", Bytes(self.own_bytes))?;
        }
        if self.remote_frees > 0 {
            write!(
                f,
                "\nfreed by another thread: {} or more",
                self.remote_frees
            )?;
        }
        self.show_classes(f)?;
        self.show_rungs(f)
    }
}

impl Figures {
    /// The figures of one rung.
    #[must_use]
    pub fn rung(&self, rung: Rung) -> RungFigures {
        self.rungs.get(rung as usize).copied().unwrap_or_default()
    }

    /// The figures of the class that serves requests for `bytes` bytes; all zero where there is none.
    #[must_use]
    pub fn class(&self, bytes: usize) -> ClassFigures {
        let smallest = bytes.max(1).div_ceil(4096).checked_next_power_of_two();
        let class = smallest.map_or(CLASSES, |pages| pages.trailing_zeros() as usize);
        self.classes.get(class).copied().unwrap_or_default()
    }

    fn show_classes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut headed = false;
        for (class, figures) in self.classes.iter().enumerate() {
            if *figures == ClassFigures::default() {
                continue;
            }
            if !headed {
                write!(
                    f,
                    "\n{:<12}{:>10}{:>16}{:>12}",
                    "class", "cached", "hits", "misses"
                )?;
                headed = true;
            }
            // Padding goes by the whole text, so the number needs to be one first.
            let size = Bytes(4096 << class).to_string();
            let ClassFigures {
                cached_blocks,
                hits,
                misses,
            } = figures;
            write!(f, "\n{size:<12}{cached_blocks:>10}{hits:>16}{misses:>12}")?;
        }
        Ok(())
    }

    fn show_rungs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut headed = false;
        for (rung, figures) in [Rung::HugeTlb, Rung::Transparent, Rung::Plain]
            .into_iter()
            .zip(&self.rungs)
        {
            if *figures == RungFigures::default() {
                continue;
            }
            if !headed {
                write!(
                    f,
                    "\n{:<12}{:>10}{:>16}{:>12}",
                    "rung", "pieces", "bytes", "failures"
                )?;
                headed = true;
            }
            let bytes = Bytes(figures.bytes).to_string();
            let (pieces, failures) = (figures.pieces, figures.failures);
            write!(f, "\n{rung:<12}{pieces:>10}{bytes:>16}{failures:>12}")?;
            if let Some(error) = figures.last_error {
                write!(f, "  last: {}", std::io::Error::from_raw_os_error(error))?;
            }
        }
        Ok(())
    }
}

/// Bytes in the largest unit of which there is at least one, with one place after the point where it is not whole.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let at = (self.0.max(1).ilog2() / 10).min(4);
        let unit = UNITS.get(at as usize).unwrap_or(&"TiB");
        let one = 1_u64 << (10 * at);
        let (whole, rest) = (self.0 / one, self.0 % one);
        if rest == 0 {
            f.pad(&format!("{whole} {unit}"))
        } else {
            // Cut off and not rounded, so that it never says more than there is.
            f.pad(&format!(
                "{whole}.{} {unit}",
                u128::from(rest) * 10 / u128::from(one)
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_said_in_the_unit_that_fits() {
        for (bytes, said) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (3 << 30, "3 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), said);
        }
    }

    #[test]
    fn classes_are_found_by_the_request() {
        let mut figures = Figures::default();
        for (class, hits) in figures.classes.iter_mut().zip(1..) {
            class.hits = hits;
        }
        for (bytes, hits) in [
            (0, 1),
            (1, 1),
            (4096, 1),
            (4097, 2),
            (1 << 20, 9),
            ((1 << 20) + 1, 0),
            (usize::MAX, 0),
        ] {
            assert_eq!(figures.class(bytes).hits, hits, "{bytes}");
        }
    }

    #[test]
    fn the_table_leaves_out_what_is_nothing() {
        let mut figures = Figures::default();
        figures.totals.live_blocks = 3;
        figures.totals.live_bytes = 20 << 10;
        figures.totals.cached_bytes = 1 << 20;
        figures.totals.mapped_bytes = 5 << 19;
        figures.peak_mapped_bytes = 3 << 30;
        figures.classes[1].hits = 1234;
        figures.rungs[Rung::Plain as usize].pieces = 2;
        let lines = [
            "live        20 KiB in 3 blocks",
            "cached       1 MiB",
            "free           0 B",
            "mapped     2.5 MiB (peak 3 GiB)",
            "class           cached            hits      misses",
            "8 KiB                0            1234           0",
            "rung            pieces           bytes    failures",
            "plain                2             0 B           0",
        ];
        assert_eq!(figures.to_string(), lines.join("\n"));
    }

    #[test]
    fn an_error_is_told_in_the_systems_words() {
        let mut figures = Figures {
            remote_frees: 7,
            ..Figures::default()
        };
        figures.rungs[0].failures = 1;
        figures.rungs[0].last_error = Some(12);
        let said = figures.to_string();
        assert!(
            said.contains("freed by another thread: 7 or more"),
            "{said}"
        );
        assert!(
            said.lines().last().unwrap().starts_with("hugetlb"),
            "{said}"
        );
        assert!(said.contains("last: ") && said.contains("12"), "{said}");
    }
}
