//! The `bytes` crate: [`Buf`] for buffers, slices and reading sessions, and [`Bytes`] out of them. `BufMut` for buffers
//! is in `raw/bufmut.rs`, beside the room that it hands out; `Bytes` into buffers and slices is in `iter_compat.rs`.
//!
//! As `bytes` has it, `Buf` panics when more is consumed than remains, except for its `try_` methods. What has no way
//! to report that there is no memory panics then, and names the call that returns an error.

use bytes::{Buf, Bytes, TryGetError};

use crate::{
    allocator::NodeAllocator, buffer::LinkBuffer, error::Rejected, iter_compat::refused,
    reader::Session, slice::Slice,
};

/// Says what was wrong with a length that `Buf` was called with.
#[cold]
#[inline(never)]
fn beyond(asked: usize, remaining: usize) -> ! {
    panic!("linkbuf: advance or copy of {asked} bytes, {remaining} remain")
}

fn too_few(dst: &[u8], available: usize) -> Result<(), TryGetError> {
    if dst.len() > available {
        return Err(TryGetError {
            requested: dst.len(),
            available,
        });
    }
    Ok(())
}

/// Reads and *releases*: a node that was read to its end goes back at once, so a buffer that is read through this trait
/// holds what is still unread and no more.
///
/// `chunk` is the first piece in place: no copy, O(1). The `get_` methods read across nodes. `copy_to_bytes` copies
/// nothing within a node (but what [`LinkBuffer::slice`] copies: less than the detach threshold of a large node), and
/// once across nodes.
///
/// ```
/// use bytes::{Buf, BufMut, Bytes};
/// use linkbuf_core::LinkBuffer;
///
/// let mut buf = LinkBuffer::new();
/// buf.put_u32(100_000);
/// buf.write_owned(Bytes::from(vec![7; 100_000]))?; // attached
/// buf.flush();
///
/// let n = buf.get_u32() as usize;
/// let body: Bytes = buf.copy_to_bytes(n); // the same `Bytes` again: no copy
/// assert_eq!(body.len(), 100_000);
/// assert!(buf.is_empty());
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
impl<A: NodeAllocator> Buf for LinkBuffer<A> {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.chain.first_piece()
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, dst: &mut [std::io::IoSlice<'a>]) -> usize {
        self.io_slices(dst)
    }

    #[inline]
    fn advance(&mut self, n: usize) {
        if self.skip(n).is_err() {
            beyond(n, self.len());
        }
        self.release();
    }

    #[inline]
    fn try_copy_to_slice(&mut self, dst: &mut [u8]) -> Result<(), TryGetError> {
        too_few(dst, self.len())?;
        self.advance_into(dst);
        Ok(())
    }

    #[inline]
    fn copy_to_slice(&mut self, dst: &mut [u8]) {
        self.advance_into(dst);
    }

    /// Panics when there is no memory; [`LinkBuffer::slice`] and [`Slice::into_bytes`] return an error.
    fn copy_to_bytes(&mut self, n: usize) -> Bytes {
        if n > self.len() {
            beyond(n, self.len());
        }
        let bytes = if n <= self.chain.first_piece().len() {
            self.slice(n).map(Bytes::from)
        } else {
            self.read_binary(n).map(Bytes::from)
        };
        self.release();
        bytes.unwrap_or_else(|error| refused(error))
    }
}

impl<A: NodeAllocator> LinkBuffer<A> {
    #[inline]
    fn advance_into(&mut self, dst: &mut [u8]) {
        if self.read_into(dst).is_err() {
            beyond(dst.len(), self.len());
        }
        self.release();
    }
}

/// Reads without releasing: what was handed out stays good until the session's borrow ends.
///
/// `chunk` is the first piece in place: no copy, O(1). `copy_to_bytes` as for [`LinkBuffer`].
///
/// ```
/// use bytes::Buf;
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::from("\0\0\0\x05hello");
/// let mut r = buf.session();
/// let n = r.get_u32();
/// assert_eq!(r.next(n as usize)?, b"hello");
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
impl<A: NodeAllocator> Buf for Session<'_, A> {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.first_piece()
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, dst: &mut [std::io::IoSlice<'a>]) -> usize {
        self.io_slices(dst)
    }

    #[inline]
    fn advance(&mut self, n: usize) {
        if self.skip(n).is_err() {
            beyond(n, self.len());
        }
    }

    #[inline]
    fn try_copy_to_slice(&mut self, dst: &mut [u8]) -> Result<(), TryGetError> {
        too_few(dst, self.len())?;
        self.copy_to_slice(dst);
        Ok(())
    }

    #[inline]
    fn copy_to_slice(&mut self, dst: &mut [u8]) {
        if self.read_into(dst).is_err() {
            beyond(dst.len(), self.len());
        }
    }

    /// Panics when there is no memory; [`Session::slice`] and [`Slice::into_bytes`] return an error.
    fn copy_to_bytes(&mut self, n: usize) -> Bytes {
        if n > self.len() {
            beyond(n, self.len());
        }
        let bytes = if n <= self.first_piece().len() {
            self.slice(n).map(Bytes::from)
        } else {
            self.read_binary(n).map(Bytes::from)
        };
        bytes.unwrap_or_else(|error| refused(error))
    }
}

