//! The writer's verbs: reserve, write, attach, insert, splice, keep, flush, book.

use core::mem::{forget, needs_drop};

use crate::{
    allocator::NodeAllocator,
    appender::Appender,
    buffer::LinkBuffer,
    error::{Error, Rejected},
    slice::Slice,
};

impl<A: NodeAllocator> LinkBuffer<A> {
    /// Reserves `n` contiguous pending bytes, to be filled in place. They are initialised, with any values; what an
    /// earlier use of the memory left there is not among them if the buffer scrubs. More than a node holds gets a node of its own.
    ///
    /// Copies nothing. O(1); allocates if the tail has no room and nothing is spare.
    ///
    /// # Errors
    /// [`Error::Alloc`], or [`Error::CapacityOverflow`] if the buffer's length would pass `isize::MAX`.
    ///
    /// ```
    /// # use linkbuf_core::LinkBuffer;
    /// let mut buf = LinkBuffer::new();
    /// let room = buf.malloc(128)?;
    /// room[..5].copy_from_slice(b"hello");
    /// buf.malloc_ack(5)?; // keeps 5, discards the rest
    /// buf.flush();
    /// assert_eq!(buf.next(5)?, b"hello");
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    #[inline]
    pub fn malloc(&mut self, n: usize) -> Result<&mut [u8], Error> {
        if cfg!(debug_assertions) {
            self.checked();
        }
        self.chain.reserve(n)
    }

    /// Keeps the first `n` pending bytes and discards the rest, whatever they are made of: slots, attached bytes,
    /// inserted ones. 0 discards all. A slot of which any byte is discarded is gone.
    ///
    /// O(1) within a node, O(pending nodes) across.
    ///
    /// # Errors
    /// [`Error::BeyondPending`] if fewer than `n` bytes are pending.
    #[inline]
    pub fn malloc_ack(&mut self, n: usize) -> Result<(), Error> {
        let done = self.chain.keep(n);
        self.checked();
        done
    }

    /// Appends a copy of borrowed bytes, pending.
    ///
    /// Copies; fills the tail first, and goes on in further nodes.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc).
    #[inline]
    pub fn write_binary(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let done = self.chain.write(bytes);
        self.checked();
        done
    }

    /// As [`write_binary`](Self::write_binary), of a string's UTF-8.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc).
    #[inline]
    pub fn write_string(&mut self, s: &str) -> Result<(), Error> {
        self.write_binary(s.as_bytes())
    }

    /// Appends one byte, pending.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc).
    #[inline]
    pub fn write_byte(&mut self, byte: u8) -> Result<(), Error> {
        self.write_binary(&[byte])
    }

    /// Appends the bytes of an owned value, pending: a `Vec<u8>`, `String`, `Bytes`, `Arc<[u8]>`, `&'static [u8]`, a
    /// memory map, anything that owns its bytes. From the copy threshold on (4 KiB, a setting) the value is attached
    /// without a copy and dropped when the last reader is done with it, on whichever thread that is; below it, the
    /// bytes are copied and the value dropped at once.
    ///
    /// O(1) if attached; a value of more than four words is boxed.
    ///
    /// A panic of `as_ref`, or of the value's drop when it is let go of, goes through to the caller, and the buffer is
    /// whole. If a second value of the same release panics while the first panic unwinds, the program aborts, as it
    /// does for the elements of a `Vec`.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc); the value comes back in the error.
    ///
    /// ```
    /// # use linkbuf_core::LinkBuffer;
    /// let mut buf = LinkBuffer::new();
    /// buf.write_owned(vec![7; 100_000])?; // not copied
    /// buf.flush();
    /// assert_eq!(buf.memory().foreign, 100_000);
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    #[inline]
    pub fn write_owned<T>(&mut self, value: T) -> Result<(), Rejected<T>>
    where
        T: AsRef<[u8]> + Send + 'static,
    {
        let bytes = value.as_ref();
        let done = if bytes.len() >= self.chain.config().copy_threshold as usize {
            self.chain.attach(value)
        } else {
            match self.chain.write(bytes) {
                Ok(()) => Ok(()),
                Err(error) => Err(Rejected { error, value }),
            }
        };
        self.checked();
        done
    }

