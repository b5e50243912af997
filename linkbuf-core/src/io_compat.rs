//! `std::io`: [`Read`] and [`BufRead`] for buffers, slices and reading sessions, [`Write`] for buffers.
//!
//! None of these calls blocks: what holds nothing reads as the end of the stream (`Ok(0)`), not as `WouldBlock`. An
//! error leaves source and destination as they were; [`crate::Error`] says which kind becomes which.

use std::{
    io::{BufRead, ErrorKind, IoSlice, IoSliceMut, Read, Result, Write},
    string::String,
    vec::Vec,
};

use crate::{
    allocator::NodeAllocator, buffer::LinkBuffer, error::Error, reader::Session, slice::Slice,
};

/// What the three readers share: `Read` and `BufRead` are written once, on top of it.
trait Source {
    /// Bytes that are left.
    fn left(&self) -> usize;

    /// Those of the first piece; empty only if nothing is left.
    fn first(&self) -> &[u8];

    /// Copies the next bytes out, consumed.
    fn copy(&mut self, dst: &mut [u8]) -> core::result::Result<(), Error>;

    /// A copy of all that is left, consumed; if it is not UTF-8, nothing is.
    fn text(&mut self) -> core::result::Result<String, Error>;

    /// Consumes `n` bytes, which are there.
    fn pass(&mut self, n: usize);

    /// Called once at the end of each call that consumes.
    fn done(&mut self);
}

impl<A: NodeAllocator> Source for LinkBuffer<A> {
    #[inline]
    fn left(&self) -> usize {
        self.len()
    }

    #[inline]
    fn first(&self) -> &[u8] {
        self.chain.first_piece()
    }

    #[inline]
    fn copy(&mut self, dst: &mut [u8]) -> core::result::Result<(), Error> {
        self.read_into(dst)
    }

    fn text(&mut self) -> core::result::Result<String, Error> {
        self.read_string(self.len())
    }

    #[inline]
    fn pass(&mut self, n: usize) {
        let passed = self.skip(n);
        debug_assert!(passed.is_ok());
    }

    #[inline]
    fn done(&mut self) {
        self.release();
    }
}

impl<A: NodeAllocator> Source for Session<'_, A> {
    #[inline]
    fn left(&self) -> usize {
        self.len()
    }

    #[inline]
    fn first(&self) -> &[u8] {
        self.first_piece()
    }

    #[inline]
    fn copy(&mut self, dst: &mut [u8]) -> core::result::Result<(), Error> {
        self.read_into(dst)
    }

    fn text(&mut self) -> core::result::Result<String, Error> {
        self.read_string(self.len())
    }

    #[inline]
    fn pass(&mut self, n: usize) {
        let passed = self.skip(n);
        debug_assert!(passed.is_ok());
    }

    #[inline]
    fn done(&mut self) {}
}

impl Source for Slice {
    #[inline]
    fn left(&self) -> usize {
        self.len()
    }

    #[inline]
    fn first(&self) -> &[u8] {
        self.chunks().next().unwrap_or(&[])
    }

    #[inline]
    fn copy(&mut self, dst: &mut [u8]) -> core::result::Result<(), Error> {
        self.copy_to(dst)?;
        self.skip(dst.len())
    }

    fn text(&mut self) -> core::result::Result<String, Error> {
        let text = String::from_utf8(self.to_vec()?).map_err(|e| Error::Utf8 {
            valid_up_to: e.utf8_error().valid_up_to(),
        })?;
        self.skip(text.len())?;
        Ok(text)
    }

    #[inline]
    fn pass(&mut self, n: usize) {
        let passed = self.skip(n);
        debug_assert!(passed.is_ok());
    }

    #[inline]
    fn done(&mut self) {}
}

fn read<S: Source>(source: &mut S, dst: &mut [u8]) -> Result<usize> {
    let n = source.left().min(dst.len());
    source.copy(&mut dst[..n])?;
    source.done();
    Ok(n)
}

fn read_vectored<S: Source>(source: &mut S, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
    let before = source.left();
    for dst in bufs {
        let n = source.left().min(dst.len());
        source.copy(&mut dst[..n])?;
    }
    let n = before - source.left();
    source.done();
    Ok(n)
}

fn read_exact<S: Source>(source: &mut S, dst: &mut [u8]) -> Result<()> {
    if dst.len() > source.left() {
        // Without a message of its own, as the standard library's readers: nothing is allocated.
        return Err(ErrorKind::UnexpectedEof.into());
    }
    source.copy(dst)?;
    source.done();
    Ok(())
}

