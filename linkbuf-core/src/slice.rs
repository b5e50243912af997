//! Counted, read-only views of bytes that outlive their buffer.

use alloc::vec::Vec;
use core::{
    fmt,
    ops::{Bound, RangeBounds},
};

use crate::{
    allocator::{AllocError, NodeAllocator},
    error::{Error, Rejected},
    raw::{Chain, Pieces, View, ViewList},
    vectored::Chunks,
};

mod compare;

/// A counted, read-only view of bytes: `Send + Sync + 'static`, cheap to clone and to cut, of one node or of several.
///
/// A slice that sees one node is a pointer, a length and a reference to the block. One across nodes shares a list of
/// such views with its clones and parts. Either keeps alive the blocks that it sees, whole: [`pinned`](Self::pinned)
/// tells how many bytes that is, [`detach`](Self::detach) ends it by a copy.
///
/// Two slices are equal, ordered and hashed by their bytes, however these are cut into pieces.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::new();
/// buf.write_string("key=value")?;
/// buf.flush();
/// let mut key = buf.slice(9)?;
/// let value = key.split_off(4)?;
/// drop(buf);
/// let t = std::thread::spawn(move || value.to_vec());
/// assert_eq!(t.join().unwrap().unwrap(), b"value");
/// assert_eq!(key, *b"key=");
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Slice(Repr);

#[derive(Clone)]
enum Repr {
    One(View),
    Many {
        list: ViewList,
        start: usize,
        len: usize,
    },
}

