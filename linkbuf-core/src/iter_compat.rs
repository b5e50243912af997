//! Traits of `core` and `alloc`: collecting, extending, conversions, formatted text.
//!
//! What is collected or converted is readable at once; what a buffer is extended by is pending until the flush, as
//! all that is written. But for `fmt::Write` these traits can't report errors: they panic when there is no memory, as
//! the standard library's collections do, and the docs of each name the call that returns an error instead.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt;

use crate::{allocator::NodeAllocator, buffer::LinkBuffer, error::Error, slice::Slice};

/// Says why a trait without errors could not go on.
#[cold]
#[inline(never)]
pub(crate) fn refused(error: Error) -> ! {
    panic!("linkbuf: {error}; the fallible calls of `LinkBuffer` return this as an error")
}

impl<A: NodeAllocator> LinkBuffer<A> {
    fn extend_bytes(&mut self, bytes: impl Iterator<Item = u8>) {
        // As the iterator promises, but within one usual node: it may promise anything.
        let run = bytes.size_hint().0.min(RUN_MAX);
        let mut fields = self.appender(run).unwrap_or_else(|error| refused(error));
        for byte in bytes {
            if let Err(error) = fields.put_u8(byte) {
                refused(error);
            }
        }
    }
}

/// Bytes that `Extend` reserves in one piece at most.
const RUN_MAX: usize = 2048;

/// Copies, pending: a compare and a store for each byte.
///
/// Panics when there is no memory, and what came before stays; the [`appender`](LinkBuffer::appender) returns errors.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// let mut buf: LinkBuffer = (0..3).collect(); // readable
/// buf.extend([3, 4]); // pending
/// assert_eq!((buf.len(), buf.malloc_len()), (3, 2));
/// ```
impl<A: NodeAllocator> Extend<u8> for LinkBuffer<A> {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        self.extend_bytes(bytes.into_iter());
    }
}

/// As of `u8`.
impl<'a, A: NodeAllocator> Extend<&'a u8> for LinkBuffer<A> {
    fn extend<I: IntoIterator<Item = &'a u8>>(&mut self, bytes: I) {
        self.extend_bytes(bytes.into_iter().copied());
    }
}

/// [`LinkBuffer::append_slice`] of each, pending: attached from the copy threshold on, copied below it.
///
/// Panics when there is no memory, and what came before stays; `append_slice` returns errors.
impl<A: NodeAllocator> Extend<Slice> for LinkBuffer<A> {
    fn extend<I: IntoIterator<Item = Slice>>(&mut self, slices: I) {
        for slice in slices {
            if let Err(r) = self.append_slice(slice) {
                refused(r.error);
            }
        }
    }
}

/// [`LinkBuffer::write_owned`] of each, pending: attached from the copy threshold on, copied below it.
///
/// Panics when there is no memory, and what came before stays; `write_owned` returns errors.
#[cfg(feature = "bytes")]
impl<A: NodeAllocator> Extend<bytes::Bytes> for LinkBuffer<A> {
    fn extend<I: IntoIterator<Item = bytes::Bytes>>(&mut self, values: I) {
        for value in values {
            if let Err(r) = self.write_owned(value) {
                refused(r.error);
            }
        }
    }
}

macro_rules! collect {
    ($($(#[$doc:meta])* $t:ty $(, $a:lifetime)?;)*) => { $(
        $(#[$doc])*
        impl$(<$a>)? FromIterator<$t> for LinkBuffer {
            fn from_iter<I: IntoIterator<Item = $t>>(items: I) -> Self {
                let mut buf = LinkBuffer::new();
                buf.extend(items);
                buf.flush();
                buf
            }
        }
    )* };
}

collect! {
    /// A copy, readable at once.
    u8;
    /// As of `u8`.
    &'a u8, 'a;
    /// The bytes of all slices in turn, readable at once; as [`LinkBuffer::append_slice`].
    Slice;
}

#[cfg(feature = "bytes")]
collect! {
    /// The bytes of all values in turn, readable at once; as [`LinkBuffer::write_owned`].
    bytes::Bytes;
}

/// A copy, of one piece.
impl FromIterator<u8> for Slice {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        Slice::from(bytes.into_iter().collect::<Vec<u8>>())
    }
}

/// Text by `write!`, pending. `Err` when there is no memory; what came before stays.
///
/// ```
/// use core::fmt::Write;
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::new();
/// write!(buf, "{}-{:04}", "id", 7).unwrap();
/// buf.flush();
/// assert_eq!(buf.next(7)?, b"id-0007");
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
impl<A: NodeAllocator> fmt::Write for LinkBuffer<A> {
    #[inline]
    fn write_str(&mut self, s: &str) -> fmt::Result {
        self.write_string(s).map_err(|_| fmt::Error)
    }
}

/// A buffer of `value`'s bytes, readable, and never copied.
fn attached<T: AsRef<[u8]> + Send + 'static>(value: T) -> LinkBuffer {
    let mut buf = LinkBuffer::new();
    if let Err(r) = buf.chain.attach(value) {
        refused(r.error);
    }
    buf.flush();
    buf
}

