//! The numbers of wire formats: which there are, and how they are written. How they are read is in `reader.rs`.

use crate::{allocator::NodeAllocator, buffer::LinkBuffer, error::Error};

/// The numbers that are written, read and put into slots, big endian (`_be`) or little endian (`_le`): `u8` to `u128`,
/// `i8` to `i128`, `f32` and `f64`.
///
/// Not `usize` and `isize`: how many bytes they are differs between the machines at the two ends. Sealed.
///
/// ```
/// use linkbuf_core::{Error, LinkBuffer, Number};
///
/// fn point<T: Number>(buf: &mut LinkBuffer, x: T, y: T) -> Result<(), Error> {
///     buf.write_be(x)?;
///     buf.write_be(y)
/// }
/// let mut buf = LinkBuffer::new();
/// point(&mut buf, 1_u16, 2)?;
/// point(&mut buf, 0.5_f64, -1.0)?;
/// assert_eq!(buf.malloc_len(), 2 + 2 + 8 + 8);
/// # Ok::<(), Error>(())
/// ```
pub trait Number: sealed::Wire {}

/// The methods are out of users' sight, or they would be called where a number's own are meant.
mod sealed {
    /// A number as bytes of either order.
    pub trait Wire: Copy {
        type Bytes: AsRef<[u8]> + AsMut<[u8]> + Default;
        fn be_bytes(self) -> Self::Bytes;
        fn le_bytes(self) -> Self::Bytes;
        fn of_be_bytes(bytes: Self::Bytes) -> Self;
        fn of_le_bytes(bytes: Self::Bytes) -> Self;
    }
}

macro_rules! numbers {
    ($($t:ty)*) => { $(
        impl sealed::Wire for $t {
            type Bytes = [u8; size_of::<$t>()];
            #[inline]
            fn be_bytes(self) -> Self::Bytes {
                self.to_be_bytes()
            }
            #[inline]
            fn le_bytes(self) -> Self::Bytes {
                self.to_le_bytes()
            }
            #[inline]
            fn of_be_bytes(bytes: Self::Bytes) -> Self {
                <$t>::from_be_bytes(bytes)
            }
            #[inline]
            fn of_le_bytes(bytes: Self::Bytes) -> Self {
                <$t>::from_le_bytes(bytes)
            }
        }

        impl Number for $t {}
    )* };
}

numbers! { u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64 }

impl<A: NodeAllocator> LinkBuffer<A> {
    /// Appends a number, big endian, pending. For many of them in a row an [`appender`](Self::appender) is faster.
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc).
    ///
    /// ```
    /// # use linkbuf_core::LinkBuffer;
    /// let mut buf = LinkBuffer::new();
    /// buf.write_be(0x0102_u16)?;
    /// buf.write_le(0x0102_u16)?;
    /// buf.flush();
    /// assert_eq!(buf.next(4)?, [1, 2, 2, 1]);
    /// # Ok::<(), linkbuf_core::Error>(())
    /// ```
    #[inline]
    pub fn write_be<T: Number>(&mut self, value: T) -> Result<(), Error> {
        self.write_binary(value.be_bytes().as_ref())
    }

    /// Appends a number, little endian, pending; as [`write_be`](Self::write_be).
    ///
    /// # Errors
    /// As [`malloc`](Self::malloc).
    #[inline]
    pub fn write_le<T: Number>(&mut self, value: T) -> Result<(), Error> {
        self.write_binary(value.le_bytes().as_ref())
    }
}
