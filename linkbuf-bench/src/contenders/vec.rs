//! `Vec<u8>`: one block, by hand. Where it is a queue, it is memory that was cleared once, with a cursor where to read
//! on and one where to write on; what is there is moved to the front when the end is reached.

use std::io::IoSlice;

use crate::scenarios::{Bulk, CHUNK, Frame, FrameQueue, Lines, PASS, ReserveQueue, SmallQueue};

/// Bytes of a queue's memory at first.
const START: usize = 64 * 1024;

/// Memory of which `start..end` was written and not consumed.
pub(crate) struct Queue {
    memory: Vec<u8>,
    start: usize,
    end: usize,
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self {
            memory: vec![0; START],
            start: 0,
            end: 0,
        }
    }

    /// What was written and not consumed.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    #[inline]
    pub(crate) fn consume(&mut self, n: usize) {
        self.start += n;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Makes room for `n` bytes more.
    #[inline]
    pub(crate) fn reserve(&mut self, n: usize) {
        if self.memory.len() - self.end < n {
            self.grow(n);
        }
    }

    #[cold]
    fn grow(&mut self, n: usize) {
        self.memory.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.len());
        let len = self.end + n;
        if self.memory.len() < len {
            self.memory.resize(len.max(2 * self.memory.len()), 0);
        }
    }

    /// All the room there is.
    #[inline]
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.memory[self.end..]
    }

    /// The first `n` bytes of the room were written to.
    #[inline]
    pub(crate) fn fill(&mut self, n: usize) {
        self.end += n;
    }

    /// Appends a copy of `bytes`.
    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.room()[..bytes.len()].copy_from_slice(bytes);
        self.fill(bytes.len());
    }
}

impl SmallQueue for Queue {
    #[inline]
    fn pass(&mut self, bytes: &[u8; 64], seen: impl FnOnce(&[u8])) {
        self.append(bytes);
        seen(&self.bytes()[..64]);
        self.consume(64);
    }
}

impl ReserveQueue for Queue {
    #[inline]
    fn reserve_pass(&mut self, bytes: &[u8; 70], seen: impl FnOnce(&[u8])) {
        self.reserve(128);
        self.room()[..70].copy_from_slice(bytes);
        self.fill(70);
        seen(&self.bytes()[..70]);
        self.consume(70);
    }
}

impl Lines for Queue {
    fn fill(&mut self, text: &[u8]) {
        self.consume(self.len());
        self.append(text);
    }

    #[inline]
    fn scan(&mut self, mut seen: impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', self.bytes()) {
            seen(&self.bytes()[..=end]);
            self.consume(end + 1);
        }
    }
}

impl Bulk for Queue {
    #[inline]
    fn pass<'a>(
        &mut self,
        chunk: impl Fn(usize) -> &'a [u8; CHUNK],
        out: &mut [u8; CHUNK],
        mut seen: impl FnMut(&[u8; CHUNK]),
    ) {
        for n in 0..PASS {
            self.append(chunk(n));
        }
        for _ in 0..PASS {
            out.copy_from_slice(&self.bytes()[..CHUNK]);
            self.consume(CHUNK);
            seen(out);
        }
    }
}

/// One vector that a frame is copied into.
pub(crate) struct Flat(Vec<u8>);

impl Flat {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }
}

impl FrameQueue for Flat {
    #[inline]
    fn send(&mut self, frame: &Frame, mut seen: impl FnMut(&[IoSlice<'_>])) {
        self.0.reserve(Frame::HEAD + frame.payload.len());
        self.0.extend_from_slice(&[0; 4]);
        for field in &frame.fields {
            self.0.extend_from_slice(field);
        }
        self.0.extend_from_slice(&frame.payload);
        let header = Frame::header(self.0.len());
        self.0[..4].copy_from_slice(&header.to_be_bytes());
        seen(&[IoSlice::new(&self.0)]);
        self.0.clear();
    }
}
