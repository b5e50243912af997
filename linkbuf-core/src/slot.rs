//! Reserved slots: handles to pending bytes that are filled in later, such as a length before a body.

use core::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
};

use crate::{
    allocator::NodeAllocator, buffer::LinkBuffer, error::Error, number::Number, raw::SlotKey,
};

/// A handle to reserved pending bytes.
///
/// It is plain data and keeps nothing alive. It is good until its bytes are flushed, or any of them discarded; no
/// other call of the writer ends it, and if its buffer is appended to another one, it can be filled there. A handle
/// that is not good is refused, never mistaken for another: each slot of a process has its own name. (Names last for
/// 2⁴⁴ buffers with slots; where there are no 64-bit atomics, for 2³² of them, and then come again.)
///
/// ```
/// use linkbuf_core::{Error, LinkBuffer};
/// let mut message = LinkBuffer::new();
/// let head = message.slot(2)?;
/// message.write_string("body")?;
///
/// let mut stream = LinkBuffer::new();
/// stream.append(message)?;
/// stream.fill(&head, b"# ")?; // also after the move
/// stream.flush();
/// assert_eq!(stream.read_string(6)?, "# body");
/// assert_eq!(stream.fill(&head, b"! "), Err(Error::SlotGone));
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// `None`: no bytes, always good.
    key: Option<SlotKey>,
    len: usize,
}

impl Slot {
    /// Bytes reserved.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Were no bytes reserved?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A [`Slot`] for one [`Number`], of known byte order.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::new();
/// let crc = buf.slot_le::<u16>()?;
/// buf.fill_int(&crc, 0x1234)?;
/// buf.flush();
/// assert_eq!(buf.next(2)?, [0x34, 0x12]);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
pub struct IntSlot<T> {
    slot: Slot,
    big: bool,
    int: PhantomData<fn(T)>,
}

impl<T> Clone for IntSlot<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for IntSlot<T> {}

impl<T> PartialEq for IntSlot<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.slot, self.big) == (other.slot, other.big)
    }
}

impl<T> Eq for IntSlot<T> {}

impl<T> Hash for IntSlot<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.slot, self.big).hash(state);
    }
}

impl<T> IntSlot<T> {
    /// The slot as bytes.
    pub fn slot(&self) -> Slot {
        self.slot
    }
}

impl<T> fmt::Debug for IntSlot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntSlot")
            .field("slot", &self.slot)
            .field("big_endian", &self.big)
            .finish()
    }
}

impl<A: NodeAllocator> LinkBuffer<A> {
    /// Reserves `n` contiguous pending bytes to be filled later by their handle. Until then they have any values.
    ///
    /// O(1). The first slot of a buffer makes its table of slots.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc).
    #[inline]
    pub fn slot(&mut self, n: usize) -> Result<Slot, Error> {
        let key = if n == 0 {
            None
        } else {
            Some(self.chain.open_slot(n)?)
        };
        self.checked();
        Ok(Slot { key, len: n })
    }

    /// As [`slot`](Self::slot), for one big-endian number.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc).
    #[inline]
    pub fn slot_be<T: Number>(&mut self) -> Result<IntSlot<T>, Error> {
        Ok(IntSlot {
            slot: self.slot(size_of::<T>())?,
            big: true,
            int: PhantomData,
        })
    }

    /// As [`slot`](Self::slot), for one little-endian number.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc).
    #[inline]
    pub fn slot_le<T: Number>(&mut self) -> Result<IntSlot<T>, Error> {
        Ok(IntSlot {
            slot: self.slot(size_of::<T>())?,
            big: false,
            int: PhantomData,
        })
    }

    /// Fills a slot, whole. It may be filled again until the flush.
    ///
    /// Copies `bytes`. O(1), and one step for each buffer with open slots that was appended since the last flush.
    ///
    /// # Errors
    /// [`Error::SlotLength`] if `bytes` is shorter or longer than the slot; [`Error::SlotGone`] if the slot's bytes
    /// were flushed or discarded, or are in another buffer.
    #[inline]
    pub fn fill(&mut self, slot: &Slot, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() != slot.len {
            return Err(Error::SlotLength {
                given: bytes.len(),
                slot: slot.len,
            });
        }
        self.slot_mut(slot)?.copy_from_slice(bytes);
        Ok(())
    }

    /// A slot's bytes, to be written to in place.
    ///
    /// # Errors
    /// [`Error::SlotGone`], as for [`fill`](Self::fill).
    #[inline]
    pub fn slot_mut(&mut self, slot: &Slot) -> Result<&mut [u8], Error> {
        match slot.key {
            Some(key) => self.chain.slot_bytes(key),
            None => Ok(&mut []),
        }
    }

    /// Fills a number's slot.
    ///
    /// # Errors
    /// [`Error::SlotGone`], as for [`fill`](Self::fill).
    #[inline]
    pub fn fill_int<T: Number>(&mut self, slot: &IntSlot<T>, value: T) -> Result<(), Error> {
        if slot.big {
            self.fill(&slot.slot, value.be_bytes().as_ref())
        } else {
            self.fill(&slot.slot, value.le_bytes().as_ref())
        }
    }
}
