//! The default allocator: the program's global heap, whichever that is.
#![expect(unsafe_code, reason = "calls the global allocator by layout")]

use alloc::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use core::ptr::NonNull;

use crate::allocator::{AllocError, NodeAllocator, RawBlock};

/// Blocks from the program's global heap, one allocation each, aligned to 16 bytes.
///
/// Large blocks are asked for zeroed: the system's fresh pages are, so this saves the clearing.
///
/// ```
/// use linkbuf_core::{Heap, LinkBuffer};
/// let mut buf = LinkBuffer::new_in(Heap);
/// buf.write_string("hello")?;
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Heap;

/// From this size on the common heaps map fresh pages, which are zero already.
const ZEROED_FROM: usize = 128 << 10;

impl Heap {
    fn layout(len: usize) -> Option<Layout> {
        Layout::from_size_align(len, 16).ok().filter(|_| len > 0)
    }
}

// SAFETY: a block is one allocation of the global allocator, whose contract is the one asked for here; `init` is 0 or,
// of zeroed memory, the whole; the handle is zero-sized.
unsafe impl NodeAllocator for Heap {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let refused = AllocError { size: min };
        let layout = Self::layout(min).ok_or(refused)?;
        let zeroed = min >= ZEROED_FROM;
        let ptr = if zeroed {
            // SAFETY: the layout's size is not 0.
            unsafe { alloc_zeroed(layout) }
        } else {
            // SAFETY: the layout's size is not 0.
            unsafe { alloc(layout) }
        };
        let ptr = NonNull::new(ptr).ok_or(refused)?;
        Ok(RawBlock {
            ptr,
            len: min,
            init: if zeroed { min } else { 0 },
        })
    }

    unsafe fn deallocate(&self, block: RawBlock) {
        let layout = Self::layout(block.len);
        debug_assert!(layout.is_some());
        if let Some(layout) = layout {
            // SAFETY: `allocate` gave this pointer for this length, hence for this layout.
            unsafe { dealloc(block.ptr.as_ptr(), layout) }
        }
    }
}
