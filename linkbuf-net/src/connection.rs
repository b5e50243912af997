//! A stream with its two buffers.

use std::{
    fmt,
    io::{self, Read, Write},
    net,
    num::NonZeroUsize,
};

use linkbuf_core::{Heap, LinkBuffer, NodeAllocator};

use crate::{
    Error, Limits, ReadOutcome, ReadStop, ReadTotal, Shutdown, WriteStop, WriteTotal, read_at_most,
    read_some, write_some,
};

/// A stream, the buffer of what came and the buffer of what is to go.
///
/// `S` is a socket, or anything that reads and writes; blocking or non-blocking. The same calls serve both:
///
/// - a thread per connection: [`fill`](Self::fill), handle what is complete, [`flush`](Self::flush), again;
/// - a readiness loop: [`fill_some`](Self::fill_some) and [`flush_some`](Self::flush_some) with a budget;
///   [`wants_read`](Self::wants_read) and [`wants_write`](Self::wants_write) say what to wait for.
///
/// Answer all complete messages before one flush: messages per write call matter more than anything else here.
///
/// It holds the two buffers inline and allocates nothing by itself. While idle it keeps what the buffers' tail policies
/// allow.
///
/// ```
/// # #[cfg(unix)] {
/// use linkbuf_net::{Connection, ReadOutcome, WriteStop};
/// use std::{io::{Read, Write}, net::Shutdown, os::unix::net::UnixStream};
///
/// let (socket, mut peer) = UnixStream::pair()?;
/// peer.write_all(b"hello")?;
/// peer.shutdown(Shutdown::Write)?;
///
/// let mut conn = Connection::new(socket);
/// while conn.fill()? != ReadOutcome::End {}
/// let (input, output) = conn.buffers_mut();
/// output.append_slice(input.slice(5)?).map_err(linkbuf_net::Error::from)?; // what came goes back
/// assert_eq!(conn.finish()?.stop, WriteStop::Empty);
///
/// let mut echoed = String::new();
/// peer.read_to_string(&mut echoed)?;
/// assert_eq!(echoed, "hello");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Connection<S, A: NodeAllocator = Heap> {
    stream: S,
    input: LinkBuffer<A>,
    output: LinkBuffer<A>,
    limits: Limits,
    /// The peer has ended its stream.
    ended: bool,
    /// The stream took bytes and has not yet been flushed itself (a bare socket needs none).
    unflushed: bool,
}

impl<S> Connection<S, Heap> {
    /// A connection with two plain buffers and the default [`Limits`]. Allocates nothing.
    pub const fn new(stream: S) -> Self {
        Self::with_buffers(stream, LinkBuffer::new(), LinkBuffer::new())
    }
}

impl<S, A: NodeAllocator> Connection<S, A> {
    /// A connection with two buffers of the caller's making: allocator, node size, tail policy and so on are theirs.
    /// The input buffer may hold bytes already (of a handshake, say); so may the output buffer.
    ///
    /// ```
    /// use linkbuf_core::{Builder, TailPolicy};
    /// use linkbuf_net::Connection;
    ///
    /// let builder = Builder::new().tail_policy(TailPolicy::Release);
    /// let conn = Connection::with_buffers(std::io::empty(), builder.clone().build(), builder.build());
    /// assert_eq!(conn.input().memory().live, 0);
    /// ```
    pub const fn with_buffers(stream: S, input: LinkBuffer<A>, output: LinkBuffer<A>) -> Self {
        Connection {
            stream,
            input,
            output,
            limits: Limits::new(),
            ended: false,
            unflushed: false,
        }
    }

    /// The same connection with other limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The limits.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The stream.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// The stream, to set it up. Bytes that are read or written past the buffers are missing in them.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// What came and was not read yet.
    pub fn input(&self) -> &LinkBuffer<A> {
        &self.input
    }

    /// What came, to be read. What was read is given back at the next [`fill`](Self::fill).
    pub fn input_mut(&mut self) -> &mut LinkBuffer<A> {
        &mut self.input
    }

    /// What was written and not sent yet.
    pub fn output(&self) -> &LinkBuffer<A> {
        &self.output
    }

    /// The output, to be written to. The next [`flush`](Self::flush) publishes and sends it.
    pub fn output_mut(&mut self) -> &mut LinkBuffer<A> {
        &mut self.output
    }

    /// Input and output at once, to write an answer while slices of the request are held.
    pub fn buffers_mut(&mut self) -> (&mut LinkBuffer<A>, &mut LinkBuffer<A>) {
        (&mut self.input, &mut self.output)
    }

    /// Takes the connection apart: stream, input, output.
    pub fn into_parts(self) -> (S, LinkBuffer<A>, LinkBuffer<A>) {
        (self.stream, self.input, self.output)
    }

    /// Whether the peer has ended its stream. Bytes may still be unread in the input.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether a readiness loop should wait for the stream to become readable: the peer has not ended it, and no limit
    /// is reached.
    pub fn wants_read(&self) -> bool {
        !self.ended && self.input_room().is_ok()
    }

    /// Whether a readiness loop should wait for the stream to become writable: published bytes are unsent.
    pub fn wants_write(&self) -> bool {
        self.unflushed || !self.output.is_empty()
    }

    /// How many more bytes the limits let in now.
    fn input_room(&self) -> Result<NonZeroUsize, Error> {
        let Limits {
            input,
            memory,
            output,
        } = self.limits;
        let unsent = self.output.len() + self.output.malloc_len();
        if unsent >= output {
            return Err(Error::OutputFull {
                held: unsent,
                limit: output,
            });
        }
        if memory != usize::MAX {
            let held = self.input.memory().total();
            if held >= memory {
                return Err(Error::MemoryFull {
                    held,
                    limit: memory,
                });
            }
        }
        let held = self.input.len();
        NonZeroUsize::new(input.saturating_sub(held)).ok_or(Error::InputFull { held, limit: input })
    }
}