/// Reads from the front; the blocks stay pinned until the slice is gone.
///
/// `chunk` is the first piece in place: no copy, O(1), across nodes O(log nodes). `copy_to_bytes` copies nothing
/// within a node, and once across nodes.
///
/// ```
/// use bytes::Buf;
/// use linkbuf_core::Slice;
/// let mut slice = Slice::from(vec![1, 0, 2, 0]);
/// assert_eq!((slice.get_u16_le(), slice.get_u16_le()), (1, 2));
/// assert!(!slice.has_remaining());
/// ```
impl Buf for Slice {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.chunks().next().unwrap_or(&[])
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, dst: &mut [std::io::IoSlice<'a>]) -> usize {
        self.io_slices(dst)
    }

    #[inline]
    fn advance(&mut self, n: usize) {
        if self.skip(n).is_err() {
            beyond(n, self.len());
        }
    }

    fn try_copy_to_slice(&mut self, dst: &mut [u8]) -> Result<(), TryGetError> {
        too_few(dst, self.len())?;
        self.copy_to_slice(dst);
        Ok(())
    }

    fn copy_to_slice(&mut self, dst: &mut [u8]) {
        if self.copy_to(dst).is_err() {
            beyond(dst.len(), self.len());
        }
        self.advance(dst.len());
    }

    /// Panics when there is no memory; [`Slice::split_to`] and [`Slice::into_bytes`] return an error.
    fn copy_to_bytes(&mut self, n: usize) -> Bytes {
        match self.split_to(n) {
            Ok(head) => Bytes::from(head),
            Err(_) => beyond(n, self.len()),
        }
    }
}

/// What owns a node's bytes for a `Bytes`: a slice of one piece.
struct OnePiece(Slice);

impl AsRef<[u8]> for OnePiece {
    fn as_ref(&self) -> &[u8] {
        self.0.as_contiguous().unwrap_or(&[])
    }
}

impl Slice {
    /// The bytes as a `Bytes`.
    ///
    /// Of one node: not copied, O(1). If the node's bytes are a `Bytes` that was attached (or this slice made from),
    /// that is cloned, and if they are static they stay so: nothing is allocated. Else a small box is; if there is no
    /// memory for that one, the process aborts, as `Bytes` has no other way. Of several nodes: copied once, O(n).
    ///
    /// # Errors
    /// [`Error::Alloc`](crate::Error::Alloc) when there is no memory for the copy; the slice comes back in the error.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use linkbuf_core::Slice;
    /// let slice = Slice::from(Bytes::from(vec![1, 2, 3, 4]));
    /// let middle = slice.slice(1..3)?.into_bytes()?;
    /// assert_eq!(middle, [2, 3][..]);
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    pub fn into_bytes(self) -> Result<Bytes, Rejected<Slice>> {
        // Of several nodes one may be left: a part of the slice finds out.
        let slice = match self.view() {
            Some(_) => self,
            None => self.slice(..).unwrap_or(self),
        };
        if let Some(view) = slice.view() {
            if let Some(bytes) = view.as_static() {
                return Ok(Bytes::from_static(bytes));
            }
            if let Some(bytes) = view.owner::<Bytes>() {
                return Ok(bytes.slice_ref(view.as_bytes()));
            }
            return Ok(Bytes::from_owner(OnePiece(slice)));
        }
        match slice.to_vec() {
            Ok(copy) => Ok(Bytes::from(copy)),
            Err(error) => Err(Rejected {
                error,
                value: slice,
            }),
        }
    }
}

/// [`Slice::into_bytes`]; panics where that returns an error.
impl From<Slice> for Bytes {
    fn from(slice: Slice) -> Bytes {
        slice.into_bytes().unwrap_or_else(|r| refused(r.error))
    }
}

/// By their bytes. O(n).
impl PartialEq<Bytes> for Slice {
    fn eq(&self, bytes: &Bytes) -> bool {
        *self == bytes[..]
    }
}

