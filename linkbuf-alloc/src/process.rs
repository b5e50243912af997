//! The process-wide allocators, reached by a value of no size.
#![expect(unsafe_code, reason = "forwards an unsafe trait")]

use std::{fmt, marker::PhantomData};

use linkbuf_core::{AllocError, NodeAllocator, RawBlock};

/// An allocator of which the process has one.
///
/// Implement it for an allocator of your own to use it as [`Process`]: keep the one in a `static`.
///
/// # Safety
/// [`process`](Self::process) returns the same allocator every time: a block that one call's result gave goes back to
/// another's.
pub unsafe trait ProcessWide: NodeAllocator {
    /// The one.
    fn process() -> &'static Self;
}

/// The process-wide allocator of type `A`, as a value of no size: neither a buffer nor a block spends a word or an
/// atomic on it.
///
/// ```
/// # #[cfg(feature = "pooled")] {
/// use linkbuf_alloc::{Pooled, Process};
/// use linkbuf_core::LinkBuffer;
///
/// type Connection = LinkBuffer<Process<Pooled>>;
/// let buf = Connection::default();
/// assert_eq!(size_of::<Process<Pooled>>(), 0);
/// # drop(buf);
/// # }
/// ```
pub struct Process<A>(PhantomData<fn() -> A>);

impl<A> Process<A> {
    /// The handle of no size.
    #[must_use]
    pub const fn new() -> Self {
        Process(PhantomData)
    }
}

impl<A> Default for Process<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A> Clone for Process<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Process<A> {}

impl<A: ProcessWide + fmt::Debug> fmt::Debug for Process<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Process").field(A::process()).finish()
    }
}

impl<A: ProcessWide> std::ops::Deref for Process<A> {
    type Target = A;

    #[inline]
    fn deref(&self) -> &A {
        A::process()
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "what is not forwarded would answer for itself"
)]
// SAFETY: every method is that of one allocator, whichever value it is called through (`ProcessWide`).
unsafe impl<A: ProcessWide> NodeAllocator for Process<A> {
    #[inline]
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        A::process().allocate(min)
    }

    #[inline]
    unsafe fn deallocate(&self, block: RawBlock) {
        // SAFETY: the caller's promise is the one asked for; every `Process<A>` is the same allocator.
        unsafe { A::process().deallocate(block) }
    }

    linkbuf_core::forward_node_allocator!(self => A::process());
}
