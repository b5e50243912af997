//! Other people's allocators by their own functions, without linkbuf's counters and handles: the C library's and
//! mimalloc; and mimalloc set up otherwise.

#![expect(unsafe_code, reason = "implements an unsafe trait by unsafe calls")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::NonNull;

use libmimalloc_sys::{mi_free, mi_malloc};
use linkbuf_alloc::Mimalloc;
use linkbuf_core::{AllocError, NodeAllocator, RawBlock};

use crate::resident;

/// The C library's `malloc` and `free`. Not the program's global allocator: that one counts.
#[derive(Clone, Copy)]
pub(crate) struct Libc;

impl Libc {
    /// At this alignment [`System`] calls `malloc` itself.
    fn layout(len: usize) -> Option<Layout> {
        Layout::from_size_align(len, 16).ok().filter(|_| len > 0)
    }
}

// SAFETY: a block is one allocation of the C library, whose contract is the one asked for here; nothing of it is
// claimed to be initialised; the handle is zero-sized.
unsafe impl NodeAllocator for Libc {
    #[inline]
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let refused = AllocError { size: min };
        let layout = Self::layout(min).ok_or(refused)?;
        // SAFETY: the layout's size is not 0.
        let ptr = unsafe { System.alloc(layout) };
        let ptr = NonNull::new(ptr).ok_or(refused)?;
        Ok(RawBlock {
            ptr,
            len: min,
            init: 0,
        })
    }

    #[inline]
    unsafe fn deallocate(&self, block: RawBlock) {
        if let Some(layout) = Self::layout(block.len) {
            // SAFETY: `allocate` gave this pointer for this length, hence for this layout.
            unsafe { System.dealloc(block.ptr.as_ptr(), layout) }
        }
    }
}

/// `mi_malloc` and `mi_free`: exact for page sizes, and the least that mimalloc asks for.
#[derive(Clone, Copy)]
pub(crate) struct MiMalloc;

// SAFETY: a block is one allocation of mimalloc, whose contract is the one asked for here; nothing of it is claimed to
// be initialised; the handle is zero-sized.
unsafe impl NodeAllocator for MiMalloc {
    #[inline]
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let refused = AllocError { size: min };
        if isize::try_from(min).is_err() {
            return Err(refused);
        }
        // SAFETY: any size may be asked for.
        let ptr = unsafe { mi_malloc(min) };
        let ptr = NonNull::new(ptr.cast::<u8>()).ok_or(refused)?;
        Ok(RawBlock {
            ptr,
            len: min,
            init: 0,
        })
    }

    #[inline]
    unsafe fn deallocate(&self, block: RawBlock) {
        // SAFETY: `allocate` had the pointer from `mi_malloc`, and the caller gives it back once.
        unsafe { mi_free(block.ptr.as_ptr().cast()) }
    }
}

/// mimalloc's preset that gives memory back early.
pub(crate) fn low_retention() -> Result<Mimalloc, String> {
    match resident::threads() {
        // SAFETY: this is the process's only thread, so no other is inside mimalloc, and none starts before this ends.
        Ok(1) => Ok(unsafe { Mimalloc::low_retention() }),
        Ok(n) => Err(format!(
            "the preset needs a process of one thread, not of {n}"
        )),
        Err(e) => Err(format!("the number of threads isn't known: {e}")),
    }
}