macro_rules! from_owned {
    ($($t:ty),*) => { $(
        /// Without a copy whatever the length, readable at once. O(1).
        ///
        /// Allocates a header, and panics when there is no memory for it; [`LinkBuffer::write_owned`] returns an error.
        impl From<$t> for LinkBuffer {
            fn from(value: $t) -> Self {
                attached(value)
            }
        }

        /// Without a copy. O(1).
        ///
        /// Allocates a header, and panics when there is no memory for it; [`Slice::from_owner`] returns an error.
        impl From<$t> for Slice {
            fn from(value: $t) -> Self {
                Slice::from_owner(value).unwrap_or_else(|r| refused(r.error))
            }
        }
    )* };
}

from_owned!(Vec<u8>, String, Box<[u8]>, Arc<[u8]>);

#[cfg(feature = "bytes")]
from_owned!(bytes::Bytes);

macro_rules! from_static {
    ($($t:ty),*) => { $(
        /// Without a copy whatever the length, readable at once. O(1).
        ///
        /// Allocates a header, and panics when there is no memory for it; [`LinkBuffer::write_owned`] returns an error.
        impl From<&'static $t> for LinkBuffer {
            fn from(bytes: &'static $t) -> Self {
                attached(bytes)
            }
        }
    )* };
}

from_static!([u8], str);

/// Without a copy, readable at once: as of `&'static [u8]`.
impl<const N: usize> From<&'static [u8; N]> for LinkBuffer {
    fn from(bytes: &'static [u8; N]) -> Self {
        attached(&bytes[..])
    }
}

/// Static bytes. Copies and allocates nothing.
impl<const N: usize> From<&'static [u8; N]> for Slice {
    fn from(bytes: &'static [u8; N]) -> Self {
        Slice::from_static(bytes)
    }
}

/// Without a copy whatever the length, readable at once. O(nodes of the slice).
///
/// Allocates a header for each node, and panics when there is no memory for it; [`LinkBuffer::append_slice`] returns
/// an error.
///
/// ```
/// use linkbuf_core::{LinkBuffer, Slice};
/// let mut buf = LinkBuffer::from(Slice::from("from a slice"));
/// assert_eq!(buf.next(4)?, b"from");
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
impl From<Slice> for LinkBuffer {
    fn from(slice: Slice) -> Self {
        let mut buf = LinkBuffer::new();
        if let Err(r) = slice.attach_to(&mut buf.chain) {
            refused(r.error);
        }
        buf.flush();
        buf
    }
}

