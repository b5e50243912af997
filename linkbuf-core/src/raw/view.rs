//! A view: counted, read-only access to bytes of one block. What slices are made of.
#![expect(
    unsafe_code,
    reason = "reads bytes of a block that its reference keeps alive"
)]

use alloc::vec::Vec;
use core::{ptr::NonNull, slice};

use super::{block::BlockPtr, node::NodePtr};
use crate::{
    allocator::AllocError,
    error::{Error, Rejected},
};

/// Read-only bytes of one block, which stays alive as long as the view; or static bytes, of no block.
pub(crate) struct View {
    block: Option<BlockPtr>,
    ptr: NonNull<u8>,
    len: usize,
}

// SAFETY: the bytes are not written to while a view sees them (I4), the count is atomic (I3), and the last view may
// give the block back from any thread: an allocator's contract says so, and owners are `Send`.
unsafe impl Send for View {}
// SAFETY: as above; `&View` gives out `&[u8]`, clones, and an owner only to code that asks for a type it knows.
unsafe impl Sync for View {}

impl View {
    /// # Safety
    /// `at .. at + len` are initialised bytes of `block` that nobody writes to while the view lives (I4), and the
    /// caller hands over one reference.
    #[inline]
    pub(super) unsafe fn new(block: BlockPtr, at: *const u8, len: usize) -> View {
        // SAFETY: a byte of a block (or its end) is not at null.
        let ptr = unsafe { NonNull::new_unchecked(at.cast_mut()) };
        View {
            block: Some(block),
            ptr,
            len,
        }
    }

    /// Bytes that live for ever.
    pub(crate) const fn from_static(bytes: &'static [u8]) -> View {
        // A slice's address is not null, so this can't be `None`; `const` has no `unwrap_or` for it.
        match NonNull::new(bytes.as_ptr().cast_mut()) {
            Some(ptr) => View {
                block: None,
                ptr,
                len: bytes.len(),
            },
            None => View {
                block: None,
                ptr: NonNull::dangling(),
                len: 0,
            },
        }
    }

    /// The bytes of `value`, without a copy. Allocates a header.
    pub(crate) fn from_owner<T>(value: T) -> Result<View, Rejected<T>>
    where
        T: AsRef<[u8]> + Send + 'static,
    {
        let h = match NodePtr::alloc() {
            Ok(h) => h,
            Err(e) => {
                return Err(Rejected {
                    error: e.into(),
                    value,
                });
            }
        };
        // SAFETY: a fresh header.
        match unsafe { h.make_foreign(value) } {
            Ok(()) => Ok(h.into_view()),
            Err((e, value)) => {
                // SAFETY: in no list, without a block, and not used again.
                unsafe { h.free() };
                Err(Rejected {
                    error: e.into(),
                    value,
                })
            }
        }
    }

    /// A copy of `bytes`, in memory of its own. Allocates twice.
    pub(crate) fn copied(bytes: &[u8]) -> Result<View, Error> {
        let mut copy = Vec::new();
        if copy.try_reserve_exact(bytes.len()).is_err() {
            return Err(AllocError { size: bytes.len() }.into());
        }
        copy.extend_from_slice(bytes);
        Ok(View::from_owner(copy)?)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        // SAFETY: initialised, alive and unwritten while `self` lives (`new`, I4), or static.
        unsafe { slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    pub(super) fn block(&self) -> Option<BlockPtr> {
        self.block
    }

    pub(super) fn range(&self) -> (NonNull<u8>, usize) {
        (self.ptr, self.len)
    }

    /// The bytes of a view of no block; those of another give an empty answer.
    pub(super) fn static_bytes(&self) -> &'static [u8] {
        if self.block.is_some() {
            return &[];
        }
        // SAFETY: without a block the bytes came from `from_static`, whole or in part.
        unsafe { slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    /// Bytes of the block that the view keeps alive; 0 for static bytes.
    pub(crate) fn pinned(&self) -> usize {
        self.block.map_or(0, BlockPtr::cap)
    }

    /// The owner of foreign bytes, if it is a `T`.
    #[cfg_attr(
        not(feature = "bytes"),
        expect(dead_code, reason = "what it serves is behind the feature")
    )]
    pub(crate) fn owner<T: Sync + 'static>(&self) -> Option<&T> {
        // SAFETY: the view's reference keeps the owner alive for the borrow of `self`; `T` is `Sync`.
        self.block.and_then(|block| unsafe { block.owner() })
    }

    /// The view of `len` bytes from `from`; both are brought into range.
    pub(crate) fn part(&self, from: usize, len: usize) -> View {
        let from = from.min(self.len);
        let len = len.min(self.len - from);
        if len == 0 {
            return View::from_static(&[]);
        }
        if let Some(block) = self.block {
            block.refs().add(1);
        }
        // SAFETY: within the view's bytes.
        let ptr = unsafe { self.ptr.add(from) };
        View {
            block: self.block,
            ptr,
            len,
        }
    }

    /// Forgets the first `n` bytes, or all.
    pub(crate) fn advance(&mut self, n: usize) {
        let n = n.min(self.len);
        // SAFETY: within the view's bytes, or their end.
        self.ptr = unsafe { self.ptr.add(n) };
        self.len -= n;
    }

    /// Keeps the first `n` bytes, or all.
    pub(crate) fn truncate(&mut self, n: usize) {
        self.len = self.len.min(n);
    }
}

impl Clone for View {
    #[inline]
    fn clone(&self) -> View {
        if let Some(block) = self.block {
            block.refs().add(1);
        }
        View {
            block: self.block,
            ptr: self.ptr,
            len: self.len,
        }
    }
}

impl Drop for View {
    #[inline]
    fn drop(&mut self) {
        if let Some(block) = self.block
            && block.refs().sub(1)
        {
            // SAFETY: that was the last reference (I3), so no chain has a node of this block and its header is
            // in no list (I6): a chain gives a node's header up, or frees it, only with its credit.
            unsafe { block.destroy() };
        }
    }
}