    /// Inserts the bytes of an owned value so that `remain` pending bytes follow it, without moving any: a header
    /// before a body that is there already. May split any node, also inside a slot, which stays good.
    ///
    /// Never copies, whatever the length. O(pending nodes before the place).
    ///
    /// # Errors
    /// [`Error::BeyondPending`] if fewer than `remain` bytes are pending, or as [`malloc`](Self::malloc); the value
    /// comes back in the error.
    ///
    /// ```
    /// # use linkbuf_core::LinkBuffer;
    /// let mut buf = LinkBuffer::new();
    /// buf.write_string("body")?;
    /// buf.write_direct(String::from("head: "), 4)?;
    /// buf.flush();
    /// assert_eq!(buf.read_string(10)?, "head: body");
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    pub fn write_direct<T>(&mut self, value: T, remain: usize) -> Result<(), Rejected<T>>
    where
        T: AsRef<[u8]> + Send + 'static,
    {
        let done = self.chain.insert(value, remain);
        self.checked();
        done
    }

    /// Appends a slice's bytes, pending: attached from the copy threshold on, copied below it.
    ///
    /// O(nodes of the slice) if attached.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc); the slice comes back in the error.
    pub fn append_slice(&mut self, slice: Slice) -> Result<(), Rejected<Slice>> {
        let done = if slice.len() >= self.chain.config().copy_threshold as usize {
            slice.attach_to(&mut self.chain)
        } else {
            match self.write_pieces(&slice) {
                Ok(()) => Ok(()),
                Err(error) => Err(Rejected {
                    error,
                    value: slice,
                }),
            }
        };
        self.checked();
        done
    }

    /// Copies all pieces, or none.
    fn write_pieces(&mut self, slice: &Slice) -> Result<(), Error> {
        if let Some(bytes) = slice.as_contiguous() {
            return self.chain.write(bytes);
        }
        self.chain.spare_booking(slice.len())?;
        let before = self.malloc_len();
        for piece in slice.chunks() {
            if let Err(e) = self.chain.write(piece) {
                self.chain.undo_to(before);
                return Err(e);
            }
        }
        Ok(())
    }

    /// As [`write_direct`](Self::write_direct), of a slice.
    ///
    /// Never copies. O(nodes of the slice + pending nodes before the place).
    ///
    /// # Errors
    /// As there; the slice comes back in the error.
    pub fn insert_slice(&mut self, slice: Slice, remain: usize) -> Result<(), Rejected<Slice>> {
        let done = slice.insert_into(&mut self.chain, remain);
        self.checked();
        done
    }

    /// Moves all of `other` onto the tail, its readable bytes and then its pending ones. If nothing is pending here,
    /// the readable ones are readable at once; if something is, they wait behind it for the flush. Slots of `other`
    /// can be filled here. What else `other` held is given back.
    ///
    /// Copies nothing; allocates nothing, unless `other` has open slots and this buffer has no table for them. O(1),
    /// whatever the size of `other` (and one step for each node it has read and not released, and for each buffer with
    /// open slots that was appended since the last flush). Each append takes over at least one whole node, so short
    /// messages are better copied.
    ///
    /// # Errors
    /// [`Error::CapacityOverflow`] if the sum of the lengths would pass `isize::MAX`, or [`Error::Alloc`] if there is
    /// no memory for the table of slots; `other` comes back in the error.
    #[inline]
    pub fn append(&mut self, mut other: LinkBuffer<A>) -> Result<(), Rejected<LinkBuffer<A>>> {
        let done = self.chain.append(&mut other.chain);
        self.checked();
        if let Err(error) = done {
            return Err(Rejected {
                error,
                value: other,
            });
        }
        if !needs_drop::<A>() && other.chain.is_bare() {
            // Dropping it would do nothing, but at length.
            forget(other);
        }
        Ok(())
    }

    /// As [`append`](Self::append), and leaves `other` empty, with its settings and what it keeps, as `Vec::append`
    /// does; and saves the move of the buffer itself. For a buffer that each message is built in before it goes behind
    /// others: if this one has a node that it does not use, `other` gets it for the one it gave, so that neither
    /// allocates.
    ///
    /// # Errors
    /// As there; both buffers hold what they held.
    ///
    /// ```
    /// # use linkbuf_core::LinkBuffer;
    /// let (mut out, mut message) = (LinkBuffer::new(), LinkBuffer::new());
    /// for text in ["one ", "two "] {
    ///     message.write_string(text)?;
    ///     out.append_from(&mut message)?;
    /// }
    /// out.flush();
    /// assert!(message.is_empty());
    /// assert_eq!(out.read_string(8)?, "one two ");
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    #[inline]
    pub fn append_from(&mut self, other: &mut LinkBuffer<A>) -> Result<(), Error> {
        let done = self.chain.append_from(&mut other.chain);
        self.checked();
        other.checked();
        done
    }

