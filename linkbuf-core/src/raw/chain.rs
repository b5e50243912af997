//! The chain: three cursors over a list of nodes, and the fast paths of a buffer.
//!
//! The cursors are structs of their own: the writer's and flush point's are one half's, the reader's the other's.
#![expect(
    unsafe_code,
    reason = "copies to and from room, hands out slices of it"
)]

use alloc::boxed::Box;
use core::{
    ptr::{self, NonNull},
    slice,
};

use super::{
    chain_read::Cut,
    cold::Cold,
    node::{NodePtr, same},
    scratch::Scratch,
    search::Searched,
    span,
    store::Store,
};
use crate::{allocator::NodeAllocator, error::Error, policy::Config};

/// Where the next byte is written.
///
/// The three cursors are laid out so that no two words adjoin which a splice sets to zero: it is all plain stores then,
/// where the compiler makes a cleared range of them, whose address takes a register.
#[repr(C)]
pub(super) struct WriteCursor {
    pub(super) ptr: *mut u8,
    /// The end of the room that is initialised (I2).
    pub(super) end: *mut u8,
    pub(super) tail: Option<NodePtr>,
}

/// Where pending bytes begin.
#[repr(C)]
pub(super) struct FlushCursor {
    pub(super) ptr: *mut u8,
    pub(super) node: Option<NodePtr>,
    pub(super) pend: usize,
}

/// Where the next byte is read, and the first node that is not yet given back.
#[repr(C)]
pub(super) struct ReadCursor {
    pub(super) node: Option<NodePtr>,
    pub(super) ptr: *mut u8,
    pub(super) head: Option<NodePtr>,
    pub(super) end: *mut u8,
    pub(super) beyond: usize,
    /// `bias + ptr` is the position in the stream, counted (wrapping) from the buffer's first byte.
    pub(super) bias: usize,
}

/// A booking: room that was handed out to be filled by a read call.
#[repr(C)]
pub(super) struct Booking {
    /// Bytes in both pieces.
    pub(super) len: u32,
    /// Bytes in the first piece.
    pub(super) first: u32,
    /// The size that reads adapt to.
    pub(super) size: u32,
    /// Reads in a row that used little of it.
    pub(super) small: u8,
    pub(super) ptr: *mut u8,
    /// A spare whose room was handed out too.
    pub(super) second: Option<NodePtr>,
}

/// What is known of a chain, so that the fast paths have one thing to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Nothing.
    Any,
    /// As `Simple`, but for slots that are open.
    Slotted,
    /// The chain is one native node that a drained buffer may keep, and nothing needs a second look: no slot is open,
    /// no scratch is in use, nothing is to be scrubbed or sealed.
    Simple,
}

/// A chain of nodes, with a writer and a reader. What the fast paths touch comes first, in two cache lines: of very many
/// buffers, few are in the cache.
#[repr(C)]
pub(crate) struct Chain<A: NodeAllocator> {
    pub(super) r: ReadCursor,
    pub(super) w: WriteCursor,
    pub(super) f: FlushCursor,
    pub(super) shape: Shape,
    /// A flush has to look whether the tail, or the node to resume, is to be sealed.
    pub(super) seal: bool,
    /// Slots may be open, which a flush has to close.
    pub(super) slots: bool,
    /// Something was gathered since the last release.
    pub(super) scratch_used: bool,
    pub(super) searched: Searched,
    pub(super) booking: Booking,
    /// The node before attached tail nodes that has room left.
    pub(super) resume: Option<NodePtr>,
    pub(super) cold: Option<Box<Cold>>,
    pub(super) store: Store<A>,
    pub(super) scratch: Scratch,
}

/// Where the cursors of a chain that never had a node stand. Of one that gave its nodes away, all stand where the reader
/// was: no memory of the chain's, and nothing is read or written through them.
const NOWHERE: *mut u8 = NonNull::dangling().as_ptr();