impl Slice {
    /// No bytes. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Slice::from_static(&[])
    }

    /// Static bytes. Copies and allocates nothing.
    #[must_use]
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Slice(Repr::One(View::from_static(bytes)))
    }

    /// The bytes of an owned value, without a copy; it is dropped with the last view. Allocates a header, and a box
    /// for a value of more than four words.
    ///
    /// # Errors
    /// [`Error::Alloc`] when there is no memory; the value comes back in the error.
    pub fn from_owner<T: AsRef<[u8]> + Send + 'static>(value: T) -> Result<Self, Rejected<T>> {
        Ok(Slice(Repr::One(View::from_owner(value)?)))
    }

    /// A copy of `bytes`.
    ///
    /// # Errors
    /// [`Error::Alloc`] when there is no memory.
    pub fn copy_from(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Slice(Repr::One(View::copied(bytes)?)))
    }

    #[inline]
    pub(crate) fn of_view(view: View) -> Self {
        Slice(Repr::One(view))
    }

    pub(crate) fn of_list(list: ViewList) -> Self {
        let len = list.len();
        Slice(Repr::Many {
            list,
            start: 0,
            len,
        })
    }

    /// Bytes. O(1).
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::One(view) => view.len(),
            Repr::Many { len, .. } => *len,
        }
    }

    /// Are there none? O(1).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, if they are in one piece.
    #[inline]
    pub fn as_contiguous(&self) -> Option<&[u8]> {
        match &self.0 {
            Repr::One(view) => Some(view.as_bytes()),
            Repr::Many { list, start, len } => {
                let first = Pieces::of_list(list, *start, *len).next().unwrap_or(&[]);
                (first.len() == *len).then_some(first)
            }
        }
    }

    /// The bytes, piece by piece. Copies nothing; O(1) a piece.
    #[inline]
    pub fn chunks(&self) -> Chunks<'_> {
        Chunks(self.chunks_from(0))
    }

    /// A view of a part. No copy; O(1), across nodes O(log nodes).
    ///
    /// # Errors
    /// [`Error::NotEnough`] if the range ends behind the last byte, [`Error::Reversed`] if it begins behind its
    /// end, [`Error::CapacityOverflow`] if it ends behind `usize::MAX`.
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Result<Slice, Error> {
        let len = self.len();
        let overflow = Error::CapacityOverflow { asked: usize::MAX };
        let start = match range.start_bound() {
            Bound::Included(n) => *n,
            Bound::Excluded(n) => n.checked_add(1).ok_or(overflow)?,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(n) => n.checked_add(1).ok_or(overflow)?,
            Bound::Excluded(n) => *n,
            Bound::Unbounded => len,
        };
        if start.max(end) > len {
            return Err(Error::NotEnough {
                asked: start.max(end),
                readable: len,
            });
        }
        let n = end
            .checked_sub(start)
            .ok_or(Error::Reversed { start, end })?;
        Ok(self.part(start, n))
    }

    /// `len` bytes from `from` on, which are there.
    fn part(&self, from: usize, len: usize) -> Slice {
        Slice(match &self.0 {
            Repr::One(view) => Repr::One(view.part(from, len)),
            Repr::Many { list, start, .. } => {
                let start = start + from;
                match list.find(start) {
                    // One piece needs no list.
                    Some((_, view, offset)) if view.len() - offset >= len => {
                        Repr::One(view.part(offset, len))
                    }
                    _ => Repr::Many {
                        list: list.clone(),
                        start,
                        len,
                    },
                }
            }
        })
    }

    fn check(&self, n: usize) -> Result<(), Error> {
        let readable = self.len();
        if n > readable {
            Err(Error::NotEnough { asked: n, readable })
        } else {
            Ok(())
        }
    }

    /// Cuts off and returns the first `n` bytes. No copy; O(1), across nodes O(log nodes).
    ///
    /// # Errors
    /// [`Error::NotEnough`] if there are fewer.
    pub fn split_to(&mut self, n: usize) -> Result<Slice, Error> {
        self.check(n)?;
        let head = self.part(0, n);
        self.skip(n)?;
        Ok(head)
    }

    /// Cuts off and returns the bytes from `n` on. No copy; O(1), across nodes O(log nodes).
    ///
    /// # Errors
    /// [`Error::NotEnough`] if there are fewer than `n`.
    pub fn split_off(&mut self, n: usize) -> Result<Slice, Error> {
        self.check(n)?;
        let tail = self.part(n, self.len() - n);
        self.truncate(n);
        Ok(tail)
    }

    /// Forgets the first `n` bytes. Blocks that only they were in stay pinned until the slice is gone.
    ///
    /// # Errors
    /// [`Error::NotEnough`] if there are fewer.
    pub fn skip(&mut self, n: usize) -> Result<(), Error> {
        self.check(n)?;
        match &mut self.0 {
            Repr::One(view) => view.advance(n),
            Repr::Many { start, len, .. } => {
                *start += n;
                *len -= n;
            }
        }
        Ok(())
    }

    /// Keeps the first `n` bytes, or all if there are fewer. Blocks that only the others were in stay pinned until the
    /// slice is gone.
    pub fn truncate(&mut self, n: usize) {
        match &mut self.0 {
            Repr::One(view) => view.truncate(n),
            Repr::Many { len, .. } => *len = n.min(*len),
        }
    }

    /// Forgets all bytes, and lets go of the blocks that they are in.
    pub fn clear(&mut self) {
        *self = Slice::new();
    }

    /// The byte at `i`, if there is one. O(1), across nodes O(log nodes).
    pub fn get(&self, i: usize) -> Option<u8> {
        match &self.0 {
            Repr::One(view) => view.as_bytes().get(i).copied(),
            Repr::Many { list, start, len } => {
                if i >= *len {
                    return None;
                }
                let (_, view, offset) = list.find(start + i)?;
                view.as_bytes().get(offset).copied()
            }
        }
    }

    /// Are these the first bytes? O(length of `prefix`).
    pub fn starts_with(&self, prefix: &[u8]) -> bool {
        let mut rest = prefix;
        for piece in self.chunks() {
            let n = piece.len().min(rest.len());
            if piece[..n] != rest[..n] {
                return false;
            }
            rest = &rest[n..];
            if rest.is_empty() {
                break;
            }
        }
        rest.is_empty()
    }

    /// Are these the last bytes? O(length of `suffix`), across nodes + O(log nodes).
    pub fn ends_with(&self, suffix: &[u8]) -> bool {
        let Some(before) = self.len().checked_sub(suffix.len()) else {
            return false;
        };
        let mut rest = suffix;
        self.chunks_from(before).all(|piece| {
            let (now, later) = rest.split_at(piece.len());
            rest = later;
            piece == now
        })
    }

    /// The bytes from `from` on, which are there, piece by piece.
    #[inline]
    fn chunks_from(&self, from: usize) -> Pieces<'_> {
        match &self.0 {
            Repr::One(view) => Pieces::of_bytes(view.as_bytes().get(from..).unwrap_or(&[])),
            Repr::Many { list, start, len } => Pieces::of_list(list, start + from, len - from),
        }
    }

    /// A copy of the bytes. O(n).
    ///
    /// # Errors
    /// [`Error::Alloc`] when there is no memory.
    pub fn to_vec(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(self.len()).is_err() {
            return Err(AllocError { size: self.len() }.into());
        }
        for piece in self.chunks() {
            bytes.extend_from_slice(piece);
        }
        Ok(bytes)
    }

    /// Copies the first `dst.len()` bytes out; the slice stays as it is.
    ///
    /// # Errors
    /// [`Error::NotEnough`] if there are fewer; `dst` is untouched then.
    pub fn copy_to(&self, dst: &mut [u8]) -> Result<(), Error> {
        self.chunks().copy_to(dst)
    }

    /// Bytes of the blocks that this slice keeps alive, its own among them; static bytes pin none. Blocks that other
    /// slices see too are counted in each. O(nodes).
    pub fn pinned(&self) -> usize {
        match &self.0 {
            Repr::One(view) => view.pinned(),
            Repr::Many { list, .. } => (0..).map_while(|i| list.get(i)).map(View::pinned).sum(),
        }
    }

    /// Ends the pinning of blocks larger than the slice: copies the bytes to memory of their own, if that is less
    /// than what is pinned now. For slices that are kept for long.
    ///
    /// # Errors
    /// [`Error::Alloc`] when there is no memory; the slice is as before.
    ///
    /// ```
    /// # use linkbuf_core::LinkBuffer;
    /// # let mut buf = LinkBuffer::new();
    /// buf.write_binary(b"a key")?;
    /// buf.flush();
    /// let mut key = buf.slice(5)?;
    /// assert!(key.pinned() > 1000);
    /// key.detach()?;
    /// assert_eq!(key.pinned(), 5);
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    pub fn detach(&mut self) -> Result<(), Error> {
        if self.is_empty() {
            *self = Slice::new();
        } else if self.pinned() > self.len() {
            *self = Slice::from_owner(self.to_vec()?)?;
        }
        Ok(())
    }

    /// Adds the bytes to a chain, pending, as attached views; all or none.
    pub(crate) fn attach_to<A: NodeAllocator>(
        self,
        chain: &mut Chain<A>,
    ) -> Result<(), Rejected<Slice>> {
        match self.0 {
            Repr::One(view) => match chain.attach_view(view) {
                Ok(()) => Ok(()),
                Err(r) => Err(Rejected {
                    error: r.error,
                    value: Slice(Repr::One(r.value)),
                }),
            },
            Repr::Many { list, start, len } => {
                match chain.attach_views(views(&list, start, len), len) {
                    Ok(()) => Ok(()),
                    Err(error) => Err(Rejected {
                        error,
                        value: Slice(Repr::Many { list, start, len }),
                    }),
                }
            }
        }
    }

    /// Adds the bytes to a chain as attached views, so that `remain` pending bytes follow; all or none.
    pub(crate) fn insert_into<A: NodeAllocator>(
        self,
        chain: &mut Chain<A>,
        remain: usize,
    ) -> Result<(), Rejected<Slice>> {
        let done = match &self.0 {
            Repr::One(view) => {
                chain.insert_views(core::iter::once(view.clone()), view.len(), remain)
            }
            Repr::Many { list, start, len } => {
                chain.insert_views(views(list, *start, *len), *len, remain)
            }
        };
        done.map_err(|error| Rejected { error, value: self })
    }

    /// The view, if the slice sees one node.
    #[cfg_attr(
        not(feature = "bytes"),
        expect(dead_code, reason = "what it serves is behind the feature")
    )]
    pub(crate) fn view(&self) -> Option<&View> {
        match &self.0 {
            Repr::One(view) => Some(view),
            Repr::Many { .. } => None,
        }
    }
}

