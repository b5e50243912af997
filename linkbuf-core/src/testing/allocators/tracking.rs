//! An allocator that keeps books.

#![expect(
    unsafe_code,
    reason = "implements the unsafe trait `NodeAllocator` and poisons returned blocks"
)]

use core::slice;
use std::sync::Arc;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Exempt;
use crate::{AllocError, Heap, NodeAllocator, RawBlock};

/// What a returned block is filled with, so that a view that still sees it shows it.
const POISON: u8 = 0xDD;

/// Passes calls on to `A` and notes every block: what is live, and what was returned wrongly.
///
/// A wrong return is noted and not passed on: the test then fails in [`assert_balanced`](Self::assert_balanced) and
/// not in the heap. Returned blocks are overwritten first. Clones share the books.
///
/// ```
/// use linkbuf_core::{Heap, LinkBuffer, testing::allocators::Tracking};
///
/// let alloc = Tracking::new(Heap);
/// let mut buf = LinkBuffer::new_in(alloc.clone());
/// buf.write_binary(&[7; 10_000]).unwrap();
/// assert!(alloc.live_bytes() >= 10_000);
/// drop(buf);
/// alloc.assert_balanced();
/// ```
#[derive(Debug)]
pub struct Tracking<A: NodeAllocator = Heap> {
    books: Arc<Books<A>>,
}

/// A way in which a block came back wrongly.
///
/// ```
/// use linkbuf_core::{Heap, NodeAllocator, testing::allocators::{Tracking, Violation}};
///
/// let (one, other) = (Tracking::new(Heap), Tracking::new(Heap));
/// let block = one.allocate(10).unwrap();
/// // SAFETY: it isn't, which is the point: the block is another allocator's. It is noted and left alone.
/// unsafe { other.deallocate(block) };
/// assert!(matches!(other.violations()[..], [Violation::NeverGiven { .. }]));
/// // SAFETY: given by this allocator, returned once.
/// unsafe { one.deallocate(block) };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// The block was given before, and has been returned since.
    ReturnedTwice {
        /// Where it starts.
        address: usize,
    },
    /// No such block was ever given.
    NeverGiven {
        /// Where it starts.
        address: usize,
    },
    /// The block came back with another length.
    WrongLength {
        /// Bytes when it was given.
        given: usize,
        /// Bytes when it came back.
        returned: usize,
    },
    /// More bytes are said to be initialised than the block has.
    WrongInit {
        /// Bytes of the block.
        len: usize,
        /// Bytes said to be initialised.
        init: usize,
    },
    /// A block in quarantine was written to.
    WrittenAfterReturn {
        /// Where it starts.
        address: usize,
    },
}

#[derive(Debug)]
struct Books<A: NodeAllocator> {
    inner: A,
    quarantine: bool,
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Ledger {
    /// Address → length of what is out.
    live: HashMap<usize, usize>,
    live_bytes: usize,
    peak_bytes: usize,
    allocations: u64,
    /// Addresses that were returned and not given again.
    returned: HashMap<usize, ()>,
    held: Vec<Held>,
    violations: Vec<Violation>,
}

/// A returned block that is kept back.
#[derive(Debug)]
struct Held(RawBlock);

// SAFETY: the block was returned, so nobody but the books may touch it, and they do so behind a mutex; the contract of
// `NodeAllocator` lets any thread hand it on to the allocator.
unsafe impl Send for Held {}

impl<A: NodeAllocator> Tracking<A> {
    /// Wraps `inner` and passes returned blocks on to it at once.
    pub fn new(inner: A) -> Self {
        Self::with(inner, false)
    }

    /// As [`new`](Self::new), but keeps returned blocks until the last clone is gone. Their addresses are not used
    /// again, so a view of returned memory reads the overwritten bytes, and a write to it is noted.
    pub fn with_quarantine(inner: A) -> Self {
        Self::with(inner, true)
    }

    fn with(inner: A, quarantine: bool) -> Self {
        Self {
            books: Arc::new(Books {
                inner,
                quarantine,
                ledger: Mutex::default(),
            }),
        }
    }

    /// Blocks that are out.
    pub fn live_blocks(&self) -> usize {
        self.books.ledger().live.len()
    }

    /// Bytes of the blocks that are out.
    pub fn live_bytes(&self) -> usize {
        self.books.ledger().live_bytes
    }

    /// The most bytes that were ever out at once.
    pub fn peak_bytes(&self) -> usize {
        self.books.ledger().peak_bytes
    }