// SAFETY: a chain owns its nodes; blocks shared with views are read-only to both (I4) and counted atomically (I3);
// owners are `Send`, and so is `A`.
unsafe impl<A: NodeAllocator> Send for Chain<A> {}
// SAFETY: through `&Chain`, nodes and published bytes are only read (making views takes `&mut`), and they change only
// under `&mut`.
unsafe impl<A: NodeAllocator> Sync for Chain<A> {}

impl<A: NodeAllocator> Chain<A> {
    pub(crate) const fn new(alloc: A, config: Config) -> Chain<A> {
        Chain {
            w: WriteCursor {
                ptr: NOWHERE,
                end: NOWHERE,
                tail: None,
            },
            f: FlushCursor {
                ptr: NOWHERE,
                node: None,
                pend: 0,
            },
            r: ReadCursor {
                ptr: NOWHERE,
                end: NOWHERE,
                node: None,
                head: None,
                beyond: 0,
                bias: 0,
            },
            shape: Shape::Any,
            slots: false,
            seal: false,
            resume: None,
            scratch: Scratch::new(),
            searched: Searched::new(),
            booking: Booking {
                ptr: NOWHERE,
                len: 0,
                size: config.book_min,
                small: 0,
                second: None,
                first: 0,
            },
            store: Store::new(alloc, config),
            cold: None,
            scratch_used: false,
        }
    }

    pub(crate) fn allocator(&self) -> &A {
        &self.store.alloc
    }

    pub(crate) fn config(&self) -> &Config {
        &self.store.config
    }

