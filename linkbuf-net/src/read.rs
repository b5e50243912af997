//! The way in: read calls into booked space.

use std::{
    io::{self, Read},
    num::NonZeroUsize,
};

use linkbuf_core::{LinkBuffer, NodeAllocator};

use crate::Error;

/// Most room that is ever asked for; the buffer's adaptive size decides below it.
const ANY_ROOM: NonZeroUsize = NonZeroUsize::new(isize::MAX as usize).unwrap();

/// What one read call did.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// use linkbuf_net::{ReadOutcome, read_from};
///
/// let mut source = &b"hello"[..];
/// let mut buf = LinkBuffer::new();
/// assert_eq!(read_from(&mut buf, &mut source)?, ReadOutcome::Data { bytes: 5, short: true });
/// assert_eq!(read_from(&mut buf, &mut source)?, ReadOutcome::End);
/// assert_eq!(buf.next(5)?, b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// Bytes came and are readable.
    Data {
        /// how many, at least 1
        bytes: usize,
        /// There was room for more. From a socket this means that it has been emptied, and that another call would
        /// most likely find nothing but `EAGAIN`.
        short: bool,
    },
    /// Nothing is there now (`EAGAIN`; for a blocking socket: its read timeout passed).
    WouldBlock,
    /// The peer has ended the stream. Everything it sent has been read.
    End,
}

/// What [`read_some`] did.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// use linkbuf_net::{ReadStop, ReadTotal, read_some};
///
/// let mut buf = LinkBuffer::new();
/// let total = read_some(&mut buf, &mut &b"hello world"[..], 5)?;
/// assert_eq!(total, ReadTotal { bytes: 5, stop: ReadStop::Budget });
/// # Ok::<(), linkbuf_net::Error>(())
/// ```
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadTotal {
    /// bytes that came and are readable
    pub bytes: usize,
    /// why it went no further
    pub stop: ReadStop,
}

/// Why [`read_some`] went no further.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// use linkbuf_net::{ReadStop, read_some};
///
/// let mut buf = LinkBuffer::new();
/// match read_some(&mut buf, &mut std::io::empty(), 65_536)?.stop {
///     ReadStop::End => {}                          // answer what is there, then close
///     ReadStop::Short | ReadStop::WouldBlock => {} // wait until the socket is readable
///     ReadStop::Budget => {}                       // come back to it after the others
/// }
/// # Ok::<(), linkbuf_net::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadStop {
    /// The last call brought less than there was room for: a socket is empty then.
    Short,
    /// Nothing more is there now (`EAGAIN`).
    WouldBlock,
    /// The budget is used up; more may be there.
    Budget,
    /// The peer has ended the stream.
    End,
}

/// Makes one read call into the buffer's booked space and publishes exactly what it brought.
///
/// The buffer's adaptive size decides how much room the call is offered (it grows while reads fill it and shrinks
/// again when they don't). It works on blocking and non-blocking sources.
///
/// A call that is interrupted by a signal (`EINTR`) is made again with the same room, without a bound, as
/// [`Read::read_exact`] does. A program that must notice a signal in a blocking read sets a read timeout.
///
/// **Cost**: one call of `source.read`. No copy; an allocation only when the tail's rest is not worth a
/// read and no spare node is there. While a *blocking* call waits, the room stays booked; after
/// [`WouldBlock`](ReadOutcome::WouldBlock), [`End`](ReadOutcome::End) or an error, an empty buffer keeps no more than
/// its tail policy allows.
///
/// # Errors
/// [`Error::Reset`], [`Error::Io`]: from the source. [`Error::Overrun`]: the source claims more than it was offered.
/// [`Error::Buffer`]: nothing could be booked (allocator failure, or pending bytes that were not flushed); the
/// source was not called. After any of them the buffer's bytes are as before.
///
/// ```
/// # use linkbuf_core::LinkBuffer;
/// # use linkbuf_net::{ReadOutcome, read_from};
/// let mut source = &b"a line\nthe next"[..];
/// let mut buf = LinkBuffer::new();
/// while read_from(&mut buf, &mut source)? != ReadOutcome::End {}
/// assert_eq!(buf.until(b'\n')?, b"a line\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_from<A, R>(buf: &mut LinkBuffer<A>, source: &mut R) -> Result<ReadOutcome, Error>
where
    A: NodeAllocator,
    R: Read + ?Sized,
{
    read_at_most(buf, source, ANY_ROOM)
}