/// By their bytes. O(n).
impl PartialEq<Slice> for Bytes {
    fn eq(&self, slice: &Slice) -> bool {
        *slice == self[..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};
    use bytes::BufMut;

    /// The bytes in pieces of one node each.
    fn in_pieces(pieces: &[&'static [u8]]) -> LinkBuffer {
        let mut buf = LinkBuffer::new();
        for piece in pieces {
            buf.append(LinkBuffer::from(*piece)).unwrap();
        }
        buf
    }

    /// Runs `f` on a buffer, on a session and on a slice of the same bytes.
    fn on_each(pieces: &[&'static [u8]], f: impl Fn(&mut dyn Buf)) {
        f(&mut in_pieces(pieces));
        f(&mut in_pieces(pieces).session());
        let n = pieces.concat().len();
        f(&mut in_pieces(pieces).slice(n).unwrap());
    }

    #[test]
    fn numbers_are_read_across_nodes() {
        on_each(&[&[1], &[2, 3], &[4, 5, 6, 7], &[8, 9]], |b| {
            assert_eq!(b.get_u32(), 0x0102_0304);
            assert_eq!(b.get_i16_le(), 0x0605);
            assert_eq!(b.try_get_u16(), Ok(0x0708));
            let e = b.try_get_u16().unwrap_err();
            assert_eq!((e.requested, e.available), (2, 1));
            assert_eq!(
                (b.remaining(), b.get_u8(), b.has_remaining()),
                (1, 9, false)
            );
            assert_eq!(b.chunk(), b"");
        });
        let float = 1.5_f64.to_be_bytes();
        let mut buf = LinkBuffer::from(float[..3].to_vec());
        buf.append(LinkBuffer::from(float[3..].to_vec())).unwrap();
        assert_eq!(buf.get_f64(), 1.5);
    }

    #[test]
    fn advance_goes_over_nodes_and_chunk_is_the_first_piece() {
        on_each(&[b"ab", b"cd", b"ef"], |b| {
            assert_eq!((b.chunk(), b.remaining()), (&b"ab"[..], 6));
            b.advance(2);
            assert_eq!(b.chunk(), b"cd");
            b.advance(0);
            b.advance(3);
            assert_eq!((b.chunk(), b.remaining()), (&b"f"[..], 1));
            b.advance(1);
            assert_eq!((b.chunk(), b.remaining()), (&b""[..], 0));
        });
    }

    #[test]
    fn to_copy_takes_all_or_nothing() {
        on_each(&[b"ab", b"cd"], |b| {
            let mut dst = [b'-'; 5];
            assert!(b.try_copy_to_slice(&mut dst).is_err());
            assert_eq!((&dst, b.remaining()), (b"-----", 4));
            b.try_copy_to_slice(&mut dst[..1]).unwrap();
            b.copy_to_slice(&mut dst[1..4]);
            assert_eq!((&dst, b.remaining()), (b"abcd-", 0));
        });
    }

    #[cfg(feature = "std")]
    #[test]
    fn chunks_are_exported_in_order() {
        on_each(&[b"ab", b"cd", b"ef"], |b| {
            for room in [0, 1, 2, 3, 5] {
                let mut out = vec![std::io::IoSlice::new(b""); room];
                let n = b.chunks_vectored(&mut out);
                assert!(n <= room && (n > 0) == (room > 0));
                let bytes: Vec<u8> = out[..n].iter().flat_map(|s| s.iter().copied()).collect();
                assert!(b"abcdef".starts_with(&bytes) && bytes.len() >= 2 * n);
            }
        });
        let buf = in_pieces(&[b"ab", b"cd", b"ef"]);
        let mut out = [std::io::IoSlice::new(b""); 4];
        assert_eq!(buf.chunks_vectored(&mut out), 3);
    }

    #[test]
    fn copies_to_bytes_are_the_same_bytes() {
        on_each(&[b"ab", b"cd"], |b| {
            assert_eq!(b.copy_to_bytes(0), "");
            assert_eq!(b.copy_to_bytes(1), "a");
            assert_eq!(b.copy_to_bytes(2), "bc");
            assert_eq!((b.copy_to_bytes(1), b.remaining()), (Bytes::from("d"), 0));
        });
    }

    #[test]
    fn bytes_of_one_node_are_not_copied() {
        let whole = Bytes::from(vec![7; 100]);
        let p = whole.as_ptr();
        let mut buf = LinkBuffer::from(whole.clone());
        assert_eq!(buf.copy_to_bytes(10).as_ptr(), p);
        let slice = buf.session().slice(90).unwrap();
        assert_eq!(Bytes::from(slice).as_ptr(), p.wrapping_add(10));

        // Of a native node, an attached vector and static bytes too.
        let mut buf = LinkBuffer::new();
        buf.put_slice(b"native");
        buf.flush();
        let p = buf.chunk().as_ptr();
        assert_eq!(buf.copy_to_bytes(6).as_ptr(), p);
        let slice = Slice::from(vec![1, 2, 3]);
        let p = slice.chunk().as_ptr();
        assert_eq!(slice.into_bytes().unwrap().as_ptr(), p);
        static S: [u8; 2] = [1, 2];
        assert_eq!(Bytes::from(Slice::from(&S)).as_ptr(), S.as_ptr());

        // And of what is left of several nodes, if that is in one.
        let mut slice = in_pieces(&[b"ab", &S]).slice(4).unwrap();
        slice.advance(2);
        assert_eq!(slice.into_bytes().unwrap().as_ptr(), S.as_ptr());
    }

    #[test]
    fn a_bytes_comes_out_as_the_owner_that_went_in() {
        let whole = Bytes::from(vec![7; 5000]);
        let mut buf = LinkBuffer::new();
        buf.write_owned(whole.clone()).unwrap();
        buf.flush();
        let out = buf.copy_to_bytes(5000);
        drop((buf, whole));
        assert!(out.is_unique(), "no slice stands between");
    }

    #[test]
    fn bytes_of_several_nodes_are_copied_and_equal() {
        let slice = in_pieces(&[b"ab", b"cd", b"ef"]).slice(6).unwrap();
        let part = slice.slice(1..5).unwrap();
        assert_eq!(slice.clone().into_bytes().unwrap(), "abcdef");
        assert_eq!(part.clone().into_bytes().unwrap(), "bcde");
        assert_eq!(part.slice(2..2).unwrap().into_bytes().unwrap(), "");
        assert_eq!(
            (part.clone(), Bytes::from(part.clone())),
            (part, Bytes::from("bcde"))
        );
    }

    #[test]
    fn bytes_outlive_buffer_and_slice_on_another_thread_too() {
        let mut buf = LinkBuffer::new();
        buf.put_slice(b"stays");
        buf.flush();
        let bytes = buf.copy_to_bytes(5);
        buf.put_slice(b"other");
        drop(buf);
        assert_eq!(bytes, "stays");
    }

    #[test]
    fn reading_a_buffer_gives_nodes_back() {
        let mut buf = LinkBuffer::new();
        for _ in 0..4 {
            buf.write_owned(vec![7; 5000]).unwrap();
        }
        buf.flush();
        buf.advance(5000);
        assert_eq!(buf.memory().foreign, 15_000);
        buf.copy_to_slice(&mut [0; 5000]);
        assert_eq!(buf.memory().foreign, 10_000);
        let last = buf.copy_to_bytes(10_000);
        assert_eq!((buf.memory().foreign, last.len()), (0, 10_000));
    }

    #[test]
    fn a_session_hands_out_and_reads_without_releasing() {
        let mut buf = in_pieces(&[b"\x02ab", b"cd"]);
        let mut r = buf.session();
        let n = r.get_u8();
        let head = r.next(n.into()).unwrap();
        assert_eq!(r.get_u16(), 0x6364);
        assert_eq!(head, b"ab");
        assert_eq!((buf.len(), buf.memory().nodes), (0, 2));
    }

    #[test]
    fn adapters_of_the_traits_work() {
        let mut buf = in_pieces(&[b"abc", b"def"]);
        let mut out = Vec::new();
        out.put(Buf::take(&mut buf, 4).chain(&b"!"[..]));
        assert_eq!((&out[..], buf.remaining()), (&b"abcd!"[..], 2));
        let mut limited = (&mut buf).limit(2);
        assert_eq!(limited.remaining_mut(), 2);
        limited.put_slice(b"gh");
        buf.flush();
        assert_eq!(buf.copy_to_bytes(4), "efgh");
    }

    fn past_the_end(f: impl Fn(&mut dyn Buf)) {
        f(&mut in_pieces(&[b"ab", b"c"]));
    }

    #[test]
    #[should_panic(expected = "4 bytes, 3 remain")]
    fn to_advance_past_the_end_panics() {
        past_the_end(|b| b.advance(4));
    }

    #[test]
    #[should_panic(expected = "4 bytes, 3 remain")]
    fn to_copy_past_the_end_panics() {
        past_the_end(|b| b.copy_to_slice(&mut [0; 4]));
    }

    #[test]
    #[should_panic(expected = "4 bytes, 3 remain")]
    fn to_take_bytes_past_the_end_panics() {
        past_the_end(|b| drop(b.copy_to_bytes(4)));
    }

    #[test]
    #[should_panic(expected = "4 bytes, 3 remain")]
    fn to_advance_a_slice_past_its_end_panics() {
        Slice::from("abc").advance(4);
    }

    #[test]
    #[should_panic(expected = "4 bytes, 3 remain")]
    fn to_advance_a_session_past_the_end_panics() {
        Buf::advance(&mut in_pieces(&[b"abc"]).session(), 4);
    }
}
