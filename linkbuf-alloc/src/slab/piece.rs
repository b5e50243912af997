//! One piece cut into blocks: which of its pages are out, dirty, old, initialised.

use std::ptr::NonNull;

use super::bits::{self, ORDERS, WORD};
use crate::source::{Grain, PAGE, Piece};

/// Pages of the largest piece.
const PAGES_MAX: usize = (2 << 20) / PAGE;

/// 64 pages.
#[derive(Clone, Copy, Debug, Default)]
struct Pages {
    /// No block holds them.
    free: u64,
    /// They were handed out since they were last purged.
    dirty: u64,
    /// They are free, and were when the pieces were last looked through for old ones.
    old: u64,
    /// All their bytes are initialised.
    init: u64,
}

/// Pages that are to be purged: a bit each.
pub(super) type PageSet = [u64; PAGES_MAX / WORD];

/// Pages that a block was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) start: NonNull<u8>,
    pub(super) pages: usize,
    /// Initialised bytes at its start.
    pub(super) init: usize,
}

/// A piece and its books.
///
/// A piece longer than an ordinary one is a single block, and is never free; its books are those of no page.
#[derive(Debug)]
pub(super) struct Slab<O> {
    pub(super) piece: Piece<O>,
    /// Blocks are cut from it. One that is not is a single block.
    pub(super) carved: bool,
    /// Pages that are not free.
    pub(super) used: usize,
    /// It was empty when the pieces were last looked through, and is since.
    pub(super) idle: bool,
    /// It was on large pages, and was split.
    pub(super) split: bool,
    /// This process was forked from the one that took it.
    pub(super) lost: bool,
    words: [Pages; PAGES_MAX / WORD],
}

// The piece starts at an address, so its owner keeps it: moving a slab moves no page.
impl<O> Slab<O> {
    /// Books for a piece that is cut into blocks: all of it is free.
    pub(super) fn carved(piece: Piece<O>) -> Self {
        let mut slab = Slab::single(piece);
        slab.used = 0;
        slab.carved = true;
        for (at, mask) in bits::masks(0, slab.pages()) {
            if let Some(word) = slab.words.get_mut(at) {
                word.free = mask;
                word.init = if slab.piece.init { mask } else { 0 };
            }
        }
        slab
    }

    /// Books for a piece that is one block.
    pub(super) fn single(piece: Piece<O>) -> Self {
        Slab {
            used: piece.len / PAGE,
            piece,
            carved: false,
            idle: false,
            split: false,
            lost: false,
            words: [Pages::default(); PAGES_MAX / WORD],
        }
    }

    pub(super) fn start(&self) -> usize {
        self.piece.start.addr().get()
    }

    fn pages(&self) -> usize {
        (self.piece.len / PAGE).min(PAGES_MAX)
    }

    fn words(&self) -> &[Pages] {
        let words = self.pages().div_ceil(WORD);
        self.words.get(..words).unwrap_or(&self.words)
    }

    /// The orders of blocks that it has room for, a bit each.
    pub(super) fn fits(&self) -> u8 {
        if self.lost {
            return 0;
        }
        // The high pages are used last, so what has room for all says so at once.
        let mut found = 0;
        for word in self.words().iter().rev().filter(|word| word.free != 0) {
            found |= bits::orders(word.free);
            if found == bits::ALL_ORDERS {
                break;
            }
        }
        found
    }

    /// Cuts a block of 2^order pages, as low as it can be had.
    pub(super) fn cut_block(&mut self, order: usize) -> Option<Cut> {
        debug_assert!(order < ORDERS);
        let (at, starts) = self.words().iter().enumerate().find_map(|(at, word)| {
            let starts = bits::full_blocks(word.free, order);
            (starts != 0).then_some((at, starts))
        })?;
        // A block lies within a word.
        let low = starts.trailing_zeros();
        let mask = bits::block(order) << low;
        Some(self.take(at * WORD + low as usize, 1 << order, [(at, mask)]))
    }

    /// Cuts a run of pages that starts where a block of the largest order may.
    pub(super) fn cut_run(&mut self, pages: usize) -> Option<Cut> {
        let first = (0..=self.pages().checked_sub(pages)?)
            .step_by(1 << (ORDERS - 1))
            .find(|first| {
                bits::masks(*first, pages)
                    .all(|(at, mask)| self.words.get(at).is_some_and(|w| w.free & mask == mask))
            })?;
        Some(self.take(first, pages, bits::masks(first, pages)))
    }

