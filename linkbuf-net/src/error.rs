//! What can go wrong between a socket and a buffer.

use std::{fmt, io};

use linkbuf_core::Rejected;

/// Why a read or a write ended, other than by the ordinary outcomes.
///
/// Bytes that were moved before the error stay moved: what was read is in the input buffer, what was written is gone
/// from the output buffer.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// use linkbuf_net::{Error, write_to};
/// use std::io::{self, Write};
///
/// /// A peer that has gone away.
/// struct Gone;
/// impl Write for Gone {
///     fn write(&mut self, _: &[u8]) -> io::Result<usize> {
///         Err(io::ErrorKind::BrokenPipe.into())
///     }
///     fn flush(&mut self) -> io::Result<()> {
///         Ok(())
///     }
/// }
///
/// let mut buf = LinkBuffer::new();
/// buf.write_binary(b"hello")?;
/// buf.flush();
/// let error = write_to(&mut buf, &mut Gone).unwrap_err();
/// assert!(matches!(error, Error::Reset(_)));
/// assert_eq!(buf.len(), 5);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The peer is gone: connection reset, connection aborted or broken pipe. Everyday life of a server, so it is
    /// apart from [`Error::Io`]; the inner error says which of the three it was.
    Reset(io::Error),
    /// Any other error of the source or the sink, as it came.
    Io(io::Error),
    /// The sink took nothing although it was offered something, and named no error.
    WriteZero {
        /// bytes that were offered
        offered: usize,
    },
    /// The source or the sink broke its contract: it claims to have moved more bytes than it was offered. Nothing was
    /// published or consumed; what the other side has seen is unknown, so the connection is best closed.
    Overrun {
        /// bytes it claims
        claimed: usize,
        /// bytes it was offered
        offered: usize,
    },
    /// As many unread bytes are held as [`Limits::max_input`](crate::Limits::max_input) allows. Nothing was read; consume some and go on.
    InputFull {
        /// unread bytes
        held: usize,
        /// the limit
        limit: usize,
    },
    /// The input buffer, with what slices of it still hold, takes as much memory as
    /// [`Limits::max_memory`](crate::Limits::max_memory) allows. Nothing was read; consume some, or drop some slices, and go on.
    MemoryFull {
        /// bytes of memory
        held: usize,
        /// the limit
        limit: usize,
    },
    /// As many unsent bytes are held as [`Limits::max_output`](crate::Limits::max_output) allows, so no more requests are read.
    /// Nothing was read; send some and go on.
    OutputFull {
        /// unsent bytes
        held: usize,
        /// the limit
        limit: usize,
    },
    /// The buffer refused: its allocator failed, or pending bytes are in the way of a read.
    Buffer(linkbuf_core::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Reset(e) => write!(f, "the peer is gone: {e}"),
            Error::Io(e) => write!(f, "input/output error: {e}"),
            Error::WriteZero { offered } => {
                write!(f, "the sink took none of {offered} bytes")
            }
            Error::Overrun { claimed, offered } => {
                write!(f, "{claimed} bytes claimed of {offered} offered")
            }
            Error::InputFull { held, limit } => {
                write!(f, "{held} unread bytes held, the limit is {limit}")
            }
            Error::MemoryFull { held, limit } => {
                write!(
                    f,
                    "{held} bytes of memory held for input, the limit is {limit}"
                )
            }
            Error::OutputFull { held, limit } => {
                write!(f, "{held} unsent bytes held, the limit is {limit}")
            }
            Error::Buffer(e) => write!(f, "buffer: {e}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Reset(e) | Error::Io(e) => Some(e),
            Error::Buffer(e) => Some(e),
            _ => None,
        }
    }
}

/// Sorts an error of a source or a sink: [`Error::Reset`] when the peer is gone, [`Error::Io`] else.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Error::Reset(error),
            _ => Error::Io(error),
        }
    }
}

impl From<linkbuf_core::Error> for Error {
    fn from(error: linkbuf_core::Error) -> Self {
        Error::Buffer(error)
    }
}

/// Drops the refused value and keeps the reason.
impl<T> From<Rejected<T>> for Error {
    fn from(rejected: Rejected<T>) -> Self {
        Error::Buffer(rejected.error)
    }
}

/// Gives [`Error::Reset`] and [`Error::Io`] back as they came; the others get the nearest kind and keep themselves as
/// the inner error.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Reset(e) | Error::Io(e) => return e,
            Error::Buffer(e) => return e.into(),
            Error::WriteZero { .. } => io::ErrorKind::WriteZero,
            Error::Overrun { .. } => io::ErrorKind::InvalidData,
            Error::InputFull { .. } | Error::MemoryFull { .. } | Error::OutputFull { .. } => {
                io::ErrorKind::QuotaExceeded
            }
        };
        io::Error::new(kind, error)
    }
}
