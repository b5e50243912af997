//! A header: a node's place in a chain, and beside it the block it may have brought along.
#![expect(unsafe_code, reason = "typed access to headers by raw pointer")]

use alloc::alloc::{Layout, alloc, dealloc};
use core::{
    mem::offset_of,
    ptr::{self, NonNull},
};

use super::{
    block::{Block, BlockPtr},
    refcount::BIAS,
    span,
    view::View,
};
use crate::allocator::{AllocError, NodeAllocator, RawBlock};

/// Bytes of a header.
pub(super) const HEADER: usize = size_of::<Header>();

const _: () = assert!(HEADER <= 16 * size_of::<usize>());

/// Node and block in one allocation. A node that sees another header's block (the right half of a split, an attached
/// view) leaves its own block part unused.
#[repr(C)]
struct Header {
    node: Node,
    block: Block,
}

/// The part of a header that belongs to one chain.
#[repr(C)]
struct Node {
    next: Option<NodePtr>,
    /// The block whose bytes this node's window shows.
    block: BlockPtr,
    start: *mut u8,
    end: *mut u8,
    /// See I5.
    room_end: *mut u8,
    /// See I3.
    credit: usize,
}

/// A header, alive (I9).
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct NodePtr(NonNull<Header>);

/// Are both the same node, or both none? One comparison, where the derived one takes three.
#[inline]
pub(super) fn same(a: Option<NodePtr>, b: Option<NodePtr>) -> bool {
    let address = |n: Option<NodePtr>| n.map_or(ptr::null_mut(), |n| n.0.as_ptr());
    ptr::eq(address(a), address(b))
}

macro_rules! field {
    ($get:ident, $set:ident, $field:ident: $ty:ty) => {
        #[inline]
        pub(super) fn $get(self) -> $ty {
            let p = self.0.as_ptr();
            // SAFETY: alive (I9); the node part is its chain's alone (I6), and is read by value.
            unsafe { (*p).node.$field }
        }

        #[inline]
        pub(super) fn $set(self, value: $ty) {
            let p = self.0.as_ptr();
            // SAFETY: alive (I9); the node part is its chain's alone (I6).
            unsafe { (*p).node.$field = value };
        }
    };
}

impl NodePtr {
    field!(next, set_next, next: Option<NodePtr>);
    field!(block, set_block, block: BlockPtr);
    field!(start, set_start, start: *mut u8);
    field!(end, set_end, end: *mut u8);
    field!(room_end, set_room_end, room_end: *mut u8);
    field!(credit, set_credit, credit: usize);

    /// A fresh header in no list. Its block part is uninitialised: the node is to be set up by one of the `make_`
    /// functions before any of it is read.
    pub(super) fn alloc() -> Result<NodePtr, AllocError> {
        // SAFETY: a header is not zero-sized.
        let p = unsafe { alloc(Layout::new::<Header>()) };
        match NonNull::new(p.cast::<Header>()) {
            Some(p) => Ok(NodePtr(p)),
            None => Err(AllocError { size: HEADER }),
        }
    }

    /// # Safety
    /// The header is in no list, and nobody sees the block in it, if there is one: this is its last use.
    pub(super) unsafe fn free(self) {
        // SAFETY: allocated with this layout in `alloc`, and not used again by the caller's promise.
        unsafe { dealloc(self.0.as_ptr().cast(), Layout::new::<Header>()) };
    }

    /// The block part of this header.
    #[inline]
    pub(super) fn own_block(self) -> BlockPtr {
        let p = self.0.as_ptr();
        // SAFETY: alive (I9); no reference is formed, so the pointer keeps the provenance of the whole header.
        let block = unsafe { &raw mut (*p).block };
        // SAFETY: a field's address is not null.
        let block = unsafe { NonNull::new_unchecked(block) };
        // SAFETY: in a live header, with its provenance.
        unsafe { BlockPtr::new(block) }
    }

    /// The header that `block` stands in.
    #[inline]
    pub(super) fn of_block(block: BlockPtr) -> NodePtr {
        let p = block.as_ptr();
        // SAFETY: a `BlockPtr` points into a header, with the provenance of all of it (`own_block`).
        let header = unsafe { p.byte_sub(offset_of!(Header, block)) };
        NodePtr(header.cast())
    }

    /// Does this node see the block in its own header?
    #[inline]
    pub(super) fn is_primary(self) -> bool {
        self.block() == self.own_block()
    }

    /// Can this node's window grow, or its bytes be written to (I5)?
    #[inline]
    pub(super) fn has_room(self) -> bool {
        self.room_end() != self.start()
    }

    /// Moves the window's start up to `at`.
    #[inline]
    pub(super) fn begin_at(self, at: *mut u8) {
        if self.start() == at {
            return;
        }
        if !self.has_room() {
            self.set_room_end(at);
        }
        self.set_start(at);
    }

    /// Bytes in the window. Not of the tail, whose end is the writer's.
    #[inline]
    pub(super) fn len(self) -> usize {
        span(self.start(), self.end())
    }

