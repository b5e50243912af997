//! An allocator that is known by its answers.

#![expect(unsafe_code, reason = "implements the unsafe trait `NodeAllocator`")]

use crate::{AllocError, AllocFigures, Heap, NodeAllocator, RawBlock, TailPolicy};

/// The heap, with answers to all other questions that no allocator gives by default: whoever stands before it and
/// answers otherwise did not ask. For [`contract::forwards`](crate::testing::contract::forwards).
///
/// ```
/// use linkbuf_core::{Heap, NodeAllocator, testing::allocators::Telltale};
///
/// assert_ne!(Telltale.node_size(), Heap.node_size());
/// assert_ne!(Telltale.trim(), Heap.trim());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Telltale;

#[deny(
    clippy::missing_trait_methods,
    reason = "a method that is left out here could be forgotten elsewhere"
)]
// SAFETY: blocks are the heap's own. The other answers promise nothing about blocks.
unsafe impl NodeAllocator for Telltale {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        Heap.allocate(min)
    }

    unsafe fn deallocate(&self, block: RawBlock) {
        // SAFETY: the caller's promise is the one that the heap asks for.
        unsafe { Heap.deallocate(block) }
    }

    fn good_size(&self, min: usize) -> usize {
        min.saturating_add(13)
    }

    fn page_size(&self) -> usize {
        28_672
    }

    fn node_size(&self) -> usize {
        5003
    }

    fn default_tail_policy(&self) -> TailPolicy {
        TailPolicy::Keep(777)
    }

    fn trim(&self) -> usize {
        101
    }

    fn decay(&self) -> usize {
        102
    }

    fn figures(&self) -> Option<AllocFigures> {
        let figures = AllocFigures {
            live_blocks: 1,
            live_bytes: 1000,
            cached_bytes: 200,
            free_bytes: 30,
            mapped_bytes: 1230,
        };
        Some(figures)
    }
}