/// As [`read_from`], but takes no more than `max` bytes from the source.
///
/// For whoever must leave the rest in the socket: a limit on what is held, a hand-over of the socket in mid-stream.
///
/// # Errors
/// As [`read_from`].
///
/// ```
/// # use linkbuf_core::LinkBuffer;
/// # use linkbuf_net::{ReadOutcome, read_at_most};
/// # use std::num::NonZeroUsize;
/// let mut source = &b"headbody"[..];
/// let mut buf = LinkBuffer::new();
/// let four = NonZeroUsize::new(4).unwrap();
/// assert_eq!(read_at_most(&mut buf, &mut source, four)?, ReadOutcome::Data { bytes: 4, short: false });
/// assert_eq!(source, b"body");
/// # Ok::<(), linkbuf_net::Error>(())
/// ```
pub fn read_at_most<A, R>(
    buf: &mut LinkBuffer<A>,
    source: &mut R,
    max: NonZeroUsize,
) -> Result<ReadOutcome, Error>
where
    A: NodeAllocator,
    R: Read + ?Sized,
{
    let max = max.get();
    // The buffer leaves a tail behind whose rest is not worth a system call; nothing to add to that here.
    let room = buf.book(1, max)?;
    let offered = room.len();
    let result = loop {
        match source.read(room) {
            // The same room again: an interruption must leave no gap in the stream.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            result => break result,
        }
    };

    let outcome = match result {
        Ok(0) => Ok(ReadOutcome::End),
        Ok(bytes) if bytes <= offered => {
            buf.book_ack(bytes)?;
            let short = bytes < offered;
            return Ok(ReadOutcome::Data { bytes, short });
        }
        Ok(claimed) => Err(Error::Overrun { claimed, offered }),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(ReadOutcome::WouldBlock),
        Err(e) => Err(e.into()),
    };

    // Nothing came, and nothing may come for hours: the room goes back, as far as the tail policy says.
    buf.book_ack(0)?;
    if buf.is_empty() {
        buf.release();
    }
    outcome
}

/// Reads from a **non-blocking** source until it is empty or `budget` bytes came.
///
/// The budget keeps one fast peer from starving the others: after [`ReadStop::Budget`], serve the others and come back.
/// It is never exceeded.
///
/// A call that brought less than it had room for is taken as the sign that the socket is empty; the call that would
/// only find `EAGAIN` is saved. With edge-triggered readiness two things follow: the end of the stream doesn't come as
/// another edge after a [`ReadStop::Short`], so ask for it too (`EPOLLRDHUP`) and read on when it came; and where the
/// source is no bare socket but, say, a TLS layer, read on until [`ReadStop::WouldBlock`].
///
/// On a blocking source it waits for a peer that has sent exactly what there was room for: use [`read_from`] there.
///
/// **Cost**: one call of `source.read` for every room filled, as in [`read_from`].
///
/// # Errors
/// As [`read_from`]. Bytes that came before the error are readable.
///
/// ```
/// # use linkbuf_core::LinkBuffer;
/// # use linkbuf_net::{ReadStop, ReadTotal, read_some};
/// # #[cfg(unix)] {
/// use std::{io::Write, os::unix::net::UnixStream};
///
/// let (mut peer, mut socket) = UnixStream::pair()?;
/// socket.set_nonblocking(true)?;
/// peer.write_all(b"hello")?;
///
/// let mut buf = LinkBuffer::new();
/// let total = read_some(&mut buf, &mut socket, 65_536)?;
/// assert_eq!(total, ReadTotal { bytes: 5, stop: ReadStop::Short });
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_some<A, R>(
    buf: &mut LinkBuffer<A>,
    source: &mut R,
    budget: usize,
) -> Result<ReadTotal, Error>
where
    A: NodeAllocator,
    R: Read + ?Sized,
{
    let mut bytes = 0;
    let stop = loop {
        let Some(left) = NonZeroUsize::new(budget - bytes) else {
            break ReadStop::Budget;
        };
        match read_at_most(buf, source, left)? {
            ReadOutcome::Data { bytes: n, short } => {
                bytes += n;
                if short {
                    break ReadStop::Short;
                }
            }
            ReadOutcome::WouldBlock => break ReadStop::WouldBlock,
            ReadOutcome::End => break ReadStop::End,
        }
    };
    Ok(ReadTotal { bytes, stop })
}
