//! The oracle: what a buffer is to an observer, in plain vectors.
//!
//! A [`Model`] has the verbs of a [`LinkBuffer`](crate::LinkBuffer), answers with the same errors, and is obviously
//! right: no nodes, no sharing, every byte copied. Memory, policies and failing allocators do not exist for it.

use core::{fmt::Write, sync::atomic::AtomicU64, sync::atomic::Ordering};

use crate::Error;

/// Test content: `(seed + 131·i + 17·(i >> 8)) mod 256` at position `i`. Neighbouring nodes never look alike.
///
/// ```
/// assert_eq!(linkbuf_core::testing::model::pattern(5, 3), [5, 136, 11]);
/// ```
pub fn pattern(seed: u8, len: usize) -> Vec<u8> {
    let byte = |i: usize| {
        usize::from(seed)
            .wrapping_add(131 * i)
            .wrapping_add(17 * (i >> 8))
            .to_le_bytes()[0]
    };
    (0..len).map(byte).collect()
}

/// FNV-1a, 64 bits, over the pieces one after the other.
///
/// ```
/// use linkbuf_core::testing::model::fnv1a;
///
/// assert_eq!(fnv1a([&b""[..]]), 0xcbf2_9ce4_8422_2325);
/// assert_eq!(fnv1a([&b"ab"[..], b"c"]), fnv1a([&b"abc"[..]]));
/// ```
pub fn fnv1a<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let start = 0xcbf2_9ce4_8422_2325;
    pieces
        .into_iter()
        .fold(start, |hash, piece| piece.iter().fold(hash, step))
}

/// A byte queue with a readable part, a pending part, and slots in the latter.
///
/// ```
/// use linkbuf_core::{Error, testing::model::Model};
///
/// let mut m = Model::default();
/// let slot = m.slot(b"????");
/// m.write(b"body");
/// m.write_direct(b"--", 6)?; // falls inside the slot, which stays good
/// m.fill(slot, b"HEAD")?;
/// m.flush();
/// assert_eq!(m.readable(), b"HE--ADbody");
/// assert_eq!(m.fill(slot, b"late"), Err(Error::SlotGone));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Model {
    readable: Vec<u8>,
    pending: Vec<u8>,
    slots: Vec<Reserved>,
}

/// Names a slot of a [`Model`], across appends too. Unique in the program.
///
/// ```
/// # use linkbuf_core::testing::model::Model;
/// let mut m = Model::default();
/// assert_ne!(m.slot(b"a"), m.slot(b"a"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotId(u64);

/// A slot that is still good: where each of its bytes is in the pending part.
#[derive(Clone, Debug)]
struct Reserved {
    id: SlotId,
    at: Vec<usize>,
}

impl Model {
    /// Bytes that can be read.
    pub fn readable(&self) -> &[u8] {
        &self.readable
    }

    /// Bytes that wait for the flush.
    pub fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// Number of bytes that can be read.
    pub fn len(&self) -> usize {
        self.readable.len()
    }

    /// No byte can be read.
    pub fn is_empty(&self) -> bool {
        self.readable.is_empty()
    }

    /// Number of bytes that wait for the flush.
    pub fn malloc_len(&self) -> usize {
        self.pending.len()
    }