impl<S: Read, A: NodeAllocator> Connection<S, A> {
    /// Gives back what was read of the input, then makes one read call, as [`read_from`](crate::read_from).
    ///
    /// Once the peer has ended its stream it says [`End`](ReadOutcome::End) again without asking the system.
    ///
    /// **Cost**: a release and one read call; with a limit on memory, its figures too.
    ///
    /// # Errors
    /// As [`read_from`](crate::read_from), and [`Error::InputFull`], [`Error::MemoryFull`] or [`Error::OutputFull`] if
    /// a limit is reached. Those leave the connection as it was, and it can go on.
    pub fn fill(&mut self) -> Result<ReadOutcome, Error> {
        let Some(room) = self.prepare_fill()? else {
            return Ok(ReadOutcome::End);
        };
        let outcome = read_at_most(&mut self.input, &mut self.stream, room)?;
        self.ended = outcome == ReadOutcome::End;
        Ok(outcome)
    }

    /// As [`fill`](Self::fill), but goes on until the stream is empty or `budget` bytes came, as
    /// [`read_some`](crate::read_some): for **non-blocking** streams.
    ///
    /// When the limit on input is nearer than the budget it stops there, with [`ReadStop::Budget`].
    ///
    /// **Cost**: a release, and a read call for every room filled.
    ///
    /// # Errors
    /// As [`fill`](Self::fill). Bytes that came before the error are readable.
    pub fn fill_some(&mut self, budget: usize) -> Result<ReadTotal, Error> {
        let Some(room) = self.prepare_fill()? else {
            return Ok(ReadTotal {
                bytes: 0,
                stop: ReadStop::End,
            });
        };
        let total = read_some(&mut self.input, &mut self.stream, budget.min(room.get()))?;
        self.ended = total.stop == ReadStop::End;
        Ok(total)
    }

    /// Frees what was read and says how much may come; `None` if nothing will ever come.
    fn prepare_fill(&mut self) -> Result<Option<NonZeroUsize>, Error> {
        self.input.release();
        if self.ended {
            return Ok(None);
        }
        self.input_room().map(Some)
    }
}

impl<S: Write, A: NodeAllocator> Connection<S, A> {
    /// Publishes the output's pending bytes and sends until all is sent or the stream takes no more.
    ///
    /// On a blocking stream all is sent when it returns [`WriteStop::Empty`]; [`WriteStop::WouldBlock`] means that its
    /// write timeout passed. On a non-blocking one, wait until it is writable and call again. The stream's own `flush`
    /// is called at the end, for streams that buffer.
    ///
    /// **Cost**: as [`write_some`].
    ///
    /// # Errors
    /// As [`write_some`]. What was not sent is still in the output.
    pub fn flush(&mut self) -> Result<WriteTotal, Error> {
        self.flush_some(usize::MAX)
    }

    /// As [`flush`](Self::flush), but sends no more than `budget` bytes.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub fn flush_some(&mut self, budget: usize) -> Result<WriteTotal, Error> {
        self.output.flush();
        let unsent = self.output.len();
        let result = write_some(&mut self.output, &mut self.stream, budget);
        self.unflushed |= self.output.len() < unsent;
        let mut total = result?;
        if total.stop == WriteStop::Empty && self.unflushed {
            match retry(|| self.stream.flush()) {
                Ok(()) => self.unflushed = false,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    total.stop = WriteStop::WouldBlock;
                }
                Err(e) => return Err(e.into()),
            }
        }
        Ok(total)
    }
}

impl<S: Shutdown, A: NodeAllocator> Connection<S, A> {
    /// Shuts down one direction or both, now. Unsent output stays in the buffer; [`finish`](Self::finish) sends it first.
    ///
    /// # Errors
    /// [`Error::Reset`] when the peer is gone already, [`Error::Io`] else.
    pub fn shutdown(&mut self, how: net::Shutdown) -> Result<(), Error> {
        retry(|| self.stream.shutdown(how)).map_err(|e| match e.kind() {
            // Some systems say so when the peer was faster.
            io::ErrorKind::NotConnected => Error::Reset(e),
            _ => e.into(),
        })
    }
}

impl<S: Write + Shutdown, A: NodeAllocator> Connection<S, A> {
    /// Flushes, then ends the sending direction: the peer reads all that was sent, then the end.
    ///
    /// With [`WriteStop::WouldBlock`] nothing was ended yet; call it again when the stream is writable.
    ///
    /// Dropping a TCP socket whose input was not read to its end makes the system reset the connection, and the peer
    /// may lose the answer that is under way. After a last answer to a peer that is still sending, finish, then read
    /// on for a bounded while, as the example `lines` does.
    ///
    /// # Errors
    /// As [`flush`](Self::flush) and [`shutdown`](Self::shutdown).
    pub fn finish(&mut self) -> Result<WriteTotal, Error> {
        let total = self.flush()?;
        if total.stop == WriteStop::Empty {
            self.shutdown(net::Shutdown::Write)?;
        }
        Ok(total)
    }
}

impl<S: fmt::Debug, A: NodeAllocator> fmt::Debug for Connection<S, A> {
    /// The stream and the lengths; not the bytes, which may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("stream", &self.stream)
            .field("unread", &self.input.len())
            .field("unsent", &self.output.len())
            .field("ended", &self.ended)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Calls again while a signal interrupts.
fn retry(mut call: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    loop {
        match call() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
