//! Blocks cut from pieces, and whole pieces given back.
#![expect(unsafe_code, reason = "hands pieces back to an unsafe trait")]

mod bits;
mod piece;
mod row;
mod state;
mod table;

use std::{
    fmt, mem,
    ptr::NonNull,
    sync::MutexGuard,
    time::{Duration, Instant},
};

use linkbuf_core::{AllocError, AllocFigures, NodeAllocator, RawBlock};

use self::{
    bits::{ORDERS, runs},
    piece::count,
    state::{Job, State},
};
use crate::{
    Figures,
    fork::{Forks, Lock, Registration},
    handle::Handle,
    source::{PAGE, PageSource, Piece, system_page},
};

/// Two calls of `decay` that are closer than this are one. What was free at both of two that are not goes back.
const DECAY: Duration = Duration::from_millis(200);

/// What a request is served from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    /// A block of 2^order pages at a multiple of its size.
    Block { order: usize },
    /// A run of more pages.
    Run { pages: usize },
    /// A piece of its own.
    Direct { len: usize },
}

impl Want {
    fn of(min: usize, piece: usize) -> Option<Want> {
        let pages = min.max(1).div_ceil(PAGE);
        if pages <= 1 << (ORDERS - 1) {
            let order = pages.next_power_of_two().trailing_zeros() as usize;
            Some(Want::Block { order })
        } else if pages <= piece / PAGE {
            Some(Want::Run { pages })
        } else {
            let len = pages.checked_mul(PAGE)?;
            isize::try_from(len).ok().map(|_| Want::Direct { len })
        }
    }

    fn len(self) -> usize {
        match self {
            Want::Block { order } => PAGE << order,
            Want::Run { pages } => pages * PAGE,
            Want::Direct { len } => len,
        }
    }
}

/// What the handles share. Can be made in a constant expression, so a `static` can hold it.
pub(crate) struct Inner<S: PageSource> {
    source: S,
    state: Lock<State<S::Owner>>,
    registration: Registration,
}

/// Blocks of whole pages, cut from pieces of memory that a [`PageSource`] gives.
///
/// Blocks of 4, 8, 16, 32 and 64 KiB lie at multiples of their size within a piece; larger ones are runs of pages;
/// what is larger than a piece is a piece of its own, and goes back at once. A block is cut where it can be had at the
/// lowest address, so that the pieces at the high ones empty. A piece that is empty goes back at once, except for
/// [`PageSource::SPARES`] of them; `trim` gives back these too, and the memory behind each free page of the others,
/// and `decay` the same for what has been free since it was last called.
///
/// One lock guards it all: where several threads allocate, put [`Pooled`](crate::Pooled) before it.
///
/// ```
/// use linkbuf_alloc::HeapSlabs;
/// use linkbuf_core::{LinkBuffer, NodeAllocator};
///
/// let slabs = HeapSlabs::new();
/// let mut buf = LinkBuffer::new_in(slabs.clone());
/// buf.write_binary(&[7; 10_000])?;
/// let totals = slabs.report().totals;
/// assert_eq!(totals.live_bytes + totals.free_bytes, totals.mapped_bytes);
/// drop(buf);
/// slabs.trim();
/// assert_eq!(slabs.report().totals.mapped_bytes, 0);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
pub struct Slabs<S: PageSource>(Handle<Inner<S>>);

impl<S: PageSource> Slabs<S> {
    pub(crate) const fn of_static(inner: &'static Inner<S>) -> Self {
        Slabs(Handle::Static(inner))
    }

    /// An allocator of its own. Takes no memory before the first block, but for the state that handles share.
    pub fn new_in(source: S) -> Self {
        Slabs(Handle::Shared(std::sync::Arc::new(Inner::new(source))))
    }

    /// The same allocator for the life of the program: from now on, clones of this handle cost nothing.
    #[must_use]
    pub fn leak(self) -> Self {
        Slabs(self.0.leak())
    }

