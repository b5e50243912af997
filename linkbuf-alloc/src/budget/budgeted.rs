//! An allocator whose blocks are charged to a budget.
#![expect(unsafe_code, reason = "forwards an unsafe trait")]

use linkbuf_core::{AllocError, NodeAllocator, RawBlock};

use super::Budget;

/// `A`, up to the limit of a [`Budget`].
///
/// A block is charged with its whole length before it is allocated, and until it comes back: a slice of one byte keeps
/// its block charged. Not charged are what `A` holds beside the blocks that are out, and the headers of nodes (128
/// bytes each, from the global heap). A request that does not fit is refused with [`AllocError`], at no level of the
/// hierarchy is anything changed by it, and the buffer is as before; give something back and try again.
///
/// Its figures are those of `A`, which other budgets may share. A handle is one word larger than that of `A`, and its
/// clone, taken once for each block, counts one more user of the budget.
///
/// ```
/// use linkbuf_alloc::{Budget, Budgeted};
/// use linkbuf_core::{Heap, NodeAllocator};
///
/// let alloc = Budgeted::new(Heap, Budget::new(10_000));
/// let block = alloc.allocate(8192)?;
/// assert!(alloc.allocate(8192).is_err());
/// assert_eq!(alloc.budget().available(), 10_000 - 8192);
/// // SAFETY: given by this allocator just now, and not used again.
/// unsafe { alloc.deallocate(block) };
/// assert_eq!((alloc.budget().used(), alloc.budget().peak()), (0, 8192));
/// # Ok::<(), linkbuf_core::AllocError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Budgeted<A> {
    inner: A,
    budget: Budget,
}

impl<A: NodeAllocator> Budgeted<A> {
    /// Charges what `inner` gives to `budget`.
    pub fn new(inner: A, budget: Budget) -> Self {
        Budgeted { inner, budget }
    }

    /// The budget.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The allocator behind, which charges nothing.
    pub fn inner(&self) -> &A {
        &self.inner
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "what is not forwarded would answer for itself"
)]
// SAFETY: every block comes from `inner` and goes back to it unchanged, so each clause that `inner` keeps is kept. The
// budget neither allocates nor panics. A clone counts one more handle and clones `inner`; it is one word more than
// `inner`, which the check of a buffer's type counts.
unsafe impl<A: NodeAllocator> NodeAllocator for Budgeted<A> {
    #[inline]
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let refused = AllocError { size: min };
        if !self.budget.charge(min) {
            return Err(refused);
        }
        let block = match self.inner.allocate(min) {
            Ok(block) => block,
            Err(error) => {
                self.budget.give_back(min);
                return Err(error);
            }
        };
        // A buffer asks for a size that the allocator gives exactly; others may get more.
        let more = block.len.saturating_sub(min);
        if more > 0 && !self.budget.charge(more) {
            // SAFETY: just given by `inner`, and nobody has it.
            unsafe { self.inner.deallocate(block) };
            self.budget.give_back(min);
            return Err(refused);
        }
        self.budget.note_peak();
        Ok(block)
    }

    #[inline]
    unsafe fn deallocate(&self, block: RawBlock) {
        let bytes = block.len;
        // SAFETY: the caller got the block from this allocator or a clone, which got it from `inner` or a clone of it.
        unsafe { self.inner.deallocate(block) };
        // Afterwards: what is granted to another on the strength of this is free by then.
        self.budget.give_back(bytes);
    }

    linkbuf_core::forward_node_allocator!(self => &self.inner);
}
