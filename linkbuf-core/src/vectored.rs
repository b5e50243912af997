//! The readable bytes where they lie: piece by piece, or as `IoSlice`s for `writev`.

use core::{fmt, iter::FusedIterator};

#[cfg(feature = "std")]
use crate::reader::Session;
use crate::{
    allocator::NodeAllocator, buffer::LinkBuffer, error::Error, raw::Pieces, slice::Slice,
};

/// An iterator over the pieces of a buffer's readable bytes, or of a slice's, in order; none is empty.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::new();
/// buf.write_binary(b"head")?;
/// buf.write_owned(vec![b'x'; 5000])?;
/// buf.flush();
/// let lengths: Vec<usize> = buf.chunks().map(<[u8]>::len).collect();
/// assert_eq!(lengths, [4, 5000]);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "an iterator does nothing unless it is used"]
pub struct Chunks<'a>(pub(crate) Pieces<'a>);

impl Chunks<'_> {
    /// Bytes in the pieces that are left. O(1).
    pub fn remaining(&self) -> usize {
        self.0.bytes()
    }

    /// Copies the first `dst.len()` bytes out, if there are as many.
    pub(crate) fn copy_to(self, dst: &mut [u8]) -> Result<(), Error> {
        let (asked, readable) = (dst.len(), self.remaining());
        if asked > readable {
            return Err(Error::NotEnough { asked, readable });
        }
        let mut rest = dst;
        for piece in self {
            let n = piece.len().min(rest.len());
            let (now, later) = rest.split_at_mut(n);
            now.copy_from_slice(&piece[..n]);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // None is empty, so there are at most as many as bytes.
        (usize::from(self.remaining() > 0), Some(self.remaining()))
    }
}

impl FusedIterator for Chunks<'_> {}

impl fmt::Debug for Chunks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks")
            .field("remaining", &self.remaining())
            .finish()
    }
}

impl<A: NodeAllocator> LinkBuffer<A> {
    /// The readable bytes, piece by piece, without consuming them. Copies nothing; O(1) a piece.
    #[inline]
    pub fn chunks(&self) -> Chunks<'_> {
        Chunks(self.chain.pieces())
    }

    /// Fills `out` with the readable bytes in order, for a vectored write, and says how many entries it used. If there
    /// are more pieces than entries, the rest waits: after the write, [`skip`](Self::skip) what was written.
    ///
    /// Copies nothing; O(entries).
    ///
    /// ```
    /// use std::io::{IoSlice, Write};
    /// use linkbuf_core::LinkBuffer;
    /// let mut buf = LinkBuffer::new();
    /// buf.write_binary(b"hello")?;
    /// buf.flush();
    /// let mut slices = [IoSlice::new(&[]); 16];
    /// let n = buf.io_slices(&mut slices);
    /// let written = std::io::sink().write_vectored(&slices[..n]).unwrap();
    /// buf.skip(written)?;
    /// buf.release();
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    #[cfg(feature = "std")]
    #[inline]
    #[must_use = "says how many entries are to be written"]
    pub fn io_slices<'b>(&'b self, out: &mut [std::io::IoSlice<'b>]) -> usize {
        fill(self.chunks(), out)
    }
}

impl Slice {
    /// As [`LinkBuffer::io_slices`], of this slice's bytes.
    #[cfg(feature = "std")]
    #[must_use = "says how many entries are to be written"]
    pub fn io_slices<'b>(&'b self, out: &mut [std::io::IoSlice<'b>]) -> usize {
        fill(self.chunks(), out)
    }
}

#[cfg(feature = "std")]
impl<A: NodeAllocator> Session<'_, A> {
    /// As [`LinkBuffer::io_slices`], of what is left to read.
    #[must_use = "says how many entries are to be written"]
    pub fn io_slices<'b>(&'b self, out: &mut [std::io::IoSlice<'b>]) -> usize {
        fill(self.chunks(), out)
    }
}

#[cfg(feature = "std")]
#[inline]
fn fill<'b>(pieces: Chunks<'b>, out: &mut [std::io::IoSlice<'b>]) -> usize {
    let mut n = 0;
    // The array leads the zip: when it is full, no piece is asked for in vain.
    for (slot, piece) in out.iter_mut().zip(pieces) {
        *slot = std::io::IoSlice::new(piece);
        n += 1;
    }
    n
}
