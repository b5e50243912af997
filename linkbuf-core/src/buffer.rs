//! The buffer as a whole: making one, its lengths, its memory, emptying it.

use core::fmt;

use crate::{
    allocator::NodeAllocator,
    error::Error,
    heap::Heap,
    policy::{Builder, Config, TailPolicy},
    raw::Chain,
    stats::Memory,
};

/// A byte queue over a chain of memory nodes: written in two phases at one end, read without copying at the other.
///
/// ```text
///   reader ──► readable ──────────────────► pending ──► writer
///              next, peek, skip, until,     malloc, write_*, slots,
///              slice, io_slices    flush ──►  malloc_ack discards
///   release ──► given back
/// ```
///
/// The writer adds *pending* bytes; [`flush`](Self::flush) makes them *readable*, all at once and in order; what was
/// read is given back by [`release`](Self::release). Nothing reorders, repeats or drops a byte. After an `Err` the
/// buffer is exactly as it was before the call. The idea, and the verbs, are those of CloudWeGo netpoll's `LinkBuffer`.
///
/// In its steady state a buffer allocates nothing, makes no system call and no atomic read-modify-write: it has one owner. It can
/// be sent to another thread; its [`Slice`](crate::Slice)s can outlive it anywhere.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::new();
/// let length = buf.slot_be::<u32>()?; // filled in last
/// buf.write_string("hello, ")?;
/// buf.write_owned(String::from("world"))?;
/// let body = buf.malloc_len() - 4;
/// buf.fill_int(&length, body as u32)?;
/// buf.flush();
///
/// let mut r = buf.session();
/// let head = r.next(4)?;
/// let body = r.next(12)?; // both are held at once
/// assert_eq!((head, body), (&[0, 0, 0, 12][..], &b"hello, world"[..]));
/// buf.release();
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
///
/// # What does not compile
///
/// Holding a slice of a reading session over the release that frees it:
/// ```compile_fail,E0499
/// # use linkbuf_core::LinkBuffer;
/// # let mut buf = LinkBuffer::new();
/// let mut r = buf.session();
/// let head = r.next(4).unwrap();
/// buf.release();
/// println!("{head:?}");
/// ```
/// Holding one over the buffer's end:
/// ```compile_fail,E0505
/// # use linkbuf_core::LinkBuffer;
/// # let mut buf = LinkBuffer::new();
/// let head = buf.next(4).unwrap();
/// drop(buf);
/// println!("{head:?}");
/// ```
/// Holding room that was handed out over the next write:
/// ```compile_fail,E0499
/// # use linkbuf_core::LinkBuffer;
/// # let mut buf = LinkBuffer::new();
/// let room = buf.malloc(4).unwrap();
/// buf.write_byte(1).unwrap();
/// room[0] = 2;
/// ```
/// Using a buffer that was appended to another:
/// ```compile_fail,E0382
/// # use linkbuf_core::LinkBuffer;
/// # let (mut buf, mut other) = (LinkBuffer::new(), LinkBuffer::new());
/// buf.append(other).unwrap();
/// other.write_byte(1).unwrap();
/// ```
pub struct LinkBuffer<A: NodeAllocator = Heap> {
    pub(crate) chain: Chain<A>,
}

impl LinkBuffer<Heap> {
    /// An empty buffer on the global heap, with the default settings. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        LinkBuffer {
            chain: Chain::new(Heap, Config::new(4096, 3072, TailPolicy::Page)),
        }
    }

    /// As [`new`](Self::new), with room for the first `bytes` bytes in one piece: [`preallocate`](Self::preallocate)
    /// says how long it lasts.
    ///
    /// # Errors
    /// [`Error::Alloc`] when there is no memory for it.
    pub fn with_capacity(bytes: usize) -> Result<Self, Error> {
        let mut buf = LinkBuffer::new();
        buf.preallocate(bytes)?;
        Ok(buf)
    }

    /// Settings other than the default ones, on the global heap.
    pub fn builder() -> Builder<Heap> {
        Builder::new()
    }
}

impl<A: NodeAllocator> LinkBuffer<A> {
    /// An empty buffer with memory from `alloc` and its default settings. Allocates nothing.
    #[must_use]
    pub fn new_in(alloc: A) -> Self {
        Builder::new_in(alloc).build()
    }

    pub(crate) fn with_config(alloc: A, config: Config) -> Self {
        LinkBuffer {
            chain: Chain::new(alloc, config),
        }
    }

    /// Makes room for the next `bytes` bytes in one piece, so that to copy them in (`malloc`, `write_binary`, an
    /// appender) neither allocates nor fails.
    ///
    /// What ends it:
    /// - a [`flush`](Self::flush), if the node is larger than both a page and what the tail policy keeps: it is not
    ///   written to again. For large messages make room before each, or let the policy
    ///   [`Keep`](TailPolicy::Keep) as much;
    /// - a [`release`](Self::release) of an empty buffer, a [`clear`](Self::clear) and a [`trim`](Self::trim), which
    ///   keep what they say.
    ///
    /// Slots, attached values and insertions take headers or tables from the heap beside it.
    ///
    /// # Errors
    /// [`Error::Alloc`] or [`Error::CapacityOverflow`].
    ///
    /// ```
    /// # use linkbuf_core::{LinkBuffer, TailPolicy};
    /// let mut buf = LinkBuffer::builder().tail_policy(TailPolicy::Keep(16 << 10)).build();
    /// buf.preallocate(10_000)?;
    /// let before = buf.memory();
    /// for _ in 0..100 {
    ///     buf.write_binary(&[7; 100])?;
    ///     buf.flush();
    /// }
    /// assert_eq!(buf.memory(), before);
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    pub fn preallocate(&mut self, bytes: usize) -> Result<(), Error> {
        let done = self.chain.preallocate(bytes);
        self.checked();
        done
    }

    /// The allocator's handle.
    pub fn allocator(&self) -> &A {
        self.chain.allocator()
    }

    /// Readable bytes. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        self.chain.len()
    }

    /// Is nothing readable? O(1).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.chain.len() == 0
    }

    /// Pending bytes: reserved or written, and not yet flushed. O(1).
    #[inline]
    pub fn malloc_len(&self) -> usize {
        self.chain.pending()
    }

    /// The memory that the buffer holds, by kind. O(nodes).
    pub fn memory(&self) -> Memory {
        self.chain.memory()
    }

    /// Forgets all bytes, readable and pending, and keeps what the tail policy allows. O(nodes).
    pub fn clear(&mut self) {
        self.chain.clear();
        self.checked();
    }

    /// Gives back all memory that holds no bytes now, whatever the tail policy says; for a buffer that is not going
    /// to be used for a while. Includes a [`release`](Self::release). O(nodes).
    pub fn trim(&mut self) {
        self.chain.trim();
        self.checked();
    }

    /// Debug builds: checks the chain's invariants.
    #[inline]
    pub(crate) fn checked(&self) {
        #[cfg(debug_assertions)]
        self.chain.check();
    }
}

impl<A: NodeAllocator + Default> Default for LinkBuffer<A> {
    fn default() -> Self {
        LinkBuffer::new_in(A::default())
    }
}

impl<A: NodeAllocator> fmt::Debug for LinkBuffer<A> {
    /// The lengths, not the bytes: a buffer may hold secrets, and much.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkBuffer")
            .field("len", &self.len())
            .field("malloc_len", &self.malloc_len())
            .field("memory", &self.memory())
            .finish()
    }
}
