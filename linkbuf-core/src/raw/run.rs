//! A run of room that many small fields are put into: the cursor in registers, one compare and one store a field.
//!
//! folly's `QueueAppender` has the idea.
#![expect(unsafe_code, reason = "stores into room that was checked")]

use core::ptr;

use super::{chain::Chain, span};
use crate::{allocator::NodeAllocator, error::Error};

/// The writer's cursor of a chain, borrowed. What was put is pending when the run is dropped; a run that is forgotten
/// loses what was put since it last grew.
pub(crate) struct Run<'b, A: NodeAllocator> {
    chain: &'b mut Chain<A>,
    ptr: *mut u8,
    /// Bytes of the tail's room from `ptr` on that are initialised. A count, not an end: taking a field's length off
    /// it is the compare, too, for a length is at most `isize::MAX`, and the sign of what is left tells.
    left: usize,
}

// SAFETY: stands for `&mut Chain`, which is `Send`; the two pointers are the chain's own.
unsafe impl<A: NodeAllocator> Send for Run<'_, A> {}
// SAFETY: `&Run` reads its two pointers and nothing behind them.
unsafe impl<A: NodeAllocator> Sync for Run<'_, A> {}

impl<'b, A: NodeAllocator> Run<'b, A> {
    /// A run of at least `n` bytes in one piece; it grows when more is put.
    #[inline]
    pub(crate) fn new(chain: &'b mut Chain<A>, n: usize) -> Result<Self, Error> {
        if !chain.has_room(n) {
            chain.make_room(n)?;
        }
        let (ptr, left) = (chain.w.ptr, span(chain.w.ptr, chain.w.end));
        Ok(Run { chain, ptr, left })
    }

    /// Puts a copy of `bytes`.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let n = bytes.len();
        let left = self.left.wrapping_sub(n);
        // As `n > self.left`, which compiles to a compare more.
        if left.cast_signed() < 0 {
            let (ptr, left, done) = overflow(self.chain, self.ptr, bytes);
            self.ptr = ptr;
            self.left = left;
            return done;
        }
        self.left = left;
        // SAFETY: `n` bytes of the tail's room: the run starts at `w.ptr` and ends at `w.end`, and the chain is
        // borrowed, so nothing else moves them or uses the room (I5).
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.ptr, n) };
        self.ptr = self.ptr.wrapping_add(n);
        Ok(())
    }

    /// Bytes that fit before the run has to grow.
    pub(crate) fn room(&self) -> usize {
        self.left
    }
}

/// Puts `bytes` the general way; the run goes on behind them. By value, so that a run stays in registers.
#[cold]
#[inline(never)]
fn overflow<A: NodeAllocator>(
    chain: &mut Chain<A>,
    ptr: *mut u8,
    bytes: &[u8],
) -> (*mut u8, usize, Result<(), Error>) {
    // What was put is initialised: it lies before `w.end`.
    chain.w.ptr = ptr;
    let done = chain.write(bytes);
    // Also after an error: undoing may end at another node with the same bytes.
    (chain.w.ptr, span(chain.w.ptr, chain.w.end), done)
}

impl<A: NodeAllocator> Drop for Run<'_, A> {
    #[inline]
    fn drop(&mut self) {
        self.chain.w.ptr = self.ptr;
    }
}
