//! The reader's verbs, on the buffer itself and in a session that holds several slices at once.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{
    allocator::{AllocError, NodeAllocator},
    buffer::LinkBuffer,
    error::Error,
    heap::Heap,
    number::Number,
    raw::{Cut, ReadSession},
    slice::Slice,
    vectored::Chunks,
};

/// A reading session: hands out slices of a buffer's readable bytes, of which several may be held at once.
///
/// The slices live as long as the *buffer's* borrow, not the session's: they stay good until the buffer is used
/// again, and the compiler sees to it. Nothing is given back meanwhile; call
/// [`LinkBuffer::release`] when the slices are done with.
///
/// ```
/// use linkbuf_core::{Error, LinkBuffer, Session};
///
/// /// Name and value of `name: value\n`. They outlive the session.
/// fn header<'b>(r: &mut Session<'b>) -> Result<(&'b [u8], &'b [u8]), Error> {
///     let name = r.until_bytes(b": ")?;
///     let value = r.until(b'\n')?;
///     Ok((&name[..name.len() - 2], &value[..value.len() - 1]))
/// }
///
/// let mut buf = LinkBuffer::new();
/// buf.write_string("host: example\n")?;
/// buf.flush();
/// let (name, value) = header(&mut buf.session())?;
/// assert_eq!((name, value), (&b"host"[..], &b"example"[..]));
/// buf.release();
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[must_use = "a session reads nothing by itself"]
pub struct Session<'b, A: NodeAllocator = Heap> {
    session: ReadSession<'b, A>,
}

impl<'b, A: NodeAllocator> Session<'b, A> {
    /// Readable bytes. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        self.session.chain().len()
    }

    /// Is nothing readable? O(1).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next `n` bytes as one slice, consumed. See [`LinkBuffer::next`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn next(&mut self, n: usize) -> Result<&'b [u8], Error> {
        self.session.next(n)
    }

    /// The next `n` bytes as one slice, not consumed. See [`LinkBuffer::peek`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn peek(&mut self, n: usize) -> Result<&'b [u8], Error> {
        self.session.peek(n)
    }

    /// Consumes `n` bytes. See [`LinkBuffer::skip`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn skip(&mut self, n: usize) -> Result<(), Error> {
        self.session.skip(n)
    }

    /// The next byte, consumed.
    ///
    /// # Errors
    /// [`Error::NotEnough`] if nothing is readable.
    #[inline]
    pub fn read_byte(&mut self) -> Result<u8, Error> {
        let mut byte = [0];
        self.session.read_into(&mut byte)?;
        Ok(byte[0])
    }

    /// The next bytes as a big-endian number, consumed. See [`LinkBuffer::read_be`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn read_be<T: Number>(&mut self) -> Result<T, Error> {
        let mut bytes = T::Bytes::default();
        self.session.read_into(bytes.as_mut())?;
        Ok(T::of_be_bytes(bytes))
    }

    /// The next bytes as a little-endian number, consumed. See [`LinkBuffer::read_be`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn read_le<T: Number>(&mut self) -> Result<T, Error> {
        let mut bytes = T::Bytes::default();
        self.session.read_into(bytes.as_mut())?;
        Ok(T::of_le_bytes(bytes))
    }

    /// A copy of the next `n` bytes, consumed. See [`LinkBuffer::read_binary`].
    ///
    /// # Errors
    /// As there.
    pub fn read_binary(&mut self, n: usize) -> Result<Vec<u8>, Error> {
        let bytes = self.copy(n)?;
        self.session.skip(n)?;
        Ok(bytes)
    }

    /// A copy of the next `n` bytes as a string, consumed. See [`LinkBuffer::read_string`].
    ///
    /// # Errors
    /// As there.
    pub fn read_string(&mut self, n: usize) -> Result<String, Error> {
        let bytes = self.copy(n)?;
        match String::from_utf8(bytes) {
            Ok(s) => {
                self.session.skip(n)?;
                Ok(s)
            }
            Err(e) => Err(Error::Utf8 {
                valid_up_to: e.utf8_error().valid_up_to(),
            }),
        }
    }

    /// A copy of the next `n` bytes.
    fn copy(&self, n: usize) -> Result<Vec<u8>, Error> {
        let readable = self.len();
        if n > readable {
            return Err(Error::NotEnough { asked: n, readable });
        }
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(n).is_err() {
            return Err(AllocError { size: n }.into());
        }
        for piece in self.chunks() {
            let left = n - bytes.len();
            bytes.extend_from_slice(piece.get(..left).unwrap_or(piece));
            if bytes.len() == n {
                break;
            }
        }
        Ok(bytes)
    }

    /// The readable bytes, piece by piece. See [`LinkBuffer::chunks`].
    pub fn chunks(&self) -> Chunks<'_> {
        Chunks(self.session.chain().pieces())
    }

    /// Copies the next `dst.len()` bytes out, consumed.
    ///
    /// # Errors
    /// [`Error::NotEnough`] if fewer are readable.
    #[inline]
    pub fn read_into(&mut self, dst: &mut [u8]) -> Result<(), Error> {
        self.session.read_into(dst)
    }

    /// Copies the next `dst.len()` bytes out, not consumed. See [`LinkBuffer::copy_to`].
    ///
    /// # Errors
    /// As there.
    pub fn copy_to(&self, dst: &mut [u8]) -> Result<(), Error> {
        self.chunks().copy_to(dst)
    }

    /// The bytes up to and with the first `delimiter`, consumed. See [`LinkBuffer::until`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn until(&mut self, delimiter: u8) -> Result<&'b [u8], Error> {
        self.session.until(delimiter)
    }

    /// The bytes up to and with the first `delimiter`, consumed. See [`LinkBuffer::until_bytes`].
    ///
    /// # Errors
    /// As there.
    pub fn until_bytes(&mut self, delimiter: &[u8]) -> Result<&'b [u8], Error> {
        self.session.until_bytes(delimiter)
    }

    /// A counted view of the next `n` bytes, consumed. See [`LinkBuffer::slice`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn slice(&mut self, n: usize) -> Result<Slice, Error> {
        match self.session.cut(n)? {
            Cut::One(view) => Ok(Slice::of_view(view)),
            Cut::Many(list) => Ok(Slice::of_list(list)),
        }
    }

    /// The readable bytes of the first piece; empty only if nothing is readable.
    #[cfg(any(feature = "std", feature = "bytes"))]
    pub(crate) fn first_piece(&self) -> &[u8] {
        self.session.chain().first_piece()
    }
}