/// A copy. O(n).
///
/// Panics when there is no memory for it; [`Slice::to_vec`] returns an error.
///
/// ```
/// use linkbuf_core::Slice;
/// let bytes = Vec::from(Slice::from("text"));
/// assert_eq!(bytes, b"text");
/// ```
impl From<Slice> for Vec<u8> {
    fn from(slice: Slice) -> Self {
        slice.to_vec().unwrap_or_else(|error| refused(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn all(buf: &mut LinkBuffer) -> Vec<u8> {
        let n = buf.len();
        buf.read_binary(n).unwrap()
    }

    #[test]
    fn bytes_are_collected_over_many_nodes() {
        let bytes: Vec<u8> = (0..20_000_u32).map(|i| (i * 7) as u8).collect();
        let mut buf: LinkBuffer = bytes.iter().copied().collect();
        assert_eq!(all(&mut buf), bytes);
        // An iterator that says nothing about its length, and one that says too much.
        let mut buf: LinkBuffer = bytes.iter().copied().filter(|b| *b != 1).collect();
        assert!(all(&mut buf).iter().all(|b| *b != 1));
        let slice: Slice = bytes.iter().copied().collect();
        assert_eq!(slice, bytes);
        let mut buf: LinkBuffer = bytes.iter().collect();
        assert_eq!(all(&mut buf), bytes);
    }

    #[test]
    fn a_promise_of_very_many_bytes_reserves_little() {
        struct Liar(u8);
        impl Iterator for Liar {
            type Item = u8;
            fn next(&mut self) -> Option<u8> {
                self.0 = self.0.checked_sub(1)?;
                Some(self.0)
            }
            fn size_hint(&self) -> (usize, Option<usize>) {
                (usize::MAX, None)
            }
        }
        let mut buf = LinkBuffer::new();
        buf.extend(Liar(3));
        buf.flush();
        assert_eq!(all(&mut buf), [2, 1, 0]);
        assert!(buf.memory().total() <= 4096);
    }

    #[test]
    fn what_is_extended_is_pending_and_behind_what_was() {
        let mut buf = LinkBuffer::new();
        buf.write_byte(b'a').unwrap();
        buf.extend(*b"bc");
        buf.extend(b"de");
        buf.extend([Slice::from("f"), Slice::from(vec![b'g'; 5000])]);
        assert_eq!((buf.len(), buf.malloc_len()), (0, 5006));
        assert_eq!(buf.memory().foreign, 5000, "a long slice is attached");
        buf.flush();
        assert_eq!(buf.next(7).unwrap(), b"abcdefg");
    }

    #[cfg(feature = "std")]
    #[test]
    fn a_panicking_iterator_leaves_what_came_before() {
        let mut buf = LinkBuffer::new();
        let bytes = (0..9_u8).inspect(|b| assert!(*b < 5, "on purpose"));
        let end = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| buf.extend(bytes)));
        assert!(end.is_err());
        assert_eq!(buf.malloc_len(), 5);
        buf.flush();
        assert_eq!(all(&mut buf), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn slices_are_collected_in_order() {
        let mut buf: LinkBuffer = ["ab", "", "cd"].into_iter().map(Slice::from).collect();
        assert_eq!(all(&mut buf), b"abcd");
    }

    #[test]
    fn owned_values_become_readable_buffers_without_a_copy() {
        let at = |buf: &LinkBuffer| buf.chunks().next().map(<[u8]>::as_ptr);
        let v = vec![b'v'; 10];
        let p = v.as_ptr();
        let buf = LinkBuffer::from(v);
        assert_eq!((at(&buf), buf.len(), buf.memory().live), (Some(p), 10, 0));

        static S: [u8; 3] = *b"abc";
        assert_eq!(at(&LinkBuffer::from(&S)), Some(S.as_ptr()));
        assert_eq!(at(&LinkBuffer::from(&S[..])), Some(S.as_ptr()));
        let slice = Slice::from(&S);
        assert_eq!(slice.pinned(), 0);
        assert_eq!(at(&LinkBuffer::from(slice)), Some(S.as_ptr()));

        for mut buf in [
            LinkBuffer::from("text"),
            LinkBuffer::from(String::from("text")),
            LinkBuffer::from(Box::<[u8]>::from(*b"text")),
            LinkBuffer::from(Arc::<[u8]>::from(*b"text")),
            LinkBuffer::from(Slice::from("text")),
        ] {
            assert_eq!(all(&mut buf), b"text");
        }
        for slice in [
            Slice::from(String::from("text")),
            Slice::from(Vec::from(*b"text")),
            Slice::from(Box::<[u8]>::from(*b"text")),
            Slice::from(Arc::<[u8]>::from(*b"text")),
        ] {
            assert_eq!(slice, "text");
        }
    }

    #[test]
    fn empty_values_become_empty_buffers() {
        for mut buf in [
            LinkBuffer::from(Vec::new()),
            LinkBuffer::from(""),
            LinkBuffer::from(Slice::new()),
            core::iter::empty::<u8>().collect(),
            core::iter::empty::<Slice>().collect(),
        ] {
            assert!(buf.is_empty() && buf.memory().nodes == 0);
            buf.write_byte(1).unwrap();
            buf.flush();
            assert_eq!(all(&mut buf), [1]);
        }
        assert!(Slice::from(Vec::new()).is_empty());
    }

    #[test]
    fn a_slice_of_several_nodes_becomes_a_buffer_of_them() {
        let mut buf = LinkBuffer::from("ab");
        buf.append(LinkBuffer::from("cd")).unwrap();
        let slice = buf.slice(4).unwrap();
        let mut again = LinkBuffer::from(slice.clone());
        assert_eq!(again.memory().nodes, 2);
        assert_eq!(all(&mut again), b"abcd");
        assert_eq!(slice, "abcd");
    }

    #[test]
    fn text_is_formatted_into_a_buffer() {
        use core::fmt::Write;
        let mut buf = LinkBuffer::new();
        write!(buf, "{:>5}", 42).unwrap();
        buf.flush();
        assert_eq!(all(&mut buf), b"   42");
    }
}
