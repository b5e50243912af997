//! An allocator that uses every freedom that the contract leaves.

#![expect(
    unsafe_code,
    reason = "implements the unsafe trait `NodeAllocator` on raw memory"
)]

use core::{
    alloc::Layout,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering},
};
use std::{
    alloc::{alloc, dealloc},
    sync::Arc,
};

use crate::{AllocError, NodeAllocator, RawBlock};

/// Blocks at odd addresses, longer than was asked for, and with old bytes in none, some or all of them.
///
/// Old bytes are [`Odd::OLD`]; the rest of a block is really uninitialised, so that valgrind and Miri see a read of it.
///
/// ```
/// use linkbuf_core::{NodeAllocator, testing::allocators::Odd};
///
/// let alloc = Odd::new();
/// let block = alloc.allocate(100).unwrap();
/// assert_eq!(block.ptr.as_ptr() as usize % 2, 1);
/// assert!(block.len >= 100 && block.init <= block.len);
/// // SAFETY: given by this allocator, returned once.
/// unsafe { alloc.deallocate(block) };
/// ```
#[derive(Clone, Debug, Default)]
pub struct Odd {
    /// Allocations so far; chooses the shape of the next.
    turn: Arc<AtomicUsize>,
}

impl Odd {
    /// The value of the bytes that a block brings along.
    pub const OLD: u8 = 0xA5;

    /// An allocator with a shape sequence of its own. Deterministic as long as one thread uses it.
    pub fn new() -> Self {
        Self::default()
    }

    /// One byte more than the block, at an even address: the block starts at the second byte.
    fn layout(len: usize) -> Option<Layout> {
        Layout::from_size_align(len.checked_add(1)?, 2).ok()
    }
}

// SAFETY: `allocate` gives memory that it alone just got from the global heap, `len >= min`, of which the first `init`
// bytes were written. `deallocate` hands the very same piece back to the same heap, from any thread. Clones share the
// counter only, and cloning an `Arc` allocates nothing.
unsafe impl NodeAllocator for Odd {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let refused = AllocError { size: min };
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let len = min
            .checked_add([0, 1, 7, 64, 333][turn % 5])
            .ok_or(refused)?;
        let layout = Self::layout(len).ok_or(refused)?;
        // SAFETY: the layout has `len + 1 >= 1` bytes, so it is not empty.
        let base = NonNull::new(unsafe { alloc(layout) }).ok_or(refused)?;
        // SAFETY: the piece has `len + 1 >= 1` bytes, so one past its first is in it or one past its end.
        let ptr = unsafe { base.add(1) };
        let init = [0, len / 2, len, 1.min(len)][turn % 4];
        // SAFETY: `init <= len` bytes from the second byte on lie in the piece, which is ours alone.
        unsafe { ptr.write_bytes(Self::OLD, init) };
        Ok(RawBlock { ptr, len, init })
    }

    unsafe fn deallocate(&self, block: RawBlock) {
        let Some(layout) = Self::layout(block.len) else {
            unreachable!("a block of this length was never given")
        };
        // SAFETY: the caller got `block` here, where its address was made by adding one.
        let base = unsafe { block.ptr.sub(1) };
        // SAFETY: `base` came from `alloc` with this layout (same length, same function), and comes back once.
        unsafe { dealloc(base.as_ptr(), layout) }
    }
}
