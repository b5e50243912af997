//! The way out: vectored writes of what is readable.

use std::io::{self, IoSlice, Write};

use linkbuf_core::{LinkBuffer, NodeAllocator};

use crate::Error;

/// Most pieces that one write call is offered. The array of them lives on the stack for the time of the call (1 KiB).
pub const MAX_PIECES: usize = 64;

/// Most bytes that one write call is offered: some systems refuse a vectored write of 2 GiB or more as a whole.
const MAX_OFFER: usize = 1 << 30;

/// What one write call did.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// use linkbuf_net::{WriteOutcome, write_to};
///
/// let mut buf = LinkBuffer::new();
/// buf.write_binary(b"hello")?;
/// buf.flush();
/// let mut sink = Vec::new();
/// assert_eq!(write_to(&mut buf, &mut sink)?, WriteOutcome::Data { bytes: 5, short: false });
/// assert_eq!(write_to(&mut buf, &mut sink)?, WriteOutcome::Empty);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The sink took bytes; they are gone from the buffer.
    Data {
        /// how many, at least 1
        bytes: usize,
        /// It was offered more. A non-blocking socket is full then, and another call would most likely find nothing
        /// but `EAGAIN`.
        short: bool,
    },
    /// The sink takes nothing now (`EAGAIN`; for a blocking socket: its write timeout passed).
    WouldBlock,
    /// The buffer has nothing to write; the sink was not called.
    Empty,
}

/// What [`write_some`] did.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// use linkbuf_net::{WriteStop, WriteTotal, write_some};
///
/// let mut buf = LinkBuffer::new();
/// buf.write_binary(b"hello world")?;
/// buf.flush();
/// let mut sink = Vec::new();
/// assert_eq!(write_some(&mut buf, &mut sink, 5)?, WriteTotal { bytes: 5, stop: WriteStop::Budget });
/// assert_eq!(sink, b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteTotal {
    /// bytes that the sink took
    pub bytes: usize,
    /// why it went no further
    pub stop: WriteStop,
}

/// Why [`write_some`] went no further.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// use linkbuf_net::{WriteStop, write_some};
///
/// let mut buf = LinkBuffer::new();
/// match write_some(&mut buf, &mut std::io::sink(), 65_536)?.stop {
///     WriteStop::Empty => {}      // all sent
///     WriteStop::WouldBlock => {} // wait until the socket is writable
///     WriteStop::Budget => {}     // come back to it after the others
/// }
/// # Ok::<(), linkbuf_net::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteStop {
    /// The sink has taken every readable byte of the buffer.
    Empty,
    /// The sink takes nothing more now (`EAGAIN`).
    WouldBlock,
    /// The budget is used up; the sink may take more.
    Budget,
}

/// Makes one write call with the buffer's readable bytes, then consumes and releases exactly what the sink took.
///
/// The bytes of one node go out by `write`, those of several by one `write_vectored` of at most [`MAX_PIECES`] pieces.
/// Pending bytes (not yet flushed) stay where they are. It works on blocking and non-blocking sinks. A call that is
/// interrupted by a signal (`EINTR`) is made again, without a bound, as [`Write::write_all`] does.
///
/// **Cost**: one call of the sink. No copy, no allocation.
///
/// # Errors
/// [`Error::Reset`], [`Error::Io`]: from the sink. [`Error::WriteZero`]: the sink took nothing and named no error.
/// [`Error::Overrun`]: the sink claims more than it was offered. After any of them the buffer is as before.
///
/// ```
/// # use linkbuf_core::LinkBuffer;
/// # use linkbuf_net::{WriteOutcome, write_to};
/// let mut buf = LinkBuffer::new();
/// buf.write_binary(b"header")?;
/// buf.write_owned(vec![7; 100_000])?; // attached, not copied
/// buf.flush();
///
/// let mut sink = Vec::new();
/// assert_eq!(write_to(&mut buf, &mut sink)?, WriteOutcome::Data { bytes: 100_006, short: false });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_to<A, W>(buf: &mut LinkBuffer<A>, sink: &mut W) -> Result<WriteOutcome, Error>
where
    A: NodeAllocator,
    W: Write + ?Sized,
{
    write_at_most(buf, sink, MAX_OFFER)
}

