//! A fixed array of blocks that travels whole.
#![expect(
    unsafe_code,
    reason = "allocates without aborting, keeps blocks uninitialised"
)]

use std::{
    alloc::{Layout, alloc},
    mem::MaybeUninit,
    ptr::NonNull,
};

use linkbuf_core::RawBlock;

/// Blocks that a magazine holds at most.
pub(super) const CAPACITY: usize = 32;

/// A block of a length that is known from the class.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    ptr: NonNull<u8>,
    init: usize,
}

impl Entry {
    #[inline]
    pub(super) fn of(block: RawBlock) -> Self {
        Entry {
            ptr: block.ptr,
            init: block.init,
        }
    }

    #[inline]
    pub(super) fn block(self, len: usize) -> RawBlock {
        RawBlock {
            ptr: self.ptr,
            len,
            init: self.init,
        }
    }
}

/// Up to [`CAPACITY`] blocks of one class. The first `len` entries are blocks that nobody uses.
pub(super) struct Magazine {
    entries: [MaybeUninit<Entry>; CAPACITY],
    len: usize,
}

// SAFETY: an entry is a block that nobody uses; the contract of `NodeAllocator` lets any thread return or reuse it.
unsafe impl Send for Magazine {}

impl Magazine {
    /// An empty one, or `None` where there is no memory for it.
    pub(super) fn new() -> Option<Box<Magazine>> {
        // SAFETY: a magazine is not of size 0.
        let memory = unsafe { alloc(Layout::new::<Magazine>()) };
        let magazine = NonNull::new(memory)?.cast::<Magazine>();
        // SAFETY: the memory has this layout, so the field lies in it.
        let len = unsafe { &raw mut (*magazine.as_ptr()).len };
        // SAFETY: fresh memory. The entries need no value.
        unsafe { len.write(0) };
        // SAFETY: from the global allocator with the layout of the type; every field that needs a value has one.
        Some(unsafe { Box::from_raw(magazine.as_ptr()) })
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        let len = self.len.checked_sub(1)?;
        self.len = len;
        // SAFETY: the first `len` entries are blocks, and this was the last of them.
        Some(unsafe { self.entries.get(len)?.assume_init() })
    }

    /// Says how many of the entries are blocks.
    ///
    /// # Safety
    /// The first `len <= CAPACITY` entries were written.
    pub(super) unsafe fn set_len(&mut self, len: usize) {
        debug_assert!(len <= CAPACITY);
        self.len = len;
    }

    /// Where the entry lies.
    ///
    /// # Safety
    /// `magazine` is valid, `at < CAPACITY`.
    #[inline]
    pub(super) unsafe fn entry(magazine: *mut Magazine, at: usize) -> *mut Entry {
        // SAFETY: the magazine is valid, by the caller's promise.
        let entries = unsafe { &raw mut (*magazine).entries };
        // SAFETY: the place is in the array, by the caller's promise.
        unsafe { entries.cast::<Entry>().add(at) }
    }
}

/// A block that came back and that nobody uses, on its own.
pub(super) struct Loose(pub(super) RawBlock);

// SAFETY: nobody uses the block, and the contract of `NodeAllocator` lets any thread return or reuse it.
unsafe impl Send for Loose {}
