//! A block of an allocator under test, as an owned value: taken, written to, and given back when it is dropped.

#![expect(
    unsafe_code,
    reason = "writes to raw blocks, gives them back, and sends them to other threads"
)]

use std::ptr::NonNull;
use std::slice;

use linkbuf_core::{NodeAllocator, RawBlock};

/// What fails if the machine has no memory for a benchmark's size.
pub(crate) const MEMORY: &str = "the machine has memory for this";

/// The step in which memory is touched: the smallest page there is.
pub(crate) const PAGE: usize = 4096;

/// A block that is out. Dropping it gives it back.
///
/// The parts of a [`RawBlock`] that `from` gave and that was not given back yet, in another order: as they were, the
/// compiler moves two at once, and a processor stalls where it stored them singly just before.
pub(crate) struct Block<'a, A: NodeAllocator> {
    len: usize,
    ptr: NonNull<u8>,
    from: &'a A,
    init: usize,
}

// SAFETY: the block is its owner's alone, and its allocator takes it back on any thread through a shared reference
// (`A: Sync`), as `NodeAllocator` promises.
unsafe impl<A: NodeAllocator> Send for Block<'_, A> {}

impl<'a, A: NodeAllocator> Block<'a, A> {
    /// Takes one of at least `len` bytes.
    ///
    /// # Panics
    /// Where there is no memory: a benchmark can't go on then.
    #[inline]
    pub(crate) fn take(from: &'a A, len: usize) -> Self {
        let RawBlock { ptr, len, init } = from.allocate(len).expect(MEMORY);
        Self {
            len,
            ptr,
            from,
            init,
        }
    }

    pub(crate) fn address(&self) -> usize {
        self.ptr.addr().get()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Writes its first byte.
    #[inline]
    pub(crate) fn touch(&mut self) {
        self.put(0, 1);
    }

    /// Writes a byte of each of its pages.
    #[inline]
    pub(crate) fn touch_pages(&mut self) {
        for at in (0..self.len).step_by(PAGE) {
            self.put(at, 1);
        }
    }

    #[inline]
    fn put(&mut self, at: usize, byte: u8) {
        assert!(at < self.len);
        // SAFETY: `at` lies within the block.
        let to = unsafe { self.ptr.add(at) };
        // SAFETY: the block's memory is this value's alone.
        unsafe { to.write(byte) }
    }

    /// Writes all of it: bytes that follow from `seed`.
    pub(crate) fn fill(&mut self, seed: usize) {
        for at in 0..self.len {
            self.put(at, expected(seed, at));
        }
        // Now they are initialised.
        self.init = self.len;
    }

    /// Whether it holds what [`fill`](Self::fill) wrote.
    pub(crate) fn holds(&self, seed: usize) -> bool {
        // SAFETY: the first `init` bytes of a block are initialised, and nobody writes while `self` is borrowed.
        let bytes = unsafe { slice::from_raw_parts(self.ptr.as_ptr(), self.init) };
        let mut all = bytes.iter().enumerate();
        bytes.len() == self.len && all.all(|(at, &byte)| byte == expected(seed, at))
    }
}

/// Differs from block to block, and from page to page of one.
fn expected(seed: usize, at: usize) -> u8 {
    let mixed = (seed ^ (at >> 6)).wrapping_mul(0x9E37_79B9) ^ at;
    mixed.to_le_bytes()[1]
}

impl<A: NodeAllocator> Drop for Block<'_, A> {
    #[inline]
    fn drop(&mut self) {
        let raw = RawBlock {
            ptr: self.ptr,
            len: self.len,
            init: self.init,
        };
        // SAFETY: `from` gave the block, as it is but for a higher mark of bytes that were written; it goes back once,
        // and this value was the only way to its memory.
        unsafe { self.from.deallocate(raw) }
    }
}