    /// `malloc`, filled at once; and every verb that appends bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// A slot that shows `bytes` until it is filled.
    pub fn slot(&mut self, bytes: &[u8]) -> SlotId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = SlotId(NEXT.fetch_add(1, Ordering::Relaxed));
        let from = self.pending.len();
        self.write(bytes);
        let at = (from..self.pending.len()).collect();
        self.slots.push(Reserved { id, at });
        id
    }

    /// Whether the slot can be filled here.
    pub fn has_slot(&self, id: SlotId) -> bool {
        self.slots.iter().any(|s| s.id == id)
    }

    /// The bytes that a slot shows, wherever insertions have moved them.
    ///
    /// # Errors
    /// [`Error::SlotGone`] when the slot was flushed, cut, or is in another buffer.
    pub fn slot_bytes(&self, id: SlotId) -> Result<Vec<u8>, Error> {
        let slot = self
            .slots
            .iter()
            .find(|s| s.id == id)
            .ok_or(Error::SlotGone)?;
        Ok(slot.at.iter().map(|i| self.pending[*i]).collect())
    }

    /// Fills a slot.
    ///
    /// # Errors
    /// [`Error::SlotGone`] as [`slot_bytes`](Self::slot_bytes); [`Error::SlotLength`] when `bytes` has another length.
    pub fn fill(&mut self, id: SlotId, bytes: &[u8]) -> Result<(), Error> {
        let slot = self
            .slots
            .iter()
            .find(|s| s.id == id)
            .ok_or(Error::SlotGone)?;
        if slot.at.len() != bytes.len() {
            return Err(Error::SlotLength {
                given: bytes.len(),
                slot: slot.at.len(),
            });
        }
        for (at, byte) in slot.at.iter().zip(bytes) {
            self.pending[*at] = *byte;
        }
        Ok(())
    }

    /// Keeps the first `n` pending bytes. A slot that loses a byte is gone.
    ///
    /// # Errors
    /// [`Error::BeyondPending`] when fewer are pending.
    pub fn malloc_ack(&mut self, n: usize) -> Result<(), Error> {
        self.within_pending(n)?;
        self.pending.truncate(n);
        self.slots.retain(|s| s.at.iter().all(|at| *at < n));
        Ok(())
    }

    /// Inserts so that `remain` pending bytes follow.
    ///
    /// # Errors
    /// [`Error::BeyondPending`] when fewer are pending.
    pub fn write_direct(&mut self, bytes: &[u8], remain: usize) -> Result<(), Error> {
        self.within_pending(remain)?;
        let at = self.pending.len() - remain;
        self.pending.splice(at..at, bytes.iter().copied());
        for position in self.slots.iter_mut().flat_map(|s| &mut s.at) {
            if *position >= at {
                *position += bytes.len();
            }
        }
        Ok(())
    }

    /// Moves all of `other` onto the end; its slots stay good.
    pub fn append(&mut self, other: Self) {
        let into = if self.pending.is_empty() {
            &mut self.readable
        } else {
            &mut self.pending
        };
        into.extend_from_slice(&other.readable);
        let shift = self.pending.len();
        self.pending.extend_from_slice(&other.pending);
        for mut slot in other.slots {
            for at in &mut slot.at {
                *at += shift;
            }
            self.slots.push(slot);
        }
    }

    /// Publishes the pending bytes; all slots are gone.
    pub fn flush(&mut self) {
        self.readable.append(&mut self.pending);
        self.slots.clear();
    }

    /// Whether a booking is allowed.
    ///
    /// # Errors
    /// [`Error::PendingInTheWay`] with pending bytes.
    pub fn book(&self) -> Result<(), Error> {
        match self.pending.len() {
            0 => Ok(()),
            pending => Err(Error::PendingInTheWay { pending }),
        }
    }

    /// Publishes what a socket put into booked room.
    pub fn book_ack(&mut self, bytes: &[u8]) {
        self.readable.extend_from_slice(bytes);
    }

    /// Forgets all bytes and slots.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`Error::NotEnough`] when fewer are readable.
    pub fn peek(&self, n: usize) -> Result<&[u8], Error> {
        self.readable.get(..n).ok_or(Error::NotEnough {
            asked: n,
            readable: self.len(),
        })
    }

    /// The next `n` bytes, consumed. Stands for every reading verb that takes a length.
    ///
    /// # Errors
    /// [`Error::NotEnough`] when fewer are readable.
    pub fn next(&mut self, n: usize) -> Result<Vec<u8>, Error> {
        self.peek(n)?;
        Ok(self.readable.drain(..n).collect())
    }

    /// The next `n` bytes if they are UTF-8.
    ///
    /// # Errors
    /// [`Error::NotEnough`], or [`Error::Utf8`].
    pub fn peek_string(&self, n: usize) -> Result<&str, Error> {
        let checked = core::str::from_utf8(self.peek(n)?);
        checked.map_err(|e| Error::Utf8 {
            valid_up_to: e.valid_up_to(),
        })
    }

    /// How many bytes there are up to and with the first `delim`. An empty delimiter is found at once.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn find(&self, delim: &[u8]) -> Result<usize, Error> {
        if delim.is_empty() {
            return Ok(0);
        }
        let found = self.readable.windows(delim.len()).position(|w| w == delim);
        let readable = self.len();
        found
            .map(|at| at + delim.len())
            .ok_or(Error::NotFound { readable })
    }

    /// Up to and with the first `delim`, consumed.
    ///
    /// # Errors
    /// [`Error::NotFound`]; then nothing is consumed.
    pub fn until(&mut self, delim: &[u8]) -> Result<Vec<u8>, Error> {
        self.next(self.find(delim)?)
    }

    fn within_pending(&self, asked: usize) -> Result<(), Error> {
        match self.pending.len() {
            pending if asked > pending => Err(Error::BeyondPending { asked, pending }),
            _ => Ok(()),
        }
    }
}

/// Where two byte strings part, in words; `None` if they are the same. Doesn't print thousands of bytes.
///
/// ```
/// use linkbuf_core::testing::model::difference;
///
/// assert!(difference([&b"ab"[..], b"c"], b"abc").is_none());
/// assert!(difference([&b"ab"[..]], b"abc").unwrap().contains("2 bytes instead of 3"));
/// ```
pub fn difference<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    expected: &[u8],
) -> Option<String> {
    let mut at = 0;
    let mut parted = None;
    for piece in pieces {
        let rest = expected.get(at..).unwrap_or(&[]);
        if parted.is_none() && rest.get(..piece.len()) != Some(piece) {
            let same = piece.iter().zip(rest).take_while(|(a, b)| a == b).count();
            parted = Some((at + same, piece.get(same).copied(), rest.get(same).copied()));
        }
        at += piece.len();
    }
    if parted.is_none() && at == expected.len() {
        return None;
    }
    let mut text = String::new();
    let _ = write!(text, "{at} bytes instead of {}", expected.len());
    if let Some((at, is, should)) = parted {
        let _ = write!(text, "; at {at} {is:02x?} instead of {should:02x?}");
    }
    Some(text)
}
