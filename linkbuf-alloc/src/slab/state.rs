//! What is behind the lock: the pieces and the counts.

use std::{
    collections::TryReserveError,
    mem,
    ptr::NonNull,
    time::{Duration, Instant},
};

use linkbuf_core::RawBlock;

use super::{
    Want,
    piece::{Cut, PageSet, Slab},
    table::Table,
};
use crate::{
    Figures, Rung,
    source::{Grain, PAGE, Piece},
};

/// What to do while the lock is open.
#[derive(Debug)]
pub(super) enum Job<O> {
    Nothing,
    /// It is out of the books.
    GiveBack(Piece<O>),
    /// The pages are out of the free ones, until [`State::purged`]; if `split`, the piece is to be split first.
    Purge {
        start: NonNull<u8>,
        len: usize,
        split: bool,
        set: PageSet,
    },
}

/// The pieces and the counts.
#[derive(Debug)]
pub(super) struct State<O> {
    table: Table<O>,
    /// Empty pieces in the table.
    spares: usize,
    /// `live + free = mapped`; nothing is cached here.
    figures: Counts,
    /// When old pages were last looked for.
    swept: Option<Instant>,
    /// The source's [`losses`](crate::PageSource::losses) as last seen.
    losses: usize,
}

#[derive(Debug)]
struct Counts {
    live_blocks: u64,
    live: u64,
    mapped: u64,
    peak: u64,
    /// Pieces and bytes by rung.
    rungs: [(u64, u64); 3],
}

impl Counts {
    fn map(&mut self, rung: Option<Rung>, len: usize) {
        self.mapped += len as u64;
        self.peak = self.peak.max(self.mapped);
        if let Some((pieces, bytes)) = rung.and_then(|rung| self.rungs.get_mut(rung as usize)) {
            *pieces += 1;
            *bytes += len as u64;
        }
    }

    fn unmap(&mut self, rung: Option<Rung>, len: usize) {
        self.mapped = self.mapped.saturating_sub(len as u64);
        if let Some((pieces, bytes)) = rung.and_then(|rung| self.rungs.get_mut(rung as usize)) {
            *pieces = pieces.saturating_sub(1);
            *bytes = bytes.saturating_sub(len as u64);
        }
    }

    fn take(&mut self, start: NonNull<u8>, len: usize, init: usize) -> RawBlock {
        self.live_blocks += 1;
        self.live += len as u64;
        RawBlock {
            ptr: start,
            len,
            init,
        }
    }

    fn put(&mut self, len: usize) {
        self.live_blocks = self.live_blocks.saturating_sub(1);
        self.live = self.live.saturating_sub(len as u64);
    }
}

impl<O> State<O> {
    pub(super) const fn new() -> Self {
        State {
            table: Table::new(),
            spares: 0,
            figures: Counts {
                live_blocks: 0,
                live: 0,
                mapped: 0,
                peak: 0,
                rungs: [(0, 0); 3],
            },
            swept: None,
            losses: 0,
        }
    }

