//! Where a buffer's memory comes from: the contract between a buffer and its allocator.
//!
//! An allocator hands out *blocks*: whole pieces of raw memory that a buffer keeps its bytes in. The headers that
//! describe them (128 bytes each on 64-bit machines) come from the global heap and are no concern of the allocator, so a
//! block of 4096 bytes stays 4096 bytes, aligned as the allocator likes. The idea of a trait with a written contract is hashbrown's.

#![expect(unsafe_code, reason = "declares the unsafe trait")]

use core::{fmt, ptr::NonNull};

use crate::policy::TailPolicy;

/// The allocator gave no memory.
///
/// ```
/// use linkbuf_core::{AllocError, Heap, NodeAllocator};
/// let refused = Heap.allocate(usize::MAX).unwrap_err();
/// assert_eq!(refused, AllocError { size: usize::MAX });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError {
    /// Bytes asked for.
    pub size: usize,
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no memory for {} bytes", self.size)
    }
}

impl core::error::Error for AllocError {}

/// A piece of memory that an allocator gave, on its way to a buffer or back.
///
/// ```
/// use linkbuf_core::{Heap, NodeAllocator};
/// let block = Heap.allocate(100)?;
/// assert!(block.len >= 100 && block.init <= block.len);
/// // SAFETY: given by `Heap` just now, and not used again.
/// unsafe { Heap.deallocate(block) };
/// # Ok::<(), linkbuf_core::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RawBlock {
    /// Its first byte.
    pub ptr: NonNull<u8>,
    /// Its length in bytes.
    pub len: usize,
    /// How many of its first bytes are known to be initialised, whatever their values. A buffer clears only what
    /// lies behind them, and hands a higher mark back, so that a pool need never clear a byte twice.
    pub init: usize,
}

/// What an allocator says of itself. Zero where it does not count.
///
/// While no thread is inside the allocator, `live_bytes + cached_bytes + free_bytes == mapped_bytes`, in every
/// allocator that counts what it takes from the system.
///
/// There may be more fields one day, so an allocator begins with the default and sets those that it counts:
///
/// ```
/// use linkbuf_core::AllocFigures;
/// fn figures(blocks: u64, free_blocks: u64) -> AllocFigures {
///     let mut f = AllocFigures::default();
///     f.live_blocks = blocks;
///     f.live_bytes = blocks * 4096;
///     f.cached_bytes = free_blocks * 4096;
///     f.mapped_bytes = f.live_bytes + f.cached_bytes;
///     f
/// }
/// assert_eq!(figures(2, 1).mapped_bytes, 3 * 4096);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AllocFigures {
    /// Blocks that are out.
    pub live_blocks: u64,
    /// Bytes of the blocks that are out.
    pub live_bytes: u64,
    /// Bytes of whole blocks that the allocator holds ready for the next request.
    pub cached_bytes: u64,
    /// Bytes of slabs that no block is cut from at present.
    pub free_bytes: u64,
    /// Bytes taken from the system and not given back.
    pub mapped_bytes: u64,
}