    /// Readable bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        span(self.r.ptr, self.r.end) + self.r.beyond
    }

    /// Pending bytes.
    #[inline]
    pub(crate) fn pending(&self) -> usize {
        if same(self.f.node, self.w.tail) {
            span(self.f.ptr, self.w.ptr)
        } else {
            let start = self.w.tail.map_or(self.w.ptr, NodePtr::start);
            self.f.pend + span(start, self.w.ptr)
        }
    }

    /// The reader's position in the stream.
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.r.bias.wrapping_add(self.r.ptr.addr())
    }

    /// Adds `n` pending bytes, whose memory is initialised, and gives them out to be filled.
    #[inline]
    pub(crate) fn reserve(&mut self, n: usize) -> Result<&mut [u8], Error> {
        if n > span(self.w.ptr, self.w.end) {
            self.make_room(n)?;
        }
        let at = self.w.ptr;
        self.w.ptr = at.wrapping_add(n);
        // SAFETY: `n` initialised bytes of the tail's room (I2, I5), lent out as long as the chain is.
        Ok(unsafe { slice::from_raw_parts_mut(at, n) })
    }

    /// Adds a copy of `bytes`, pending.
    #[inline]
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let n = bytes.len();
        if n > span(self.w.ptr, self.w.end) {
            return self.write_slow(bytes);
        }
        let at = self.w.ptr;
        // SAFETY: `n` bytes of the tail's room, which nothing else sees, hence not `bytes` either (I5).
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), at, n) };
        self.w.ptr = at.wrapping_add(n);
        Ok(())
    }

    /// Keeps the first `n` pending bytes.
    #[inline]
    pub(crate) fn keep(&mut self, n: usize) -> Result<(), Error> {
        if self.shape == Shape::Simple && n <= span(self.f.ptr, self.w.ptr) {
            let end = self.f.ptr.wrapping_add(n);
            if self.w.ptr != end {
                self.w.ptr = end;
                self.booking.len = 0;
            }
            return Ok(());
        }
        self.keep_slow(n)
    }

    /// Publishes all pending bytes.
    #[inline]
    pub(crate) fn flush(&mut self) {
        if self.shape == Shape::Simple {
            self.r.end = self.w.ptr;
            self.f.ptr = self.w.ptr;
        } else {
            self.flush_slow();
        }
    }

    /// The next `n` bytes in one piece, consumed. Their lifetime is the caller's to bound (I8).
    #[inline]
    pub(super) fn take<'b>(&mut self, n: usize) -> Result<&'b [u8], Error> {
        let at = self.r.ptr;
        if n > span(at, self.r.end) {
            return self.take_slow(n);
        }
        self.r.ptr = at.wrapping_add(n);
        // SAFETY: readable bytes are initialised (I2), and not written to before the caller's borrow ends (I4, I8).
        Ok(unsafe { slice::from_raw_parts(at, n) })
    }

    /// The next `n` bytes in one piece. Their lifetime is the caller's to bound (I8).
    #[inline]
    pub(super) fn look<'b>(&mut self, n: usize) -> Result<&'b [u8], Error> {
        if n > span(self.r.ptr, self.r.end) {
            return self.look_slow(n);
        }
        // SAFETY: as in `take`.
        Ok(unsafe { slice::from_raw_parts(self.r.ptr, n) })
    }

    /// Consumes `n` bytes.
    #[inline]
    pub(crate) fn skip(&mut self, n: usize) -> Result<(), Error> {
        if n > span(self.r.ptr, self.r.end) {
            if n != self.len() {
                return self.skip_slow(n);
            }
            // As after a write that took all.
            self.pass_all(n);
            return Ok(());
        }
        self.r.ptr = self.r.ptr.wrapping_add(n);
        Ok(())
    }

    /// Copies the next bytes out, consumed.
    #[inline]
    pub(crate) fn read_into(&mut self, dst: &mut [u8]) -> Result<(), Error> {
        let n = dst.len();
        if n > span(self.r.ptr, self.r.end) {
            return self.read_into_slow(dst);
        }
        // SAFETY: `n` readable bytes; `dst` is the caller's own, and no mutable borrow covers readable bytes (I4).
        unsafe { ptr::copy_nonoverlapping(self.r.ptr, dst.as_mut_ptr(), n) };
        self.r.ptr = self.r.ptr.wrapping_add(n);
        Ok(())
    }

    /// A view of the next `n` bytes, consumed.
    #[inline]
    pub(crate) fn cut(&mut self, n: usize) -> Result<Cut, Error> {
        let at = self.r.ptr;
        match self.r.node {
            Some(node)
                if n <= span(at, self.r.end) && n > self.store.config.detach_below as usize =>
            {
                self.r.ptr = at.wrapping_add(n);
                Ok(Cut::One(node.view(at, n)))
            }
            _ => self.cut_slow(n),
        }
    }

    /// Gives back every node that was read to its end; a drained chain keeps what its policy allows.
    #[inline]
    pub(crate) fn release(&mut self) {
        if self.shape == Shape::Simple {
            if self.r.ptr != self.w.ptr {
                // Read in part, and nothing before it.
                return;
            }
            if let Some(tail) = self.w.tail {
                // A simple chain's node sees the block in its own header.
                if tail.own_block().refs().only(tail.credit()) {
                    let start = tail.start();
                    self.w.ptr = start;
                    self.f.ptr = start;
                    self.r.ptr = start;
                    self.r.end = start;
                    // The position in the stream jumps back, so what was searched is forgotten: it was all read.
                    self.searched.forget();
                    self.booking.len = 0;
                    return;
                }
            }
        }
        if self.r.ptr != self.r.end && same(self.r.head, self.r.node) && !self.scratch_used {
            // As above, of a chain of several nodes.
            return;
        }
        if !self.drained_pair() {
            self.release_slow();
        }
    }

    /// Would dropping the chain do nothing but drop the allocator's handle?
    #[inline]
    pub(crate) fn is_bare(&self) -> bool {
        // What is counted as kept covers the tables.
        self.r.head.is_none() && self.store.is_bare() && !self.scratch.has_nodes()
    }

    /// Room for `n` bytes, counted by addresses: whether a write of `n` would be a plain copy.
    #[inline]
    pub(super) fn has_room(&self, n: usize) -> bool {
        n <= span(self.w.ptr, self.w.end)
    }
}

impl<A: NodeAllocator> Drop for Chain<A> {
    fn drop(&mut self) {
        self.store.config.keep = 0;
        self.dispose_all();
        self.drop_cold();
    }
}
