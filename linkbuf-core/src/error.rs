//! What can be refused, and with which figures.
//!
//! Every refusal leaves the buffer exactly as it was. A call that takes a value gives it back in [`Rejected`].

use core::fmt;

use crate::allocator::AllocError;

/// Why a call was refused; the buffer is as it was before the call.
///
/// ```
/// use linkbuf_core::{Error, LinkBuffer};
/// let mut buf = LinkBuffer::new();
/// assert_eq!(buf.next(3), Err(Error::NotEnough { asked: 3, readable: 0 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Fewer bytes are readable than were asked for. Wait for more, or ask for at most `readable`.
    NotEnough {
        /// Bytes asked for.
        asked: usize,
        /// Bytes that are readable.
        readable: usize,
    },
    /// The delimiter is not among the readable bytes. Wait for more.
    NotFound {
        /// Bytes that are readable, all of them without a match.
        readable: usize,
    },
    /// More bytes were named than are pending.
    BeyondPending {
        /// Bytes named.
        asked: usize,
        /// Bytes that are pending.
        pending: usize,
    },
    /// The length, or its sum with what the buffer holds, passes `isize::MAX`.
    CapacityOverflow {
        /// Bytes asked for.
        asked: usize,
    },
    /// A range begins behind its end.
    Reversed {
        /// Where it begins.
        start: usize,
        /// Where it ends.
        end: usize,
    },
    /// The allocator, or the global heap for a header, gave no memory.
    Alloc(AllocError),
    /// The bytes are not UTF-8.
    Utf8 {
        /// Bytes up to which they are.
        valid_up_to: usize,
    },
    /// The slot's bytes were flushed or discarded, or never were in this buffer.
    SlotGone,
    /// A slot is filled whole: as many bytes as were reserved.
    SlotLength {
        /// Bytes given.
        given: usize,
        /// Bytes reserved.
        slot: usize,
    },
    /// Booked bytes are published by their `book_ack`, so nothing else may be pending: flush or discard it first.
    PendingInTheWay {
        /// Bytes that are pending.
        pending: usize,
    },
    /// More bytes were acknowledged than the last booking still offers.
    BeyondBooked {
        /// Bytes acknowledged.
        asked: usize,
        /// Bytes booked; 0 when there is no booking, or a later call ended it.
        booked: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::NotEnough { asked, readable } => {
                write!(f, "{asked} bytes asked for, {readable} readable")
            }
            Error::NotFound { readable } => {
                write!(f, "delimiter not among the {readable} readable bytes")
            }
            Error::BeyondPending { asked, pending } => {
                write!(f, "{asked} pending bytes named, there are {pending}")
            }
            Error::CapacityOverflow { asked } => {
                write!(f, "{asked} more bytes would pass the largest length")
            }
            Error::Reversed { start, end } => {
                write!(f, "range begins at {start}, behind its end {end}")
            }
            Error::Alloc(e) => e.fmt(f),
            Error::Utf8 { valid_up_to } => {
                write!(
                    f,
                    "not UTF-8 after {valid_up_to} bytes; read them as bytes instead"
                )
            }
            Error::SlotGone => {
                f.write_str("the slot's bytes were flushed, discarded or are not in this buffer")
            }
            Error::SlotLength { given, slot } => {
                write!(f, "{given} bytes given for a slot of {slot}")
            }
            Error::PendingInTheWay { pending } => {
                write!(
                    f,
                    "{pending} bytes are pending; flush or discard them before booking"
                )
            }
            Error::BeyondBooked { asked, booked } => {
                write!(f, "{asked} bytes acknowledged, {booked} booked")
            }
        }
    }
}

impl core::error::Error for Error {
    /// The [`AllocError`] of an [`Alloc`](Error::Alloc), whose message is the same.
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::Alloc(e) => Some(e),
            _ => None,
        }
    }
}

impl From<AllocError> for Error {
    fn from(e: AllocError) -> Self {
        Error::Alloc(e)
    }
}

#[cfg(feature = "std")]
impl From<Error> for std::io::Error {
    /// `NotEnough` and `NotFound` become `UnexpectedEof`, `Alloc` becomes `OutOfMemory`, `Utf8` `InvalidData`,
    /// the rest `InvalidInput`; the error itself is the source. Allocates (as `io::Error::new` does).
    fn from(e: Error) -> Self {
        use std::io::ErrorKind;
        let kind = match e {
            Error::NotEnough { .. } | Error::NotFound { .. } => ErrorKind::UnexpectedEof,
            // Without the source: there is no memory to box it.
            Error::Alloc(_) => return ErrorKind::OutOfMemory.into(),
            Error::Utf8 { .. } => ErrorKind::InvalidData,
            _ => ErrorKind::InvalidInput,
        };
        std::io::Error::new(kind, e)
    }
}

/// A refused value, given back with the reason.
///
/// `?` in a function that returns [`Error`] or `std::io::Error` drops the value and keeps the reason.
///
/// ```
/// use linkbuf_core::{Error, LinkBuffer};
/// let mut buf = LinkBuffer::new();
/// let refused = buf.write_direct(vec![1, 2, 3], 9).unwrap_err();
/// assert_eq!(refused.error, Error::BeyondPending { asked: 9, pending: 0 });
/// assert_eq!(refused.value, [1, 2, 3]);
/// ```
pub struct Rejected<T> {
    /// Why.
    pub error: Error,
    /// What was refused, untouched.
    pub value: T,
}

impl<T> From<Rejected<T>> for Error {
    fn from(r: Rejected<T>) -> Error {
        r.error
    }
}

#[cfg(feature = "std")]
impl<T> From<Rejected<T>> for std::io::Error {
    /// As of the [`Error`]; the value is dropped.
    fn from(r: Rejected<T>) -> Self {
        r.error.into()
    }
}

impl<T> fmt::Debug for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> core::error::Error for Rejected<T> {
    /// The reason, whose message is the same.
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}