    /// Its figures, by rung too. Takes the lock for a few dozen instructions.
    #[must_use]
    pub fn report(&self) -> Figures {
        let mut figures = self.lock().figures();
        for (rung, failed) in figures.rungs.iter_mut().zip(self.0.source.failures()) {
            rung.failures = failed.failures;
            rung.last_error = failed.last_error;
        }
        figures
    }

    /// The source of its pieces.
    #[must_use]
    pub fn source(&self) -> &S {
        &self.0.source
    }

    /// Whether blocks are out of pieces that this process lost in a fork.
    #[cfg(all(feature = "pooled", feature = "hugepage"))]
    pub(crate) fn has_lost(&self) -> bool {
        self.lock().has_lost()
    }

    fn lock(&self) -> MutexGuard<'_, State<S::Owner>> {
        self.0.lock()
    }

    /// A piece is out of the books, so that nobody can get at it any more.
    fn give_back(&self, piece: Piece<S::Owner>) {
        self.0.give_back(piece);
    }

    /// Before each use of the lock by those who take and give blocks: what could not be registered once is tried again.
    #[inline]
    fn register(&self) {
        self.0.registration.ensure(|| (&self.0).into());
    }

    /// Takes a piece and cuts the block from it, or makes it the block.
    #[cold]
    fn grow(&self, want: Want) -> Option<RawBlock> {
        let len = match want {
            Want::Direct { len } => len,
            _ => S::PIECE,
        };
        let piece = self.0.source.take(len).ok()?;
        let mut state = self.lock();
        if state.reserve().is_err() {
            drop(state);
            self.give_back(piece);
            return None;
        }
        let block = match want {
            Want::Direct { .. } => state.add_single(piece),
            _ => {
                state.add_carved(piece);
                state.cut(want)
            }
        };
        drop(state);
        self.sweep_old();
        block
    }

    /// Gives back what was free at the last call too, unless that was just now.
    fn sweep_old(&self) -> usize {
        let now = Instant::now();
        if self.lock().is_due(now, DECAY) {
            self.sweep(true)
        } else {
            0
        }
    }

    /// Goes through all pieces. The lock is open while the system works.
    fn sweep(&self, old: bool) -> usize {
        let order = (system_page() / PAGE).max(1).trailing_zeros() as usize;
        let (mut from, mut gone) = (0, 0);
        loop {
            let job = self.lock().next_job(from, old, order);
            match job {
                Job::Nothing => return gone,
                Job::GiveBack(piece) => {
                    from = piece.start.addr().get() + 1;
                    gone += piece.len;
                    self.give_back(piece);
                }
                Job::Purge {
                    start,
                    len,
                    split,
                    set,
                } => {
                    from = start.addr().get() + 1;
                    // SAFETY: the piece is one of this source's, and stays, for it has pages that are not free.
                    let split_now = split && unsafe { self.0.source.split(start, len) };
                    let clean = split == split_now && self.purge(start, &set);
                    gone += if clean { count(&set) * PAGE } else { 0 };
                    let emptied = self.lock().purged(start, &set, split_now, clean, S::SPARES);
                    if let Some(piece) = emptied {
                        gone += piece.len;
                        self.give_back(piece);
                    }
                }
            }
        }
    }

    /// Purges pages that are in nobody's hands. False if one run of them could not be.
    fn purge(&self, start: NonNull<u8>, set: &piece::PageSet) -> bool {
        runs(set).fold(true, |all, (first, pages)| {
            let run = start.map_addr(|start| start.saturating_add(first * PAGE));
            // SAFETY: `next_job` took these pages out of the free ones, so no block is cut from them; it takes whole
            // pages of the system of a piece that is not, or no longer, on large ones.
            all & unsafe { self.0.source.purge(run, pages * PAGE) }
        })
    }
}

