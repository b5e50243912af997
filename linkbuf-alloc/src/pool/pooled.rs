//! The pool as a `NodeAllocator`: the handle and the two fast paths.
#![expect(unsafe_code, reason = "implements an unsafe trait")]

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use linkbuf_core::{AllocError, AllocFigures, NodeAllocator, RawBlock, TailPolicy};

use super::{class, inner::Inner, limits::PoolLimits, process::WAYS_TAKEN};
use crate::{
    HeapSlabs,
    figures::{CLASSES, Figures},
    handle::Handle,
};

/// Keeps the blocks of another allocator ready: in each thread for those of 4 to 64 KiB, centrally up to 1 MiB.
///
/// A request is rounded up to a power of two from 4 KiB on. What a thread took or gave back lately it keeps in
/// *magazines* of at most 128 KiB; a block taken and given back costs some twenty instructions and no atomic. Whole
/// magazines travel to a *depot* and from there to whichever thread needs blocks, so blocks that one thread takes and
/// another gives back go round, a lock for each magazine. What the depot may not or need not keep goes back to `A`, as
/// do requests above 1 MiB at once. [`PoolLimits`] has the bounds.
///
/// A value is a handle; clones are the same pool. Blocks keep the pool alive, caches do not: with the last handle and
/// the last block gone, everything is back in `A`, whatever threads still run. A thread that ends leaves its blocks to
/// the depot. In a thread that is ending, or has no memory for a cache, the pool works through the depot.
///
/// When `A` refuses, the pool gives `A` back what the depot holds and asks again.
///
/// Make one for a kind of memory, not one for a connection: a thread finds eight pools at once, and others by a walk. To
/// limit what connections hold, put a [`Budgeted`](crate::Budgeted) before the pool, not behind it, where it would be
/// charged for the caches, too.
///
/// ```
/// use linkbuf_alloc::Pooled;
/// use linkbuf_core::{Heap, LinkBuffer};
///
/// let pool = Pooled::new(Heap);
/// let mut buf = LinkBuffer::new_in(pool.clone());
/// buf.write_binary(&[7; 100_000])?;
/// drop(buf);
/// assert!(pool.figures().cached_bytes >= 100_000); // ready for the next buffer
/// pool.trim();
/// assert_eq!(pool.figures().cached_bytes, 0);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
pub struct Pooled<A: NodeAllocator = HeapSlabs>(Handle<Inner<A>>);

/// The next pool's place in the threads' tables.
static NEXT_WAY: AtomicUsize = AtomicUsize::new(WAYS_TAKEN);

impl<A: NodeAllocator> Pooled<A> {
    pub(super) const fn of_static(inner: &'static Inner<A>) -> Self {
        Pooled(Handle::Static(inner))
    }

    /// A pool over `inner`, with the default bounds. Takes no blocks before the first request.
    #[must_use]
    pub fn new(inner: A) -> Self {
        Self::with_limits(inner, PoolLimits::new())
    }

    /// A pool over `inner` with bounds of your own.
    #[must_use]
    pub fn with_limits(inner: A, limits: PoolLimits) -> Self {
        let way = NEXT_WAY.fetch_add(1, Relaxed);
        let pool = Inner::new(inner, limits, way).made_now();
        Pooled(Handle::Shared(Arc::new(pool)))
    }

    /// The same pool for the life of the program: from now on the clones of what is returned cost no atomic, and
    /// neither do blocks that come from them.
    #[must_use]
    pub fn leak(self) -> Self {
        Pooled(self.0.leak())
    }

    /// Calls `decay` on the pool for as long as somebody holds it; false when nobody does.
    pub(crate) fn weak_decay(&self) -> impl Fn() -> bool + Send + 'static {
        let weak = self.0.downgrade();
        move || weak.upgrade().map(|pool| pool.decay()).is_some()
    }

    /// The allocator behind the pool.
    #[must_use]
    pub fn inner(&self) -> &A {
        self.0.source()
    }

    /// The bounds.
    #[must_use]
    pub fn limits(&self) -> PoolLimits {
        *self.0.limits()
    }

    /// Gives all that the calling thread and the depot keep back to `A`, and lets `A` give to the system what it can.
    /// Returns how many bytes less the system counts afterwards, where `A` counts its mappings; elsewhere the bytes
    /// that `A` got. Other threads keep up to [`PoolLimits::thread_cap`] each.
    pub fn trim(&self) -> usize {
        self.0.trim()
    }

    /// Gives what the depot had too much of for a whole interval back to `A`, and lets `A` decay. Does nothing within
    /// the interval after the last time. Returns bytes as [`trim`](Self::trim) does.
    pub fn decay(&self) -> usize {
        self.0.decay()
    }

    /// What the pool and `A` hold and have done. `live`, `cached` and `free` add up to `mapped` where `A` counts and no
    /// thread is inside; `live` is then what `A` gave less what the pool keeps. Takes a lock or two.
    #[must_use]
    pub fn report(&self) -> Figures {
        self.0.report()
    }

    /// The totals of [`report`](Self::report).
    #[must_use]
    pub fn figures(&self) -> AllocFigures {
        self.0.figures()
    }
}

impl<A: NodeAllocator> Clone for Pooled<A> {
    #[inline]
    fn clone(&self) -> Self {
        Pooled(self.0.clone())
    }
}

impl<A: NodeAllocator> fmt::Debug for Pooled<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled")
            .field("limits", self.0.limits())
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "what is not forwarded would answer for itself"
)]
// SAFETY: a block is one of `A`'s, whole: it comes from `A` when the pool has none, is kept while nobody uses it, and
// is given to one request at a time (P5, P6). It is at least as long as its class, hence as the request, or else `A` was
// asked for just this; what `A` says of its first `init` bytes, or a later user, stays true. Any handle takes it back on
// any thread: its caches are the thread's own, the depot has locks. A clone shares the pool by reference or count, and is
// two words. Nothing here panics: tables are read by classes that were compared, or by `get`.
unsafe impl<A: NodeAllocator> NodeAllocator for Pooled<A> {
    #[inline]
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        if let Some(slot) = self.0.slot(class::of_request(min))
            && let Some(block) = slot.take()
        {
            return Ok(block);
        }
        Inner::take_slow(&self.0, min)
    }

    #[inline]
    unsafe fn deallocate(&self, block: RawBlock) {
        if let Some(slot) = self.0.slot(class::of_request(block.len))
            && slot.give(block)
        {
            return;
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { Inner::give_slow(&self.0, block) }
    }

    #[inline]
    fn good_size(&self, min: usize) -> usize {
        let class = class::of_request(min);
        if class < CLASSES {
            class::size(class)
        } else {
            self.inner().good_size(min)
        }
    }

    /// `A`'s, or twice a node where that leaves no room for a node of a whole class and its headers.
    fn page_size(&self) -> usize {
        let page = self.inner().page_size();
        let node = self.node_size();
        if page >= node + node / 4 {
            page
        } else {
            2 * node
        }
    }

    /// `A`'s, brought up to a class, since a node would get that much anyway.
    fn node_size(&self) -> usize {
        self.good_size(self.inner().node_size())
    }

    fn default_tail_policy(&self) -> TailPolicy {
        self.inner().default_tail_policy()
    }

    fn trim(&self) -> usize {
        self.trim()
    }

    fn decay(&self) -> usize {
        self.decay()
    }

    fn figures(&self) -> Option<AllocFigures> {
        Some(self.figures())
    }
}