impl<A: NodeAllocator> fmt::Debug for Session<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("len", &self.len()).finish()
    }
}

impl<A: NodeAllocator> LinkBuffer<A> {
    /// Begins a reading session. Until the borrow of the buffer ends, several slices may be held at once.
    #[inline]
    pub fn session(&mut self) -> Session<'_, A> {
        self.checked();
        Session {
            session: ReadSession::new(&mut self.chain),
        }
    }

    /// The next `n` bytes as one slice, consumed. It is good until the buffer is used again; to hold several, use a
    /// [`session`](Self::session).
    ///
    /// Within a node: no copy, O(1). Across nodes: gathered once into scratch memory, O(n).
    ///
    /// # Errors
    /// [`Error::NotEnough`] if fewer are readable; [`Error::Alloc`] if there is no memory to gather them.
    #[inline]
    pub fn next(&mut self, n: usize) -> Result<&[u8], Error> {
        self.session().next(n)
    }

    /// As [`next`](Self::next), but the bytes stay to be read. Peeking again, more or fewer bytes, reuses what was
    /// gathered: each byte is copied O(1) times, amortised.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    #[inline]
    pub fn peek(&mut self, n: usize) -> Result<&[u8], Error> {
        self.session().peek(n)
    }

    /// Consumes `n` bytes. O(nodes skipped), and O(1) if they are all that is readable, as after a vectored write that
    /// took everything. What was skipped is given back by the [`release`](Self::release).
    ///
    /// # Errors
    /// [`Error::NotEnough`] if fewer are readable.
    #[inline]
    pub fn skip(&mut self, n: usize) -> Result<(), Error> {
        let done = self.chain.skip(n);
        self.checked();
        done
    }

    /// The next byte, consumed. O(1).
    ///
    /// # Errors
    /// [`Error::NotEnough`] if nothing is readable.
    #[inline]
    pub fn read_byte(&mut self) -> Result<u8, Error> {
        self.session().read_byte()
    }

    /// The next bytes as a big-endian number, consumed. They may lie across nodes; nothing is gathered or allocated.
    ///
    /// # Errors
    /// [`Error::NotEnough`] if fewer are readable; nothing is consumed then.
    ///
    /// ```
    /// # use linkbuf_core::LinkBuffer;
    /// let mut buf = LinkBuffer::from(&[0, 0, 0, 2, b'h', b'i', 0x34, 0x12]);
    /// let length: u32 = buf.read_be()?;
    /// assert_eq!(buf.next(length as usize)?, b"hi");
    /// assert_eq!(buf.read_le::<i16>()?, 0x1234);
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    #[inline]
    pub fn read_be<T: Number>(&mut self) -> Result<T, Error> {
        self.session().read_be()
    }

    /// The next bytes as a little-endian number, consumed; as [`read_be`](Self::read_be).
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn read_le<T: Number>(&mut self) -> Result<T, Error> {
        self.session().read_le()
    }

    /// A copy of the next `n` bytes, consumed. Allocates the vector.
    ///
    /// # Errors
    /// [`Error::NotEnough`] if fewer are readable; [`Error::Alloc`] if there is no memory for the copy.
    pub fn read_binary(&mut self, n: usize) -> Result<Vec<u8>, Error> {
        self.session().read_binary(n)
    }

    /// A copy of the next `n` bytes as a string, consumed. Allocates the string.
    ///
    /// # Errors
    /// [`Error::Utf8`] if they are not UTF-8 (nothing is consumed), or as [`read_binary`](Self::read_binary).
    pub fn read_string(&mut self, n: usize) -> Result<String, Error> {
        self.session().read_string(n)
    }

    /// Copies the next `dst.len()` bytes out, consumed.
    ///
    /// # Errors
    /// [`Error::NotEnough`] if fewer are readable; `dst` is untouched then.
    #[inline]
    pub fn read_into(&mut self, dst: &mut [u8]) -> Result<(), Error> {
        let done = self.chain.read_into(dst);
        self.checked();
        done
    }

    /// Copies the next `dst.len()` bytes out, not consumed: a [`peek`](Self::peek) into memory of the caller's own, which
    /// gathers and allocates nothing and needs no `&mut`.
    ///
    /// O(bytes copied).
    ///
    /// # Errors
    /// [`Error::NotEnough`] if fewer are readable; `dst` is untouched then.
    ///
    /// ```
    /// # use linkbuf_core::LinkBuffer;
    /// let mut buf = LinkBuffer::from("head and body");
    /// let mut head = [0; 4];
    /// buf.copy_to(&mut head)?;
    /// assert_eq!((&head, buf.len()), (b"head", 13));
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    pub fn copy_to(&self, dst: &mut [u8]) -> Result<(), Error> {
        self.chunks().copy_to(dst)
    }

    /// The bytes up to and with the first `delimiter` as one slice, consumed; also across nodes.
    ///
    /// A search that failed is remembered: when more bytes came, the next one goes on where it stopped. O(bytes),
    /// with vector instructions.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not among the readable bytes: nothing is consumed. Or as [`next`](Self::next).
    #[inline]
    pub fn until(&mut self, delimiter: u8) -> Result<&[u8], Error> {
        self.session().until(delimiter)
    }

    /// As [`until`](Self::until), of a byte string. An empty one is found at once.
    ///
    /// # Errors
    /// As [`until`](Self::until).
    pub fn until_bytes(&mut self, delimiter: &[u8]) -> Result<&[u8], Error> {
        self.session().until_bytes(delimiter)
    }

    /// A counted, read-only view of the next `n` bytes, consumed. It needs no borrow, may be sent to other threads,
    /// and outlives the buffer; the blocks that it sees go back when the last view is gone.
    ///
    /// No copy, except of slices below the detach threshold. O(1) within a node, O(nodes) across.
    ///
    /// # Errors
    /// [`Error::NotEnough`] if fewer are readable; [`Error::Alloc`] if there is no memory for the list of nodes.
    #[inline]
    pub fn slice(&mut self, n: usize) -> Result<Slice, Error> {
        self.session().slice(n)
    }

    /// Gives back every node that was read to its end and is seen by no slice. A buffer that is empty then keeps what
    /// its tail policy allows.
    ///
    /// O(nodes given back); in the steady state of small messages a few instructions.
    #[inline]
    pub fn release(&mut self) {
        self.chain.release();
        self.checked();
    }
}