    /// Room in the books for one more piece.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        self.table.reserve()
    }

    /// Adds a piece to cut blocks from; [`reserve`](Self::reserve) made room for it.
    pub(super) fn add_carved(&mut self, piece: Piece<O>) {
        self.figures.map(piece.rung, piece.len);
        self.spares += 1;
        self.table.insert(Slab::carved(piece));
    }

    /// Adds a piece that is one block; [`reserve`](Self::reserve) made room for it.
    pub(super) fn add_single(&mut self, piece: Piece<O>) -> Option<RawBlock> {
        let (start, len) = (piece.start, piece.len);
        let init = if piece.init { len } else { 0 };
        self.figures.map(piece.rung, len);
        self.table.insert(Slab::single(piece));
        Some(self.figures.take(start, len, init))
    }

    /// A block from the lowest piece that has room.
    pub(super) fn cut(&mut self, want: Want) -> Option<RawBlock> {
        let (at, cut) = match want {
            Want::Block { order } => {
                let at = self.table.first_with(order)?;
                (at, self.table.get_mut(at)?.cut_block(order)?)
            }
            Want::Run { pages } => self.cut_run(pages)?,
            Want::Direct { .. } => return None,
        };
        self.table.refresh(at);
        if self.table.get(at)?.used == cut.pages {
            self.spares = self.spares.saturating_sub(1);
        }
        Some(self.figures.take(cut.start, cut.pages * PAGE, cut.init))
    }

    fn cut_run(&mut self, pages: usize) -> Option<(usize, Cut)> {
        let mut from = 0;
        loop {
            let at = self.table.roomy_from(from)?;
            if let Some(cut) = self.table.get_mut(at)?.cut_run(pages) {
                return Some((at, cut));
            }
            from = at + 1;
        }
    }

    /// Takes a block back. Returns its piece if that is to be given back.
    pub(super) fn put(&mut self, block: &RawBlock, spares: usize) -> Option<Piece<O>> {
        let start = block.ptr.addr().get();
        let at = self.table.find(start);
        debug_assert!(at.is_some(), "a block of another allocator");
        let at = at?;
        let slab = self.table.get_mut(at)?;
        slab.put(start, block.len / PAGE, block.init);
        let empty = slab.used == 0;
        self.figures.put(block.len);
        if empty {
            self.emptied(at, spares)
        } else {
            self.table.refresh(at);
            None
        }
    }

    /// A piece is empty: it is kept as a spare, or taken out and returned.
    fn emptied(&mut self, at: usize, spares: usize) -> Option<Piece<O>> {
        let slab = self.table.get(at)?;
        if slab.carved && !slab.split && !slab.lost && self.spares < spares {
            self.spares += 1;
            self.table.refresh(at);
            return None;
        }
        self.take_out(at)
    }

    /// Takes an empty piece that is no spare out of the books. `None` of one that this process lost.
    fn take_out(&mut self, at: usize) -> Option<Piece<O>> {
        let Slab { piece, lost, .. } = self.table.remove(at)?;
        self.figures.unmap(piece.rung, piece.len);
        if lost {
            // In this process its addresses are reserved, and stay so: blocks of it may yet be looked at.
            mem::forget(piece);
            return None;
        }
        Some(piece)
    }

    /// The first thing to do for pieces at `from` or above. With `old`, only what was old already.
    pub(super) fn next_job(&mut self, from: usize, old: bool, system_order: usize) -> Job<O> {
        let mut at = self.table.first_from(from);
        while let Some(slab) = self.table.get_mut(at) {
            if slab.used == 0 {
                if slab.idle || !old {
                    self.spares = self.spares.saturating_sub(1);
                    match self.take_out(at) {
                        Some(piece) => return Job::GiveBack(piece),
                        None => continue,
                    }
                }
                slab.idle = true;
            } else if let Some(set) = slab.purge(old, system_order) {
                let (start, len, split) = (
                    slab.piece.start,
                    slab.piece.len,
                    slab.piece.grain == Grain::Splits,
                );
                self.table.refresh(at);
                return Job::Purge {
                    start,
                    len,
                    split,
                    set,
                };
            }
            at += 1;
        }
        Job::Nothing
    }

    /// The end of a [`Job::Purge`]. Returns the piece if it became empty meanwhile and is to be given back.
    pub(super) fn purged(
        &mut self,
        start: NonNull<u8>,
        set: &PageSet,
        split: bool,
        clean: bool,
        spares: usize,
    ) -> Option<Piece<O>> {
        let at = self.table.find(start.addr().get())?;
        let slab = self.table.get_mut(at)?;
        slab.purged(set, split, clean);
        let empty = slab.used == 0;
        if split {
            let (rung, len) = (slab.piece.rung, slab.piece.len);
            slab.piece.rung = Some(Rung::Plain);
            self.figures.unmap(rung, len);
            self.figures.map(Some(Rung::Plain), len);
        }
        if empty {
            self.emptied(at, spares)
        } else {
            self.table.refresh(at);
            None
        }
    }

    /// Is it time to look for old pages? If so, the time starts anew.
    pub(super) fn is_due(&mut self, now: Instant, after: Duration) -> bool {
        let due = self
            .swept
            .is_none_or(|last| now.saturating_duration_since(last) >= after);
        if due {
            self.swept = Some(now);
        }
        due
    }

    /// After a fork, the pieces that the child has not are lost: no block is cut from them any more.
    pub(super) fn note_losses(&mut self, losses: usize) {
        if self.losses == losses {
            return;
        }
        self.losses = losses;
        let mut at = 0;
        while let Some(slab) = self.table.get_mut(at) {
            if slab.piece.forks || slab.lost {
                at += 1;
                continue;
            }
            slab.lost = true;
            if slab.used == 0 {
                self.spares = self.spares.saturating_sub(1);
                self.take_out(at);
            } else {
                self.table.refresh(at);
                at += 1;
            }
        }
    }

    #[cfg(all(feature = "pooled", feature = "hugepage"))]
    pub(super) fn has_lost(&self) -> bool {
        (0..self.table.len()).any(|at| self.table.get(at).is_some_and(|slab| slab.lost))
    }

    /// Takes an empty piece out, if there is any.
    pub(super) fn take_empty(&mut self) -> Option<Piece<O>> {
        let mut at = 0;
        while self.table.get(at)?.used != 0 {
            at += 1;
        }
        self.spares = self.spares.saturating_sub(1);
        self.take_out(at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Gives back the memory of the books, if nothing is in them.
    pub(super) fn shrink(&mut self) {
        if self.table.len() == 0 {
            self.table = Table::new();
        }
    }

    pub(super) fn figures(&self) -> Figures {
        let counts = &self.figures;
        let mut figures = Figures::default();
        figures.totals.live_blocks = counts.live_blocks;
        figures.totals.live_bytes = counts.live;
        figures.totals.free_bytes = counts.mapped.saturating_sub(counts.live);
        figures.totals.mapped_bytes = counts.mapped;
        figures.peak_mapped_bytes = counts.peak;
        figures.own_bytes = self.table.own_bytes() as u64;
        for (rung, (pieces, bytes)) in figures.rungs.iter_mut().zip(counts.rungs) {
            rung.pieces = pieces;
            rung.bytes = bytes;
        }
        figures
    }

    #[cfg(test)]
    pub(super) fn spares(&self) -> usize {
        self.spares
    }

    /// The books agree with each other.
    #[cfg(test)]
    pub(super) fn assert_sound(&mut self) {
        let (mut end, mut used, mut mapped, mut empty) = (0, 0, 0, 0);
        let mut lowest = [None; super::ORDERS];
        for at in 0..self.table.len() {
            let slab = self.table.get(at).expect("T1");
            assert!(slab.start() >= end, "T1: sorted, and apart");
            assert_eq!(self.table.find(slab.start()), Some(at), "T1");
            slab.assert_sound();
            end = slab.start() + slab.piece.len;
            used += slab.used * PAGE;
            mapped += slab.piece.len;
            empty += usize::from(slab.used == 0);
            for (order, lowest) in lowest.iter_mut().enumerate() {
                if slab.fits() >> order & 1 == 1 {
                    lowest.get_or_insert(at);
                }
            }
        }
        for (order, lowest) in lowest.into_iter().enumerate() {
            assert_eq!(self.table.first_with(order), lowest, "T2, order {order}");
        }
        assert_eq!(self.spares, empty);
        assert_eq!(self.figures.live, used as u64);
        assert_eq!(self.figures.mapped, mapped as u64);
    }
}