    /// Blocks given so far.
    pub fn allocations(&self) -> u64 {
        self.books.ledger().allocations
    }

    /// What came back wrongly so far.
    pub fn violations(&self) -> Vec<Violation> {
        let mut ledger = self.books.ledger();
        self.books.inspect_quarantine(&mut ledger);
        ledger.violations.clone()
    }

    /// Panics unless every block came back, and rightly.
    #[track_caller]
    pub fn assert_balanced(&self) {
        let violations = self.violations();
        assert!(
            violations.is_empty(),
            "blocks came back wrongly: {violations:?}"
        );
        assert_eq!(
            self.live_blocks(),
            0,
            "blocks never came back, {} bytes",
            self.live_bytes()
        );
    }
}

impl<A: NodeAllocator> Clone for Tracking<A> {
    fn clone(&self) -> Self {
        Self {
            books: Arc::clone(&self.books),
        }
    }
}

impl<A: NodeAllocator + Default> Default for Tracking<A> {
    fn default() -> Self {
        Self::new(A::default())
    }
}

impl<A: NodeAllocator> Books<A> {
    /// A test that panicked elsewhere leaves the books usable.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inspect_quarantine(&self, ledger: &mut Ledger) {
        for Held(block) in &ledger.held {
            // SAFETY: the block is the books' alone since it came back, and all of it was overwritten then.
            let bytes = unsafe { slice::from_raw_parts(block.ptr.as_ptr(), block.len) };
            let found = Violation::WrittenAfterReturn {
                address: block.ptr.as_ptr() as usize,
            };
            if bytes.iter().any(|b| *b != POISON) && !ledger.violations.contains(&found) {
                ledger.violations.push(found);
            }
        }
    }
}

impl Ledger {
    /// Strikes the block off, or notes why it can't be.
    fn returned(&mut self, block: &RawBlock) -> Result<(), Violation> {
        let address = block.ptr.as_ptr() as usize;
        let Some(&given) = self.live.get(&address) else {
            return Err(if self.returned.contains_key(&address) {
                Violation::ReturnedTwice { address }
            } else {
                Violation::NeverGiven { address }
            });
        };
        if given != block.len {
            return Err(Violation::WrongLength {
                given,
                returned: block.len,
            });
        }
        if block.init > block.len {
            return Err(Violation::WrongInit {
                len: block.len,
                init: block.init,
            });
        }
        self.live.remove(&address);
        self.live_bytes -= given;
        self.returned.insert(address, ());
        Ok(())
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "what is not forwarded would answer for itself"
)]
// SAFETY: every block comes from `inner` and goes back to it at most once, with the length it had and with an `init`
// that is true: all of it was just written. A clone shares the books: a count goes up, nothing is allocated.
unsafe impl<A: NodeAllocator> NodeAllocator for Tracking<A> {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let block = self.books.inner.allocate(min)?;
        let _quiet = Exempt::new();
        let mut ledger = self.books.ledger();
        let address = block.ptr.as_ptr() as usize;
        ledger.returned.remove(&address);
        ledger.live.insert(address, block.len);
        ledger.allocations += 1;
        ledger.live_bytes += block.len;
        ledger.peak_bytes = ledger.peak_bytes.max(ledger.live_bytes);
        Ok(block)
    }

    unsafe fn deallocate(&self, mut block: RawBlock) {
        let quiet = Exempt::new();
        let mut ledger = self.books.ledger();
        if let Err(violation) = ledger.returned(&block) {
            ledger.violations.push(violation);
            return;
        }
        // SAFETY: the block is out with this very length (just checked), and the caller gives up all of it.
        unsafe { block.ptr.write_bytes(POISON, block.len) };
        block.init = block.len;
        if self.books.quarantine {
            ledger.held.push(Held(block));
            return;
        }
        drop(ledger);
        drop(quiet); // what `inner` does on the heap counts
        // SAFETY: `inner` gave this block with this length, and the books let it through once.
        unsafe { self.books.inner.deallocate(block) }
    }

    crate::forward_node_allocator!(self => &self.books.inner);
}

impl<A: NodeAllocator> Drop for Books<A> {
    fn drop(&mut self) {
        let ledger = self
            .ledger
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let held = core::mem::take(&mut ledger.held);
        for Held(block) in &held {
            // SAFETY: `inner` gave this block with this length; it was kept back, so this is its only return.
            unsafe { self.inner.deallocate(*block) };
        }
        // The books' own memory was taken under an exemption and goes back under one.
        let _quiet = Exempt::new();
        drop(held);
        *ledger = Ledger::default();
    }
}
