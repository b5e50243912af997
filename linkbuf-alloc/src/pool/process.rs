//! The process-wide pools, and what the allocators of this crate tell a pool that others can't.
#![expect(unsafe_code, reason = "implements an unsafe trait")]

use std::any::Any;

use linkbuf_core::{Heap, NodeAllocator};

use super::{inner::Inner, limits::PoolLimits, pooled::Pooled};
use crate::{Figures, HeapPages, HeapSlabs, ProcessWide};

/// An allocator whose pool the process has one of: [`Process`](crate::Process)`<Pooled<Self>>` names it, by a value of
/// no size, and `Pooled::<Self>::default()` is a handle of it.
///
/// Implement it for an allocator of your own:
///
/// ```
/// use std::sync::LazyLock;
/// use linkbuf_alloc::{Pooled, Process, ProcessPool};
/// use linkbuf_core::{AllocError, Heap, LinkBuffer, NodeAllocator, RawBlock};
///
/// #[derive(Clone)]
/// struct Mine;
///
/// // SAFETY: every promise is the heap's own.
/// unsafe impl NodeAllocator for Mine {
///     fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
///         Heap.allocate(min)
///     }
///     unsafe fn deallocate(&self, block: RawBlock) {
///         // SAFETY: the caller's promise is the one that the heap asks for.
///         unsafe { Heap.deallocate(block) }
///     }
/// }
///
/// // SAFETY: a reference to one static.
/// unsafe impl ProcessPool for Mine {
///     fn pool() -> &'static Pooled<Mine> {
///         static POOL: LazyLock<Pooled<Mine>> = LazyLock::new(|| Pooled::new(Mine).leak());
///         &POOL
///     }
/// }
///
/// let mut buf = LinkBuffer::<Process<Pooled<Mine>>>::default();
/// buf.write_string("hello")?;
/// assert_eq!(Pooled::<Mine>::default().figures().live_blocks, 1);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
///
/// Call `pool` once when the program starts: what makes it on first use would end the process if memory is out by then,
/// and a child of a fork could find it half made.
///
/// # Safety
/// [`pool`](Self::pool) returns the same pool every time: a block that one call's result gave goes back to another's.
pub unsafe trait ProcessPool: NodeAllocator {
    /// The one.
    fn pool() -> &'static Pooled<Self>;
}

// SAFETY: the same pool every time, as `ProcessPool` promises.
unsafe impl<A: ProcessPool> ProcessWide for Pooled<A> {
    #[inline]
    fn process() -> &'static Self {
        A::pool()
    }
}

/// Declares a process-wide pool at a place of its own in the threads' tables, over memory of its own.
macro_rules! process_wide {
    ($source:ty, $way:literal, $new:expr) => {
        // SAFETY: a reference to one static.
        unsafe impl ProcessPool for $source {
            #[inline]
            fn pool() -> &'static Pooled<Self> {
                static INNER: Inner<$source> = Inner::new($new, PoolLimits::new(), $way);
                static POOL: Pooled<$source> = Pooled::of_static(&INNER);
                &POOL
            }
        }
    };
}

/// Slabs in a static, for a static.
macro_rules! slabs {
    ($source:ty) => {{
        static SLABS: crate::slab::Inner<$source> = crate::slab::Inner::new(<$source>::new());
        crate::Slabs::of_static(&SLABS)
    }};
}

/// Places that the process-wide pools have; the others begin behind them.
pub(super) const WAYS_TAKEN: usize = 5;

process_wide!(HeapSlabs, 0, slabs!(HeapPages));
#[cfg(feature = "mmap")]
process_wide!(crate::Mmap, 1, slabs!(crate::MmapPages));
#[cfg(feature = "hugepage")]
process_wide!(crate::HugePage, 2, slabs!(crate::HugePages));
// Not for its speed: with two that are always there, `Pooled::default()` must say which it means, with any features.
process_wide!(Heap, 3, Heap);
#[cfg(feature = "mimalloc")]
process_wide!(crate::Mimalloc, 4, crate::Mimalloc);

/// The process-wide pool.
impl<A: ProcessPool> Default for Pooled<A> {
    fn default() -> Self {
        A::pool().clone()
    }
}

/// Whether the memory behind a pool is known to be of this process, all of it: after a fork that took memory away, what
/// stands on reserved huge pages may not be. What this crate does not know may stand on them.
pub(super) fn has_all(source: &dyn Any) -> bool {
    let inherited = source.is::<Heap>() || source.is::<HeapSlabs>();
    #[cfg(feature = "mmap")]
    let inherited = inherited || source.is::<crate::Mmap>();
    #[cfg(feature = "mimalloc")]
    let inherited = inherited || source.is::<crate::Mimalloc>();
    #[cfg(feature = "hugepage")]
    let inherited = inherited
        || source
            .downcast_ref()
            .is_some_and(|huge: &crate::HugePage| !huge.has_lost());
    inherited
}

/// Rungs, peaks and the like, where `source` is one of this crate's allocators that count them.
pub(super) fn report_of(source: &dyn Any) -> Option<Figures> {
    let report = source.downcast_ref().map(HeapSlabs::report);
    #[cfg(feature = "mmap")]
    let report = report.or_else(|| source.downcast_ref().map(crate::Mmap::report));
    #[cfg(feature = "hugepage")]
    let report = report.or_else(|| source.downcast_ref().map(crate::HugePage::report));
    report
}
