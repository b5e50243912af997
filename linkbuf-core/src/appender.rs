//! A writer of many small fields.

use core::fmt;

use crate::{
    allocator::NodeAllocator,
    error::Error,
    heap::Heap,
    number::Number,
    raw::{Chain, Run},
};

/// Puts many small fields one behind the other: the buffer's cursor is kept at hand and set back once, when the
/// appender is dropped or committed; the bytes are pending then. folly's `QueueAppender` has the idea.
///
/// An appender that is forgotten (`mem::forget`) may lose what was put; the buffer stays sound.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::new();
/// let mut fields = buf.appender(64)?;
/// for i in 0..4_u16 {
///     fields.put_be(i)?;
///     fields.put(b";")?;
/// }
/// fields.commit();
/// assert_eq!(buf.malloc_len(), 12);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[must_use = "an appender puts nothing by itself"]
pub struct Appender<'b, A: NodeAllocator = Heap> {
    run: Run<'b, A>,
}

impl<'b, A: NodeAllocator> Appender<'b, A> {
    #[inline]
    pub(crate) fn new(chain: &'b mut Chain<A>, run: usize) -> Result<Self, Error> {
        Ok(Appender {
            run: Run::new(chain, run)?,
        })
    }

    /// Puts a copy of `bytes`. Of an array the length is known when compiled, so the copy is a few stores.
    ///
    /// # Errors
    /// As [`LinkBuffer::write_binary`](crate::LinkBuffer::write_binary), when the run has to grow; what was put
    /// before stays.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.run.put(bytes)
    }

    /// Puts one byte.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    #[inline]
    pub fn put_u8(&mut self, byte: u8) -> Result<(), Error> {
        self.run.put(&[byte])
    }

    /// Puts a number, big endian.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    #[inline]
    pub fn put_be<T: Number>(&mut self, value: T) -> Result<(), Error> {
        self.run.put(value.be_bytes().as_ref())
    }

    /// Puts a number, little endian.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    #[inline]
    pub fn put_le<T: Number>(&mut self, value: T) -> Result<(), Error> {
        self.run.put(value.le_bytes().as_ref())
    }

    /// Bytes that can be put before the run has to grow.
    pub fn room(&self) -> usize {
        self.run.room()
    }

    /// Ends the appender, as dropping it does: what was put is pending.
    #[inline]
    pub fn commit(self) {}
}

impl<A: NodeAllocator> fmt::Debug for Appender<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appender")
            .field("room", &self.room())
            .finish()
    }
}