/// Writes until the buffer is empty, the sink takes nothing more, or it took `budget` bytes.
///
/// The budget keeps one peer that reads fast from starving the others; it is never exceeded. `usize::MAX` means no
/// budget: on a blocking sink the call then returns when all is sent. A short write is followed by another call until
/// the sink says `EAGAIN`, so that edge-triggered readiness is safe with any kind of sink.
///
/// **Cost**: one call of the sink for at most [`MAX_PIECES`] pieces, as [`write_to`].
///
/// # Errors
/// As [`write_to`]. Bytes that the sink took before the error are gone from the buffer.
///
/// ```
/// # use linkbuf_core::LinkBuffer;
/// # use linkbuf_net::{WriteStop, write_some};
/// # #[cfg(unix)] {
/// use std::{io::Read, os::unix::net::UnixStream};
///
/// let (mut socket, mut peer) = UnixStream::pair()?;
/// let mut buf = LinkBuffer::new();
/// buf.write_binary(b"hello")?;
/// buf.flush();
/// assert_eq!(write_some(&mut buf, &mut socket, usize::MAX)?.stop, WriteStop::Empty);
///
/// let mut got = [0; 5];
/// peer.read_exact(&mut got)?;
/// assert_eq!(&got, b"hello");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write_some<A, W>(
    buf: &mut LinkBuffer<A>,
    sink: &mut W,
    budget: usize,
) -> Result<WriteTotal, Error>
where
    A: NodeAllocator,
    W: Write + ?Sized,
{
    let mut bytes = 0;
    let stop = loop {
        if buf.is_empty() {
            break WriteStop::Empty;
        }
        if bytes == budget {
            break WriteStop::Budget;
        }
        match write_at_most(buf, sink, MAX_OFFER.min(budget - bytes))? {
            WriteOutcome::Data { bytes: n, .. } => bytes += n,
            WriteOutcome::WouldBlock => break WriteStop::WouldBlock,
            WriteOutcome::Empty => break WriteStop::Empty,
        }
    };
    Ok(WriteTotal { bytes, stop })
}

/// One write call of at most `max` bytes; `max` is not 0.
fn write_at_most<A, W>(
    buf: &mut LinkBuffer<A>,
    sink: &mut W,
    max: usize,
) -> Result<WriteOutcome, Error>
where
    A: NodeAllocator,
    W: Write + ?Sized,
{
    let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
    let filled = buf.io_slices(&mut pieces);
    if filled == 0 {
        return Ok(WriteOutcome::Empty);
    }
    // The whole pieces that fit into `max`; of a first one that doesn't, as much as does.
    let mut offered = 0;
    let mut whole = 0;
    while whole < filled && pieces[whole].len() <= max - offered {
        offered += pieces[whole].len();
        whole += 1;
    }
    let first = &pieces[0][..pieces[0].len().min(max)];
    offered = offered.max(first.len());

    // Small pieces are not merged first: for 2 to 8 of 64 to 1024 bytes a copy saved less than a tenth of the call.
    let result = loop {
        let result = if whole > 1 {
            sink.write_vectored(&pieces[..whole])
        } else {
            sink.write(first)
        };
        match result {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            result => break result,
        }
    };

    match result {
        Ok(0) => Err(Error::WriteZero { offered }),
        Ok(bytes) if bytes <= offered => {
            buf.skip(bytes)?;
            buf.release();
            let short = bytes < offered;
            Ok(WriteOutcome::Data { bytes, short })
        }
        Ok(claimed) => Err(Error::Overrun { claimed, offered }),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(WriteOutcome::WouldBlock),
        Err(e) => Err(e.into()),
    }
}