impl<S: PageSource> Inner<S> {
    pub(crate) const fn new(source: S) -> Self {
        Inner {
            source,
            state: Lock::new(State::new()),
            registration: Registration::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<S::Owner>> {
        // Asked before: it may be anybody's code (K1).
        let losses = self.source.losses();
        let mut state = self.state.lock();
        state.note_losses(losses);
        state
    }

    fn give_back(&self, piece: Piece<S::Owner>) {
        // SAFETY: whoever calls this took the piece from this source, or out of the books, where it came from this source
        // and was empty: nobody uses it, and nobody else has its owner. Start, length and owner are never changed.
        unsafe { self.source.give_back(piece) }
    }
}

// What another thread had in hand when the process forked, a piece on its way or pages to be purged, the child never
// gets back: it is as if it were in use.
impl<S: PageSource> Forks for Inner<S> {
    unsafe fn hold(&self) {
        // SAFETY: the caller's promise.
        unsafe { Forks::hold(&self.state) };
    }

    unsafe fn release(&self) {
        // SAFETY: the caller's promise.
        unsafe { Forks::release(&self.state) };
    }
}

impl<S: PageSource> Drop for Inner<S> {
    fn drop(&mut self) {
        // Blocks hold a handle, so none is out now, unless it was forgotten; its piece stays then.
        loop {
            // Not in the loop's head: the lock would be held while the source has the piece (K1).
            let piece = self.lock().take_empty();
            let Some(piece) = piece else { break };
            self.give_back(piece);
        }
        let state = mem::replace(&mut *self.lock(), State::new());
        if !state.is_empty() {
            mem::forget(state);
        }
    }
}

// SAFETY: blocks are runs of whole pages that the books hold as not free, so they do not overlap; a piece stays for as
// long as one of its pages is not free, and the state for as long as a block's handle. A block is a `Want` long, which is
// no less than the request and at most `isize::MAX`. `init` counts pages that are initialised from the block's start, as
// far as the source or those who gave them back said so. All handles share the one state behind a lock. Nothing here
// panics: lists grow by `try_reserve`, and are read by `get`. A handle is two words, whose clone copies or counts.
unsafe impl<S: PageSource> NodeAllocator for Slabs<S> {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let refused = AllocError { size: min };
        let want = Want::of(min, S::PIECE).ok_or(refused)?;
        self.register();
        if !matches!(want, Want::Direct { .. })
            && let Some(block) = self.lock().cut(want)
        {
            return Ok(block);
        }
        self.grow(want).ok_or(refused)
    }

    unsafe fn deallocate(&self, block: RawBlock) {
        self.register();
        let emptied = self.lock().put(&block, S::SPARES);
        if let Some(piece) = emptied {
            self.give_back(piece);
        }
    }

    fn good_size(&self, min: usize) -> usize {
        Want::of(min, S::PIECE).map_or(min, Want::len)
    }

    fn page_size(&self) -> usize {
        // A node, its header, and a few small things.
        S::NODE * 2
    }

    fn node_size(&self) -> usize {
        S::NODE
    }

    fn trim(&self) -> usize {
        let gone = self.sweep(false);
        self.lock().shrink();
        gone
    }

    fn decay(&self) -> usize {
        self.sweep_old()
    }

    fn figures(&self) -> Option<AllocFigures> {
        Some(self.lock().figures().totals)
    }
}

impl<S: PageSource> Clone for Slabs<S> {
    #[inline]
    fn clone(&self) -> Self {
        Slabs(self.0.clone())
    }
}

impl<S: PageSource> fmt::Debug for Slabs<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slabs").field(&self.report()).finish()
    }
}

/// Declares the process-wide instance of a source that is made in a constant expression.
macro_rules! process_wide {
    ($name:ident, $source:ty, $new:expr) => {
        // SAFETY: a reference to one static.
        unsafe impl $crate::ProcessWide for $name {
            fn process() -> &'static Self {
                static INNER: $crate::slab::Inner<$source> = $crate::slab::Inner::new($new);
                static SLABS: $name = $crate::Slabs::of_static(&INNER);
                &SLABS
            }
        }

        /// A handle of the process-wide allocator.
        impl Default for $name {
            fn default() -> Self {
                <$name as $crate::ProcessWide>::process().clone()
            }
        }
    };
}
pub(crate) use process_wide;

#[cfg(test)]
mod tests;
