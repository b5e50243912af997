//! How much a connection may hold.

/// What a [`Connection`](crate::Connection) may hold before it reads no more.
///
/// A peer decides how fast it sends and how fast it takes its answers; these numbers decide what that may cost. They
/// are checked before a read: what is refused stays in the socket, and TCP slows the peer down.
///
/// ```
/// use linkbuf_net::{Connection, Error, Limits};
///
/// let mut conn = Connection::new(&b"a long line without an end"[..])
///     .with_limits(Limits::new().max_input(8));
/// let _ = conn.fill()?;
/// assert_eq!(conn.input().len(), 8);
/// assert!(matches!(conn.fill(), Err(Error::InputFull { held: 8, limit: 8 })));
///
/// conn.input_mut().skip(3)?;
/// assert!(conn.fill().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) input: usize,
    pub(crate) memory: usize,
    pub(crate) output: usize,
}

impl Limits {
    /// 16 MiB of unread input, 16 MiB of unsent output, no limit on memory.
    pub const fn new() -> Self {
        Limits {
            input: 16 << 20,
            memory: usize::MAX,
            output: 16 << 20,
        }
    }

    /// Most unread bytes in the input buffer. Never exceeded. At least the longest message that the protocol allows;
    /// 0 lets nothing in.
    pub const fn max_input(mut self, bytes: usize) -> Self {
        self.input = bytes;
        self
    }

    /// Most bytes of memory that the input buffer takes, with those that slices of it keep alive after they were read.
    /// Checked before a read, so it may be exceeded by one read. Without such a limit a handler that keeps slices
    /// (of requests that wait for something) keeps their memory however small `max_input` is.
    ///
    /// **Cost**: with a limit, [`LinkBuffer::memory`](linkbuf_core::LinkBuffer::memory) is asked at every fill.
    pub const fn max_memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Unsent bytes in the output buffer from which on no more is read: a peer that sends requests and takes no
    /// answers is made to wait. The output itself is not cut: one answer may be larger.
    pub const fn max_output(mut self, bytes: usize) -> Self {
        self.output = bytes;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