    fn take(
        &mut self,
        first: usize,
        pages: usize,
        masks: impl IntoIterator<Item = (usize, u64)>,
    ) -> Cut {
        let (mut init, mut unbroken) = (0, true);
        for (at, mask) in masks {
            let Some(word) = self.words.get_mut(at) else {
                continue;
            };
            word.free &= !mask;
            word.dirty |= mask;
            word.old &= !mask;
            if unbroken {
                let known = ((word.init & mask) >> mask.trailing_zeros()).trailing_ones();
                init += known as usize;
                unbroken = known == mask.count_ones();
            }
        }
        self.used += pages;
        self.idle = false;
        Cut {
            // The page lies in the piece, so this neither wraps around nor becomes null.
            start: self
                .piece
                .start
                .map_addr(|start| start.saturating_add(first * PAGE)),
            pages,
            init: init * PAGE,
        }
    }

    /// Takes the pages of a block back, of which the first `init` bytes are initialised.
    pub(super) fn put(&mut self, start: usize, pages: usize, init: usize) {
        self.used = self.used.saturating_sub(pages);
        if !self.carved {
            return;
        }
        let first = start.saturating_sub(self.start()) / PAGE;
        debug_assert!(first + pages <= self.pages(), "a block of another piece");
        for (at, mask) in bits::masks(first, (init / PAGE).min(pages)) {
            if let Some(word) = self.words.get_mut(at) {
                word.init |= mask;
            }
        }
        for (at, mask) in bits::masks(first, pages) {
            if let Some(word) = self.words.get_mut(at) {
                debug_assert_eq!(word.free & mask, 0, "a block was given back twice");
                word.free |= mask;
            }
        }
    }

    /// Notes which pages are free now, and gives those to purge, which are no longer free until [`purged`]: of an
    /// ordinary piece each dirty one as part of a whole page of the system, of one that stands on large pages all,
    /// if they are at least half of it. With `old`, only such as were free the last time.
    ///
    /// [`purged`]: Self::purged
    pub(super) fn purge(&mut self, old: bool, system_order: usize) -> Option<PageSet> {
        if self.lost || self.piece.grain == Grain::Whole {
            return None;
        }
        let splits = self.piece.grain == Grain::Splits;
        let mut set = PageSet::default();
        for (pick, word) in set.iter_mut().zip(&mut self.words) {
            *pick = if splits {
                // Touching one page of a large one brought in all of them.
                let ready = if old { word.old } else { word.free };
                word.old = word.free;
                word.free & ready
            } else {
                let ready = if old { word.old | !word.dirty } else { !0 };
                word.old = word.free & word.dirty;
                bits::keep_full(word.free & ready, system_order)
                    & bits::fill_touched(word.dirty, system_order)
            };
        }
        let count = count(&set);
        if count == 0 || (splits && count * 2 < self.pages()) {
            return None;
        }
        for (pick, word) in set.iter().zip(&mut self.words) {
            word.free &= !pick;
            word.old &= !pick;
        }
        self.used += count;
        Some(set)
    }

    /// The pages of the set are free again, and clean if purging them went well.
    pub(super) fn purged(&mut self, set: &PageSet, split: bool, clean: bool) {
        if split {
            // From now on it counts by the page, and all of it was brought in.
            self.piece.grain = Grain::Page;
            self.split = true;
        }
        for (pick, word) in set.iter().zip(&mut self.words) {
            word.free |= pick;
            if split {
                word.dirty = !0;
            }
            if clean {
                word.dirty &= !pick;
                word.old &= !pick;
            }
        }
        self.used = self.used.saturating_sub(count(set));
    }

    /// What the books say of themselves; for tests.
    #[cfg(test)]
    pub(super) fn assert_sound(&self) {
        if !self.carved {
            assert!(self.used == 0 || self.used == self.piece.len / PAGE);
            return;
        }
        let pages = self.pages();
        let mut free = 0;
        for (at, word) in self.words.iter().enumerate() {
            let inside = bits::masks(0, pages)
                .find(|(i, _)| *i == at)
                .map_or(0, |(_, mask)| mask);
            assert_eq!(word.free & !inside, 0, "free pages beyond the piece");
            assert_eq!(word.old & !word.free, 0, "an old page is a free one");
            free += word.free.count_ones() as usize;
        }
        assert_eq!(self.used + free, self.piece.len / PAGE);
    }
}

/// Pages in a set.
pub(super) fn count(set: &PageSet) -> usize {
    set.iter().map(|word| word.count_ones() as usize).sum()
}