fn read_to_end<S: Source>(source: &mut S, dst: &mut Vec<u8>) -> Result<usize> {
    let n = source.left();
    dst.try_reserve(n).map_err(|_| ErrorKind::OutOfMemory)?;
    while source.left() > 0 {
        let piece = source.first();
        dst.extend_from_slice(piece);
        let len = piece.len();
        source.pass(len);
    }
    source.done();
    Ok(n)
}

fn read_to_string<S: Source>(source: &mut S, dst: &mut String) -> Result<usize> {
    let n = source.left();
    dst.try_reserve(n).map_err(|_| ErrorKind::OutOfMemory)?;
    if source.first().len() == n {
        let text = str::from_utf8(source.first()).map_err(|e| Error::Utf8 {
            valid_up_to: e.valid_up_to(),
        })?;
        dst.push_str(text);
        source.pass(n);
    } else {
        // A character may lie across pieces, so they are brought together first.
        dst.push_str(&source.text()?);
    }
    source.done();
    Ok(n)
}

fn consume<S: Source>(source: &mut S, n: usize) {
    // To consume more than was seen is the caller's mistake; like `BufReader`, this stops at the end.
    source.pass(n.min(source.left()));
    source.done();
}

macro_rules! impl_read {
    ($(#[$doc:meta])* $t:ty $(, $a:ident)?) => {
        $(#[$doc])*
        impl $(<$a: NodeAllocator>)? Read for $t {
            #[inline]
            fn read(&mut self, dst: &mut [u8]) -> Result<usize> {
                read(self, dst)
            }

            #[inline]
            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> Result<usize> {
                read_vectored(self, bufs)
            }

            /// All of `dst` or nothing: with fewer bytes left the error is `UnexpectedEof`, and nothing is consumed.
            #[inline]
            fn read_exact(&mut self, dst: &mut [u8]) -> Result<()> {
                read_exact(self, dst)
            }

            /// Reserves once, then copies piece by piece. `OutOfMemory` consumes nothing.
            fn read_to_end(&mut self, dst: &mut Vec<u8>) -> Result<usize> {
                read_to_end(self, dst)
            }

            /// As `read_to_end`. What is not UTF-8 is an error (`InvalidData`) and consumes nothing.
            fn read_to_string(&mut self, dst: &mut String) -> Result<usize> {
                read_to_string(self, dst)
            }
        }
    };
}

macro_rules! impl_buf_read {
    ($(#[$doc:meta])* $t:ty $(, $a:ident)?) => {
        $(#[$doc])*
        impl $(<$a: NodeAllocator>)? BufRead for $t {
            #[inline]
            fn fill_buf(&mut self) -> Result<&[u8]> {
                Ok(self.first())
            }

            #[inline]
            fn consume(&mut self, n: usize) {
                consume(self, n);
            }
        }
    };
}

impl_read! {
    /// Copies out and *releases*: a node that was read to its end goes back at once, so a loop of reads holds what is
    /// still unread and no more. An empty buffer reads as the end of the stream, `Ok(0)`. Allocates nothing; O(bytes
    /// copied).
    ///
    /// Where `bytes::Buf` is imported beside this trait, `buf.take(n)` and `buf.chain(…)` do not compile, for both have
    /// them: name one (`Read::take(&mut buf, n)`); so it is with `by_ref`, if `Write` is imported too.
    ///
    /// ```
    /// use std::io::Read;
    /// use linkbuf_core::LinkBuffer;
    /// let mut buf = LinkBuffer::from("head and body");
    /// let mut head = [0; 4];
    /// buf.read_exact(&mut head)?;
    /// let mut rest = String::new();
    /// buf.read_to_string(&mut rest)?;
    /// assert_eq!((&head, &rest[..]), (b"head", " and body"));
    /// assert_eq!(buf.read(&mut head)?, 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    LinkBuffer<A>, A
}

impl_buf_read! {
    /// `fill_buf` is the first piece in place: no copy, O(1). `consume` releases the nodes that were read to the end,
    /// and stops at the end of the readable bytes.
    ///
    /// ```
    /// use std::io::BufRead;
    /// use linkbuf_core::LinkBuffer;
    /// let buf = LinkBuffer::from("one\ntwo\n");
    /// let lines: Result<Vec<_>, _> = buf.lines().collect();
    /// assert_eq!(lines?, ["one", "two"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    LinkBuffer<A>, A
}

impl_read! {
    /// Copies out; nothing is released before [`LinkBuffer::release`], so slices that the session handed out stay
    /// good. Allocates nothing; O(bytes copied).
    Session<'_, A>, A
}

impl_buf_read! {
    /// `fill_buf` is the first piece in place: no copy, O(1). `consume` stops at the end of the readable bytes.
    Session<'_, A>, A
}

impl_read! {
    /// Copies out and forgets from the front; the blocks stay pinned until the slice is gone. Allocates nothing;
    /// O(bytes copied), and O(log nodes) a piece.
    Slice
}

impl_buf_read! {
    /// `fill_buf` is the first piece in place: no copy, O(log nodes). `consume` stops at the slice's end.
    Slice
}

/// Appends copies, pending; the [`flush`](Write::flush) makes them readable. O(bytes), and nodes as needed.
///
/// A `write` takes all of its bytes or, if there is no memory for them (`OutOfMemory`), none.
///
/// `buf.flush()` is the inherent [`LinkBuffer::flush`], which returns nothing, so there is nothing for a `?`. Code that
/// is generic over `Write` gets the trait's, which does the same and returns `Ok(())`; by its name it is
/// `Write::flush(&mut buf)?`.
///
/// Where `fmt::Write` is imported beside this trait, `write!(buf, …)` does not compile, for both have a `write_fmt`:
/// import one of them in an inner scope, or name it (`Write::write_fmt(&mut buf, format_args!(…))?`).
///
/// ```
/// use std::io::Write;
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::new();
/// write!(buf, "GET {} HTTP/1.1\r\n", "/")?;
/// buf.write_all(b"\r\n")?;
/// buf.flush(); // the buffer's own
/// assert_eq!(buf.len(), 18);
/// Write::flush(&mut buf)?; // the trait's
/// # Ok::<(), std::io::Error>(())
/// ```
impl<A: NodeAllocator> Write for LinkBuffer<A> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.write_binary(bytes)?;
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> Result<usize> {
        let before = self.malloc_len();
        for bytes in bufs {
            if let Err(e) = self.write_binary(bytes) {
                self.malloc_ack(before)?;
                return Err(e.into());
            }
        }
        Ok(self.malloc_len() - before)
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.write_binary(bytes)?)
    }

    /// [`LinkBuffer::flush`]. Never fails.
    #[inline]
    fn flush(&mut self) -> Result<()> {
        LinkBuffer::flush(self);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes in pieces of one node each.
    fn in_pieces(pieces: &[&'static [u8]]) -> LinkBuffer {
        let mut buf = LinkBuffer::new();
        for piece in pieces {
            buf.append(LinkBuffer::from(*piece)).unwrap();
        }
        buf
    }

    /// Runs `f` on a buffer, on a session and on a slice of the same bytes, and says what is left of each.
    fn on_each(pieces: &[&'static [u8]], f: impl Fn(&mut dyn BufRead)) -> [Vec<u8>; 3] {
        let mut buf = in_pieces(pieces);
        f(&mut buf);
        let mut other = in_pieces(pieces);
        f(&mut other.session());
        let mut slice = in_pieces(pieces).slice(pieces.concat().len()).unwrap();
        f(&mut slice);
        let left = [buf.len(), other.len()];
        [
            buf.read_binary(left[0]).unwrap(),
            other.read_binary(left[1]).unwrap(),
            slice.to_vec().unwrap(),
        ]
    }

    #[test]
    fn read_crosses_nodes_and_ends_with_zero() {
        let left = on_each(&[b"ab", b"cd", b"e"], |r| {
            let mut dst = [0; 4];
            assert_eq!(r.read(&mut dst).unwrap(), 4);
            assert_eq!(&dst, b"abcd");
            assert_eq!(r.read(&mut []).unwrap(), 0);
            assert_eq!(r.read(&mut dst).unwrap(), 1);
            assert_eq!(&dst, b"ebcd");
            assert_eq!(r.read(&mut dst).unwrap(), 0);
        });
        assert_eq!(left, [b"", b"", b""]);
    }

    #[test]
    fn read_exact_takes_all_or_nothing() {
        let left = on_each(&[b"ab", b"cd"], |r| {
            let mut dst = [b'-'; 5];
            let e = r.read_exact(&mut dst).unwrap_err();
            assert_eq!(e.kind(), ErrorKind::UnexpectedEof);
            assert_eq!(&dst, b"-----");
            r.read_exact(&mut dst[..3]).unwrap();
            assert_eq!(&dst, b"abc--");
        });
        assert_eq!(left, [b"d", b"d", b"d"]);
    }

    #[test]
    fn read_vectored_fills_in_order() {
        let left = on_each(&[b"abc", b"def", b"g"], |r| {
            let (mut one, mut two) = ([0; 2], [0; 3]);
            let mut bufs = [
                IoSliceMut::new(&mut one),
                IoSliceMut::new(&mut []),
                IoSliceMut::new(&mut two),
            ];
            assert_eq!(r.read_vectored(&mut bufs).unwrap(), 5);
            assert_eq!((&one, &two), (b"ab", b"cde"));
        });
        assert_eq!(left, [b"fg", b"fg", b"fg"]);
    }

    #[test]
    fn read_to_end_and_to_string_append() {
        on_each(&[b"ab", b"cd"], |r| {
            let mut dst = b"x".to_vec();
            assert_eq!(r.read_to_end(&mut dst).unwrap(), 4);
            assert_eq!(dst, b"xabcd");
            assert_eq!(r.read_to_end(&mut dst).unwrap(), 0);
        });
        // A character across the border.
        on_each(&[b"a\xC3", b"\xA4b"], |r| {
            let mut dst = String::from("x");
            assert_eq!(r.read_to_string(&mut dst).unwrap(), 4);
            assert_eq!(dst, "xa\u{e4}b");
        });
        on_each(&[b"one piece"], |r| {
            let mut dst = String::new();
            assert_eq!(r.read_to_string(&mut dst).unwrap(), 9);
            assert_eq!(dst, "one piece");
        });
    }

    #[test]
    fn what_is_not_utf8_stays_to_be_read() {
        for pieces in [&[&b"a\xFFb"[..]][..], &[b"a", b"\xFFb"]] {
            let left = on_each(pieces, |r| {
                let mut dst = String::from("x");
                let e = r.read_to_string(&mut dst).unwrap_err();
                assert_eq!(e.kind(), ErrorKind::InvalidData);
                assert_eq!(dst, "x");
            });
            assert_eq!(left, [b"a\xFFb", b"a\xFFb", b"a\xFFb"]);
        }
    }

    #[test]
    fn lines_are_found_across_nodes() {
        let left = on_each(&[b"a", b"b\nc", b"\n", b"d"], |r| {
            let mut line = String::new();
            assert_eq!(r.read_line(&mut line).unwrap(), 3);
            assert_eq!(r.read_line(&mut line).unwrap(), 2);
            assert_eq!(line, "ab\nc\n");
        });
        assert_eq!(left, [b"d", b"d", b"d"]);
    }

    #[test]
    fn fill_buf_shows_the_first_piece_and_consume_stops_at_the_end() {
        let left = on_each(&[b"ab", b"cd"], |r| {
            assert_eq!(r.fill_buf().unwrap(), b"ab");
            r.consume(2);
            assert_eq!(r.fill_buf().unwrap(), b"cd");
            r.consume(1);
            assert_eq!(r.fill_buf().unwrap(), b"d");
            r.consume(9);
            assert_eq!(r.fill_buf().unwrap(), b"");
        });
        assert_eq!(left, [b"", b"", b""]);
    }

    #[test]
    fn reading_releases_what_was_read() {
        let mut buf = LinkBuffer::new();
        for _ in 0..4 {
            buf.write_owned(vec![7; 5000]).unwrap();
        }
        buf.flush();
        buf.read_exact(&mut [0; 5000]).unwrap();
        assert_eq!(buf.memory().foreign, 15_000);
        buf.consume(5000);
        assert_eq!(buf.memory().foreign, 10_000);
        assert_eq!(
            std::io::copy(&mut buf, &mut std::io::sink()).unwrap(),
            10_000
        );
        assert_eq!(buf.memory().foreign, 0);
    }

    #[test]
    fn a_session_releases_nothing() {
        let mut buf = LinkBuffer::from(vec![7; 5000]);
        let mut r = buf.session();
        let head = r.next(10).unwrap();
        std::io::copy(&mut r, &mut std::io::sink()).unwrap();
        assert_eq!(head, [7; 10]);
        assert_eq!((buf.len(), buf.memory().foreign), (0, 5000));
    }

    #[test]
    fn what_is_written_waits_for_the_flush() {
        fn generic(w: &mut impl Write) {
            assert_eq!(w.write(b"ab").unwrap(), 2);
            let bufs = [IoSlice::new(b"cd"), IoSlice::new(b""), IoSlice::new(b"e")];
            assert_eq!(w.write_vectored(&bufs).unwrap(), 3);
            w.write_all(b"f").unwrap();
            write!(w, "{}", 7).unwrap();
        }
        let mut buf = LinkBuffer::new();
        generic(&mut buf);
        assert_eq!((buf.len(), buf.malloc_len()), (0, 7));
        Write::flush(&mut buf).unwrap();
        assert_eq!(buf.next(7).unwrap(), b"abcdef7");
    }
}