    /// As [`append`](Self::append), of a buffer with another type of allocator: its nodes are attached, and go back
    /// to their own allocator when they were read. Slots of `other` are gone.
    ///
    /// Copies nothing; allocates a header per node. O(nodes).
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc); `other` comes back in the error.
    pub fn append_foreign<B: NodeAllocator>(
        &mut self,
        other: LinkBuffer<B>,
    ) -> Result<(), Rejected<LinkBuffer<B>>> {
        let done = match self.chain.append_views(other.chain) {
            Ok(()) => Ok(()),
            Err(r) => Err(Rejected {
                error: r.error,
                value: LinkBuffer { chain: r.value },
            }),
        };
        self.checked();
        done
    }

    /// Makes all pending bytes readable, at once, and ends all slots. A node that is larger than the tail policy's
    /// page is not written to again.
    ///
    /// O(1). Can't fail.
    #[inline]
    pub fn flush(&mut self) {
        self.chain.flush();
        self.checked();
    }

    /// A writer of many small fields: reserves a run of `run` bytes once, puts each field for a compare and a store,
    /// and moves the buffer's cursor once, at the end.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc) of `run` bytes.
    #[inline]
    pub fn appender(&mut self, run: usize) -> Result<Appender<'_, A>, Error> {
        Appender::new(&mut self.chain, run)
    }

    /// Books room for a read call: at least `min` bytes in one piece, at most `max` (or `min`, if that is more), of
    /// about the size that recent reads filled. Fill it, then publish what was filled with
    /// [`book_ack`](Self::book_ack). To book again without that gives the same room.
    ///
    /// A call that writes, discards or releases may end the booking.
    ///
    /// The size adapts: a read that fills it doubles the next one, two in a row that use less than a quarter halve it.
    /// An acknowledged 0 counts as a read that used little, so a connection that falls idle books little.
    ///
    /// # Errors
    /// [`Error::PendingInTheWay`] if bytes are pending, or as [`malloc`](Self::malloc).
    ///
    /// ```
    /// # use linkbuf_core::LinkBuffer;
    /// use std::io::Read;
    /// let mut source: &[u8] = b"hello";
    /// let mut buf = LinkBuffer::new();
    /// let n = source.read(buf.book(1, 64 << 10)?).unwrap();
    /// buf.book_ack(n)?;
    /// assert_eq!(buf.next(5)?, b"hello");
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    #[inline]
    pub fn book(&mut self, min: usize, max: usize) -> Result<&mut [u8], Error> {
        self.checked();
        self.chain.book(min, max)
    }

    /// As [`book`](Self::book), in one or two pieces for a vectored read: what the tail has left, and a fresh node's
    /// room behind it. Returns how many entries of `bufs` it set (0 if there is none).
    ///
    /// # Errors
    /// As [`book`](Self::book).
    #[cfg(feature = "std")]
    pub fn book_vectored<'b>(
        &'b mut self,
        min: usize,
        max: usize,
        bufs: &mut [std::io::IoSliceMut<'b>],
    ) -> Result<usize, Error> {
        match bufs {
            [] => Ok(0),
            [one] => {
                *one = std::io::IoSliceMut::new(self.chain.book(min, max)?);
                Ok(1)
            }
            [one, two, ..] => {
                let (first, second) = self.chain.book_two(min, max)?;
                let n = if second.is_empty() { 1 } else { 2 };
                *one = std::io::IoSliceMut::new(first);
                *two = std::io::IoSliceMut::new(second);
                Ok(n)
            }
        }
    }

    /// Publishes the first `n` booked bytes; the rest of the booking is given up.
    ///
    /// O(1).
    ///
    /// # Errors
    /// [`Error::BeyondBooked`] if fewer are booked, or another call ended the booking; [`Error::PendingInTheWay`] if
    /// bytes were written since.
    #[inline]
    pub fn book_ack(&mut self, n: usize) -> Result<(), Error> {
        let done = self.chain.book_ack(n);
        self.checked();
        done
    }

    /// The size, in bytes, that booked reads have adapted to.
    pub fn book_size(&self) -> usize {
        self.chain.book_size()
    }
}