    /// Makes a fresh header an empty node of a native block.
    ///
    /// # Safety
    /// The header is the caller's alone. `raw` was given by `alloc`.
    pub(super) unsafe fn make_native<A: NodeAllocator>(self, raw: RawBlock, alloc: A) {
        let block = self.own_block();
        // SAFETY: passed on.
        unsafe { block.write_native(raw, alloc, BIAS) };
        self.set_next(None);
        self.set_block(block);
        self.set_credit(BIAS);
        self.empty_window();
    }

    /// Gives the node of a native block that nobody else sees its whole room, and no bytes.
    pub(super) fn empty_window(self) {
        let block = self.block();
        debug_assert!(block.native() && block.refs().only(self.credit()));
        let base = block.base();
        self.set_start(base);
        self.set_end(base);
        self.set_room_end(base.wrapping_add(block.cap()));
    }

    /// Initialises the first `n` bytes of the block of a spare: one that nobody else sees.
    #[cfg(feature = "std")]
    pub(super) fn clear_to(self, n: usize) {
        let block = self.block();
        debug_assert!(block.native() && n <= block.cap() && block.refs().only(self.credit()));
        let init = block.init();
        if init < n {
            // SAFETY: within the block (I1), and nobody else sees it.
            unsafe { ptr::write_bytes(block.base().wrapping_add(init), 0, n - init) };
            // SAFETY: initialised up to `n` now.
            unsafe { block.set_init(n) };
        }
    }

    /// Makes a fresh header a node of the bytes of `value`. Gives the value back if there is no memory for its box.
    ///
    /// `as_ref` is called once, when the value is where it stays. Should it panic, the value is dropped and the header
    /// is free again (`on_panic` gets it).
    ///
    /// # Safety
    /// The header is the caller's alone.
    pub(super) unsafe fn make_foreign<T>(self, value: T) -> Result<(), (AllocError, T)>
    where
        T: AsRef<[u8]> + Send + 'static,
    {
        /// Drops the owner and frees the header, should `as_ref` panic.
        struct Undo(BlockPtr);
        impl Drop for Undo {
            fn drop(&mut self) {
                // SAFETY: the owner was put there, nobody sees its bytes, and the header is in no list.
                unsafe { self.0.destroy() };
            }
        }

        let block = self.own_block();
        // SAFETY: passed on; the range is set below.
        unsafe { block.write_foreign(value, BIAS) }?;
        let undo = Undo(block);
        // SAFETY: the header is the caller's alone while the bytes are asked for, on the thread that made it.
        let owner = unsafe { block.owner::<T>() };
        let bytes = owner.map_or(&[][..], AsRef::as_ref);
        // SAFETY: foreign, the caller's alone, and the bytes are the stored owner's.
        unsafe { block.set_foreign_range(bytes) };
        core::mem::forget(undo);
        let start = block.base();
        self.set_next(None);
        self.set_block(block);
        self.set_credit(BIAS);
        self.set_start(start);
        self.set_end(start.wrapping_add(block.cap()));
        self.set_room_end(start);
        Ok(())
    }

    /// Makes a node in no list a view of its window; its header is left to the block, which must stand in it.
    pub(super) fn into_view(self) -> View {
        debug_assert!(self.is_primary());
        let (block, start, len) = (self.block(), self.start(), self.len());
        let rest = self.credit() - 1;
        let last = rest > 0 && block.refs().sub(rest);
        debug_assert!(!last, "one reference goes to the view");
        // SAFETY: the window's bytes (I7), which no chain writes to any more; one reference is left (I3).
        unsafe { View::new(block, start, len) }
    }

    /// Makes a fresh header a node of the bytes of `view`, whose reference becomes the node's credit. A view of no
    /// block (static bytes) is not for this: see `View::block`.
    pub(super) fn make_view(self, view: View, block: BlockPtr) {
        let (start, len) = view.range();
        core::mem::forget(view);
        self.set_next(None);
        self.set_block(block);
        self.set_credit(1);
        self.set_start(start.as_ptr());
        self.set_end(start.as_ptr().wrapping_add(len));
        self.set_room_end(start.as_ptr());
    }

    /// Makes a fresh header a node of `start .. end` of the block of `other`, which shares its credit.
    pub(super) fn make_sibling(
        self,
        other: NodePtr,
        start: *mut u8,
        end: *mut u8,
        room_end: *mut u8,
    ) {
        let block = other.block();
        let credit = other.credit();
        let half = if credit > 1 {
            other.set_credit(credit - credit / 2);
            credit / 2
        } else {
            block.refs().add(BIAS);
            BIAS
        };
        self.set_next(None);
        self.set_block(block);
        self.set_credit(half);
        self.set_start(start);
        self.set_end(end);
        self.set_room_end(room_end);
    }

    /// A view of `len` bytes from `at`, readable bytes of this node.
    #[inline]
    pub(super) fn view(self, at: *const u8, len: usize) -> View {
        let credit = self.credit();
        if credit > 1 {
            self.set_credit(credit - 1);
        } else {
            // One atomic operation buys credit for many views.
            self.block().refs().add(BIAS);
            self.set_credit(credit + BIAS - 1);
        }
        // SAFETY: the bytes are initialised and published, in this node's block (I2, I7), and one reference was
        // taken from the credit, or made (I3).
        unsafe { View::new(self.block(), at, len) }
    }
}