/// Views of `len` bytes of a list, from `start` on.
fn views(list: &ViewList, start: usize, len: usize) -> impl Iterator<Item = View> + '_ {
    let (mut next, mut offset) = list
        .find(start)
        .map_or((0, 0), |(i, _, offset)| (i, offset));
    let mut left = len;
    core::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let view = list.get(next)?.part(offset, left);
        next += 1;
        offset = 0;
        left -= view.len();
        Some(view)
    })
}

impl Default for Slice {
    fn default() -> Self {
        Slice::new()
    }
}

impl From<&'static [u8]> for Slice {
    fn from(bytes: &'static [u8]) -> Self {
        Slice::from_static(bytes)
    }
}

impl From<&'static str> for Slice {
    fn from(s: &'static str) -> Self {
        Slice::from_static(s.as_bytes())
    }
}

impl fmt::Debug for Slice {
    /// As a byte string, like `bytes::Bytes`: `b"GET / HTTP/1.1\r\n"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("b\"")?;
        for piece in self.chunks() {
            for &b in piece {
                match b {
                    0 => f.write_str("\\0")?,
                    b'\'' => f.write_str("'")?,
                    _ => fmt::Display::fmt(&core::ascii::escape_default(b), f)?,
                }
            }
        }
        f.write_str("\"")
    }
}
