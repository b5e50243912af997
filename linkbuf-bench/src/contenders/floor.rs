//! The floors: what the bytes themselves cost when nobody keeps books. Memory is fixed and known to be enough.

use std::hint::black_box;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::scenario::Case;
use crate::scenarios::{Bulk, CHUNK, Frame, FrameQueue, Lines, PASS, ReserveQueue, SmallQueue};

/// Copies to the same place every time.
pub(crate) struct Memcpy([u8; 128]);

impl Memcpy {
    pub(crate) fn new() -> Self {
        Self([0; 128])
    }
}

impl SmallQueue for Memcpy {
    #[inline]
    fn pass(&mut self, bytes: &[u8; 64], seen: impl FnOnce(&[u8])) {
        self.0[..64].copy_from_slice(bytes);
        seen(&self.0[..64]);
    }
}

impl ReserveQueue for Memcpy {
    #[inline]
    fn reserve_pass(&mut self, bytes: &[u8; 70], seen: impl FnOnce(&[u8])) {
        self.0[..70].copy_from_slice(bytes);
        seen(&self.0[..70]);
    }
}

/// The fields stored one by one to a fixed place, and a reference to the payload counted up and down.
pub(crate) struct StoresAndPair([u8; Frame::HEAD]);

impl StoresAndPair {
    pub(crate) fn new() -> Self {
        Self([0; Frame::HEAD])
    }
}

impl FrameQueue for StoresAndPair {
    #[inline]
    fn send(&mut self, frame: &Frame, mut seen: impl FnMut(&[IoSlice<'_>])) {
        let (length, fields) = self.0.split_at_mut(4);
        for (to, from) in fields.chunks_exact_mut(12).zip(&frame.fields) {
            to.copy_from_slice(from);
        }
        let payload = frame.payload.clone();
        length.copy_from_slice(&Frame::header(Frame::HEAD + payload.len()).to_be_bytes());
        seen(&[IoSlice::new(&self.0), IoSlice::new(&payload)]);
    }
}

/// One copy of a frame that stands ready.
pub(crate) struct FrameMemcpy(Vec<u8>);

impl FrameMemcpy {
    pub(crate) fn new() -> Self {
        Self(vec![0; Frame::LEN])
    }
}

impl FrameQueue for FrameMemcpy {
    #[inline]
    fn send(&mut self, frame: &Frame, mut seen: impl FnMut(&[IoSlice<'_>])) {
        self.0.copy_from_slice(&frame.flat);
        seen(&[IoSlice::new(&self.0)]);
    }
}

/// A reference counted up and down.
pub(crate) struct AtomicPair(Arc<u64>);

impl AtomicPair {
    pub(crate) fn new() -> Self {
        Self(Arc::new(0))
    }
}

impl Case for AtomicPair {
    fn run(&mut self, ops: u64) -> Duration {
        let count = black_box(&self.0);
        let start = Instant::now();
        for _ in 0..ops {
            drop(black_box(Arc::clone(count)));
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        self.run(10);
        match Arc::strong_count(&self.0) {
            1 => Ok(()),
            n => Err(format!("{n} references are left")),
        }
    }
}

/// The text in one piece, and a position in it.
pub(crate) struct FlatMemchr {
    text: Vec<u8>,
    at: usize,
}

impl FlatMemchr {
    pub(crate) fn new() -> Self {
        Self {
            text: Vec::new(),
            at: 0,
        }
    }
}

impl Lines for FlatMemchr {
    fn fill(&mut self, text: &[u8]) {
        self.text.clear();
        self.text.extend_from_slice(text);
        self.at = 0;
    }

    #[inline]
    fn scan(&mut self, mut seen: impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', &self.text[self.at..]) {
            let next = self.at + end + 1;
            seen(&self.text[self.at..next]);
            self.at = next;
        }
    }
}

/// One vector, copied into and out of.
pub(crate) struct FlatCopy(Vec<u8>);

impl FlatCopy {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(PASS * CHUNK))
    }
}

impl Bulk for FlatCopy {
    #[inline]
    fn pass<'a>(
        &mut self,
        chunk: impl Fn(usize) -> &'a [u8; CHUNK],
        out: &mut [u8; CHUNK],
        mut seen: impl FnMut(&[u8; CHUNK]),
    ) {
        self.0.clear();
        for n in 0..PASS {
            self.0.extend_from_slice(chunk(n));
        }
        for piece in self.0.chunks_exact(CHUNK) {
            out.copy_from_slice(piece);
            seen(out);
        }
    }
}