/// Gives blocks to buffers and takes them back.
///
/// A value is a handle: a buffer owns one, and so does every block that came from it, so that the last view of a
/// block can give it back after the buffer is gone. A handle is zero-sized for a global allocator, or an `Arc` of the
/// real one; its clone is taken once per block that is allocated, never in a buffer's steady state.
///
/// # Safety
///
/// An implementation promises:
/// - **Size.** `allocate(min)` gives at least `min` bytes (`len >= min`, `len <= isize::MAX`), or an error.
/// - **Exclusive.** A block overlaps no other memory in use, and stays where it is until it comes back.
/// - **Initialised.** The first `init` bytes (`init <= len`) of a block are initialised.
/// - **Same allocator.** Any clone of the handle takes a block back, on any thread, once.
/// - **Failure** is an `Err`: neither an abort nor a panic. No method panics, nor do `clone` and `drop`.
/// - **Handle.** At most four words, aligned to at most a word (checked when compiled); the clone does not allocate.
///
/// There is no promise of alignment: payloads are bytes.
///
/// The suite in `testing::contract` (feature `testing`) checks an implementation against this.
///
/// ```
/// use linkbuf_core::{AllocError, Heap, LinkBuffer, NodeAllocator, RawBlock};
///
/// /// The heap, in nodes of 1 KiB.
/// #[derive(Clone)]
/// struct SmallNodes;
///
/// // SAFETY: every promise is the heap's own.
/// unsafe impl NodeAllocator for SmallNodes {
///     fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
///         Heap.allocate(min)
///     }
///     unsafe fn deallocate(&self, block: RawBlock) {
///         // SAFETY: the caller's promise is the one that the heap asks for.
///         unsafe { Heap.deallocate(block) }
///     }
///     fn node_size(&self) -> usize {
///         1024
///     }
/// }
///
/// let mut buf = LinkBuffer::new_in(SmallNodes);
/// buf.write_binary(b"hello")?;
/// assert_eq!(buf.memory().live, 1024);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
pub unsafe trait NodeAllocator: Clone + Send + Sync + 'static {
    /// Gives a block of at least `min` bytes, or an error. A buffer asks for at least 1. Who asks for 0 is refused, or
    /// gets a block that is returned like any other, of as many bytes as it says; that may be none.
    ///
    /// # Errors
    /// [`AllocError`] when there is no memory for it.
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError>;

    /// Takes a block back.
    ///
    /// # Safety
    /// This handle, or one it shares its origin with by cloning, gave the block; `ptr` and `len` are what was given,
    /// and the first `init` bytes are initialised; nobody uses the memory any more.
    unsafe fn deallocate(&self, block: RawBlock);

    /// The length that a request for `min` bytes had better ask for, because less would be wasted. At least `min`.
    fn good_size(&self, min: usize) -> usize {
        min
    }

    /// The unit in which this allocator gives memory back to the system, and the default bound of an idle buffer.
    fn page_size(&self) -> usize {
        4096
    }

    /// Payload bytes of an ordinary node. By default three quarters of a page: a node, its header, two more headers
    /// and a few slots stay within one page, all told.
    fn node_size(&self) -> usize {
        self.page_size() / 4 * 3
    }

    /// What a buffer keeps when it is idle, unless it is built otherwise.
    fn default_tail_policy(&self) -> TailPolicy {
        TailPolicy::Page
    }

    /// Gives back to the system all that nobody uses: what this thread's cache holds, what the threads share, what
    /// is free in slabs. Other threads' caches stay, as far as their bounds allow. Returns how many bytes went; by
    /// default nothing is kept and nothing goes.
    fn trim(&self) -> usize {
        0
    }

    /// Gives back what has not been used for a while. To be called every so often, by a timer or by a program when
    /// it is idle; calls that follow each other closely do nothing. Returns how many bytes went.
    fn decay(&self) -> usize {
        0
    }

    /// Its figures, if it counts.
    fn figures(&self) -> Option<AllocFigures> {
        None
    }
}

/// For an allocator before another: passes on every method of [`NodeAllocator`] that has a default.
///
/// It stands in the `impl`, which adds `allocate` and `deallocate` and no other method. `self` is named so that the
/// expression after it, a reference to the allocator behind, may use it. A decorator that is written this way also
/// forwards the methods that the trait may get later; `testing::contract::forwards` (feature `testing`) checks one that
/// is not.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
/// use linkbuf_core::{AllocError, Heap, LinkBuffer, NodeAllocator, RawBlock};
///
/// /// Counts what is asked of `A`.
/// #[derive(Clone)]
/// struct Counted<A>(A, Arc<AtomicU64>);
///
/// // SAFETY: every block comes from `A` and goes back to it unchanged.
/// unsafe impl<A: NodeAllocator> NodeAllocator for Counted<A> {
///     fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
///         self.1.fetch_add(1, Ordering::Relaxed);
///         self.0.allocate(min)
///     }
///     unsafe fn deallocate(&self, block: RawBlock) {
///         // SAFETY: the caller's promise is the one asked for.
///         unsafe { self.0.deallocate(block) }
///     }
///     linkbuf_core::forward_node_allocator!(self => &self.0);
/// }
///
/// let requests = Arc::new(AtomicU64::new(0));
/// let mut buf = LinkBuffer::new_in(Counted(Heap, Arc::clone(&requests)));
/// buf.write_binary(b"hello")?;
/// assert_eq!(requests.load(Ordering::Relaxed), 1);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[macro_export]
macro_rules! forward_node_allocator {
    ($self:ident => $inner:expr) => {
        #[inline]
        fn good_size(&$self, min: usize) -> usize {
            $crate::NodeAllocator::good_size($inner, min)
        }

        fn page_size(&$self) -> usize {
            $crate::NodeAllocator::page_size($inner)
        }

        fn node_size(&$self) -> usize {
            $crate::NodeAllocator::node_size($inner)
        }

        fn default_tail_policy(&$self) -> $crate::TailPolicy {
            $crate::NodeAllocator::default_tail_policy($inner)
        }

        fn trim(&$self) -> usize {
            $crate::NodeAllocator::trim($inner)
        }

        fn decay(&$self) -> usize {
            $crate::NodeAllocator::decay($inner)
        }

        fn figures(&$self) -> ::core::option::Option<$crate::AllocFigures> {
            $crate::NodeAllocator::figures($inner)
        }
    };
}
