//! The process-wide pools, and what the allocators of this crate tell a pool that others can't.
#![expect(unsafe_code, reason = "implements an unsafe trait")]

use std::any::Any;

use linkbuf_core::{Heap, NodeAllocator};

use super::{inner::Inner, limits::PoolLimits, pooled::Pooled};
use crate::{Figures, HeapPages, HeapSlabs, ProcessWide};

/// Declares a process-wide pool at a place of its own in the threads' tables, over memory of its own.
macro_rules! process_wide {
    ($source:ty, $way:literal, $new:expr) => {
        // SAFETY: a reference to one static.
        unsafe impl ProcessWide for Pooled<$source> {
            #[inline]
            fn process() -> &'static Self {
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
pub(super) const WAYS_TAKEN: usize = 4;

process_wide!(HeapSlabs, 0, slabs!(HeapPages));
#[cfg(feature = "mmap")]
process_wide!(crate::Mmap, 1, slabs!(crate::MmapPages));
#[cfg(feature = "hugepage")]
process_wide!(crate::HugePage, 2, slabs!(crate::HugePages));
// Not for its speed: with two that are always there, `Pooled::default()` must say which it means, with any features.
process_wide!(Heap, 3, Heap);

/// The process-wide pool.
impl<A: NodeAllocator> Default for Pooled<A>
where
    Pooled<A>: ProcessWide,
{
    fn default() -> Self {
        Self::process().clone()
    }
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
