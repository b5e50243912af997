//! What stands for a socket in the scenarios of real shapes.
//!
//! A read call is a copy out of a chunk that has arrived, which the contender makes into its own room: as much as the
//! room takes. A write call is a copy into memory that belongs to nobody here, as much as that has room for. So each
//! byte is moved as often as with a kernel behind it, and no system call blurs what the buffers cost.

use std::hint::black_box;
use std::io::{self, IoSlice, Write};
use std::mem;
use std::time::{Duration, Instant};

use super::pattern::{Numbers, cut, expect_same};
use crate::scenario::Case;

/// The sending side of a socket: takes bytes until it is full.
pub(crate) struct Outbound {
    memory: Box<[u8]>,
    len: usize,
    limit: usize,
}

impl Outbound {
    /// With room for `capacity` bytes.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            memory: vec![0; capacity].into(),
            len: 0,
            limit: capacity,
        }
    }

    /// Forgets what was sent, and takes `limit` bytes from now on; all that there is room for, if that is less.
    pub(super) fn open(&mut self, limit: usize) {
        self.len = 0;
        self.limit = limit.min(self.memory.len());
    }

    /// What was sent since.
    pub(super) fn sent(&self) -> &[u8] {
        &self.memory[..self.len]
    }

    /// A write call: takes as much of `piece` as there is room for, 0 bytes if it would block.
    #[inline]
    pub(crate) fn send(&mut self, piece: &[u8]) -> usize {
        let room = &mut self.memory[self.len..self.limit];
        let n = room.len().min(piece.len());
        room[..n].copy_from_slice(&piece[..n]);
        self.len += n;
        n
    }

    /// A vectored write call.
    #[inline]
    pub(crate) fn send_vectored(&mut self, pieces: &[IoSlice<'_>]) -> usize {
        let before = self.len;
        for piece in pieces {
            if self.send(piece) < piece.len() {
                break;
            }
        }
        self.len - before
    }
}

/// For those who take nothing else.
impl Write for Outbound {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.send(bytes))
    }

    #[inline]
    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(self.send_vectored(pieces))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What happens on a connection at once: a chunk arrives, and so much can be sent then.
pub(super) struct Event {
    pub(super) arrived: Vec<u8>,
    pub(super) takes: usize,
}

impl Event {
    /// `arrived` arrives, and whatever comes of it can be sent.
    pub(super) fn of(arrived: &[u8]) -> Self {
        Self {
            arrived: arrived.to_vec(),
            takes: usize::MAX,
        }
    }
}

/// A connection that reads what arrives and sends what comes of it, event by event. `handle` is the contender's own
/// part: it reads all of what arrived, and sends as much as is taken.
pub(super) struct Run<C, F> {
    connection: C,
    handle: F,
    events: Vec<Event>,
    out: Outbound,
    /// What has to be sent in an operation, all told.
    want: Vec<u8>,
}

impl<C, F: Fn(&mut C, &[u8], &mut Outbound)> Run<C, F> {
    pub(super) fn new(connection: C, handle: F, events: Vec<Event>, want: Vec<u8>) -> Self {
        Self {
            connection,
            handle,
            events,
            out: Outbound::new(256 * 1024),
            want,
        }
    }

    /// Everything that is sent when `events` happen.
    fn sent<'e>(&mut self, events: impl Iterator<Item = (&'e [u8], usize)>) -> Vec<u8> {
        let mut sent = Vec::new();
        for (arrived, takes) in events {
            self.out.open(takes);
            (self.handle)(&mut self.connection, arrived, &mut self.out);
            sent.extend_from_slice(self.out.sent());
        }
        sent
    }
}

impl<C, F: Fn(&mut C, &[u8], &mut Outbound)> Case for Run<C, F> {
    fn run(&mut self, ops: u64) -> Duration {
        let connection = black_box(&mut self.connection);
        let out = black_box(&mut self.out);
        let start = Instant::now();
        for _ in 0..ops {
            for event in &self.events {
                out.open(event.takes);
                (self.handle)(connection, black_box(&event.arrived), out);
                black_box(&*out);
            }
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        let events = mem::take(&mut self.events);
        let mut all = Vec::new();
        for event in &events {
            all.extend_from_slice(&event.arrived);
        }
        // As it is timed, twice: the second time meets buffers that were used. Then cut elsewhere.
        for _ in 0..2 {
            let sent = self.sent(events.iter().map(|e| (&e.arrived[..], e.takes)));
            expect_same(&sent, &self.want)?;
        }
        for longest in [all.len() / 1_000, 20_000] {
            let chunks = cut(&all, &mut Numbers::new(1), 1..=longest.max(2));
            let sent = self.sent(chunks.into_iter().map(|chunk| (chunk, usize::MAX)));
            expect_same(&sent, &self.want).map_err(|e| format!("up to {longest}: {e}"))?;
        }
        self.events = events;
        Ok(())
    }
}
