//! A stream that does less than it is asked, and fails when it is told to.

use std::{
    io::{self, IoSlice, Read, Write},
    net,
};

use linkbuf_net::Shutdown;

/// What becomes of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// It moves at most so many bytes.
    Cut(usize),
    /// It fails before anything is moved.
    Fail(io::ErrorKind),
    /// It moves nothing and claims so many bytes more than it was offered.
    Lie(usize),
}

/// The whole call.
pub(crate) const ALL: Step = Step::Cut(usize::MAX);
pub(crate) const INTERRUPT: Step = Step::Fail(io::ErrorKind::Interrupted);
pub(crate) const BLOCK: Step = Step::Fail(io::ErrorKind::WouldBlock);

/// Chooses what becomes of the n-th call (from 0).
type Plan = Box<dyn FnMut(usize) -> Step + Send>;

/// Wraps `S`; every read and write first asks its plan. Keeps a record of the calls.
pub(crate) struct Choppy<S> {
    pub(crate) inner: S,
    reads: Plan,
    writes: Plan,
    /// For every read call: where its room starts, and how long it is.
    pub(crate) rooms: Vec<(usize, usize)>,
    /// For every write call: the lengths of the pieces that it was offered.
    pub(crate) offers: Vec<Vec<usize>>,
}

impl<S> Choppy<S> {
    pub(crate) fn new(inner: S) -> Self {
        Choppy {
            inner,
            reads: Box::new(|_| ALL),
            writes: Box::new(|_| ALL),
            rooms: Vec::new(),
            offers: Vec::new(),
        }
    }

    pub(crate) fn reads(mut self, plan: impl FnMut(usize) -> Step + Send + 'static) -> Self {
        self.reads = Box::new(plan);
        self
    }

    pub(crate) fn writes(mut self, plan: impl FnMut(usize) -> Step + Send + 'static) -> Self {
        self.writes = Box::new(plan);
        self
    }

    /// Lengths of the rooms that reads were offered.
    pub(crate) fn room_lengths(&self) -> Vec<usize> {
        self.rooms.iter().map(|room| room.1).collect()
    }
}

/// These steps first, then whole calls.
pub(crate) fn first<const N: usize>(steps: [Step; N]) -> impl FnMut(usize) -> Step {
    move |call| steps.get(call).copied().unwrap_or(ALL)
}

impl<S: Read> Read for Choppy<S> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let call = self.rooms.len();
        self.rooms.push((room.as_ptr().addr(), room.len()));
        match (self.reads)(call) {
            Step::Cut(n) => {
                let n = n.min(room.len());
                self.inner.read(&mut room[..n])
            }
            Step::Fail(kind) => Err(kind.into()),
            Step::Lie(more) => Ok(room.len() + more),
        }
    }
}

impl<S: Write> Write for Choppy<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let call = self.offers.len();
        let lengths: Vec<usize> = pieces.iter().map(|p| p.len()).collect();
        let offered: usize = lengths.iter().sum();
        self.offers.push(lengths);
        match (self.writes)(call) {
            Step::Cut(mut left) => {
                let mut cut = Vec::new();
                for piece in pieces {
                    let n = piece.len().min(left);
                    cut.push(IoSlice::new(&piece[..n]));
                    left -= n;
                }
                self.inner.write_vectored(&cut)
            }
            Step::Fail(kind) => Err(kind.into()),
            Step::Lie(more) => Ok(offered + more),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<S: Shutdown> Shutdown for Choppy<S> {
    fn shutdown(&self, how: net::Shutdown) -> io::Result<()> {
        self.inner.shutdown(how)
    }
}
