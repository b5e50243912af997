//! `bytes`: `BytesMut` as a queue, flat or cut into segments, and `Bytes` where it cuts.
//!
//! Room is reserved once per operation, not per field; consumed bytes are given up with `advance`, or with `split_to`
//! where a program would keep them; a buffer is given the 8 KiB that tokio-util starts with, and keeps what it grew to.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::scenarios::SmallQueue;
use crate::scenarios::{
    Bulk, CHUNK, CUT, Cut, Frame, FrameQueue, IOVECS, Lines, PASS, ReserveQueue,
};

/// Bytes that a buffer starts with.
const START: usize = 8192;

/// Consumes with `advance`.
pub(crate) struct Advance(BytesMut);

impl Advance {
    pub(crate) fn new() -> Self {
        Self(BytesMut::with_capacity(START))
    }
}

/// Consumes with `split_to`.
pub(crate) struct SplitTo(BytesMut);

impl SplitTo {
    pub(crate) fn new() -> Self {
        Self(BytesMut::with_capacity(START))
    }
}

impl SmallQueue for Advance {
    #[inline]
    fn pass(&mut self, bytes: &[u8; 64], seen: impl FnOnce(&[u8])) {
        self.0.put_slice(bytes);
        seen(&self.0[..64]);
        self.0.advance(64);
    }
}

impl SmallQueue for SplitTo {
    #[inline]
    fn pass(&mut self, bytes: &[u8; 64], seen: impl FnOnce(&[u8])) {
        self.0.put_slice(bytes);
        seen(&self.0.split_to(64));
    }
}

impl ReserveQueue for Advance {
    #[inline]
    fn reserve_pass(&mut self, bytes: &[u8; 70], seen: impl FnOnce(&[u8])) {
        self.0.reserve(128);
        self.0.chunk_mut()[..70].copy_from_slice(bytes);
        #[expect(
            unsafe_code,
            reason = "the one way of BytesMut to keep what was filled in place"
        )]
        // SAFETY: the 70 bytes were written just above.
        unsafe {
            self.0.advance_mut(70);
        }
        seen(&self.0[..70]);
        self.0.advance(70);
    }
}

/// A head that is written to, and the segments that are ready to go.
pub(crate) struct Segments {
    head: BytesMut,
    ready: VecDeque<Bytes>,
}

impl Segments {
    pub(crate) fn new() -> Self {
        Self {
            head: BytesMut::with_capacity(START),
            ready: VecDeque::with_capacity(16),
        }
    }
}

impl FrameQueue for Segments {
    #[inline]
    fn send(&mut self, frame: &Frame, mut seen: impl FnMut(&[IoSlice<'_>])) {
        self.head.reserve(Frame::HEAD);
        self.head.put_u32(0);
        for field in &frame.fields {
            self.head.put_slice(field);
        }
        let header = Frame::header(self.head.len() + frame.payload.len());
        self.head[..4].copy_from_slice(&header.to_be_bytes());
        self.ready.push_back(self.head.split().freeze());
        self.ready.push_back(frame.payload.clone());
        let mut iovecs = [IoSlice::new(&[]); IOVECS];
        let mut n = 0;
        for (iovec, segment) in iovecs.iter_mut().zip(&self.ready) {
            *iovec = IoSlice::new(segment);
            n += 1;
        }
        seen(&iovecs[..n]);
        while self.ready.pop_front().is_some() {}
    }
}

/// One block that everything is copied into.
pub(crate) struct Flat(BytesMut);

impl Flat {
    pub(crate) fn new() -> Self {
        Self(BytesMut::with_capacity(START))
    }
}

impl FrameQueue for Flat {
    #[inline]
    fn send(&mut self, frame: &Frame, mut seen: impl FnMut(&[IoSlice<'_>])) {
        self.0.reserve(Frame::HEAD + frame.payload.len());
        self.0.put_u32(0);
        for field in &frame.fields {
            self.0.put_slice(field);
        }
        self.0.put_slice(&frame.payload);
        let header = Frame::header(self.0.len());
        self.0[..4].copy_from_slice(&header.to_be_bytes());
        seen(&[IoSlice::new(&self.0)]);
        self.0.advance(Frame::LEN);
    }
}

/// Cuts a `Bytes`.
pub(crate) struct CutBytes(Bytes);

impl CutBytes {
    pub(crate) fn new() -> Self {
        Self(Bytes::new())
    }
}

impl Cut for CutBytes {
    fn fill(&mut self, block: &Bytes) {
        self.0 = block.clone();
    }

    #[inline]
    fn cut(&mut self, seen: impl FnOnce(&[u8])) {
        seen(&self.0.split_to(CUT));
    }
}

/// Cuts a `BytesMut` and freezes what it cut.
pub(crate) struct CutMut(BytesMut);

impl CutMut {
    pub(crate) fn new() -> Self {
        Self(BytesMut::with_capacity(START))
    }
}

impl Cut for CutMut {
    fn fill(&mut self, block: &Bytes) {
        self.0.put_slice(block);
    }

    #[inline]
    fn cut(&mut self, seen: impl FnOnce(&[u8])) {
        seen(&self.0.split_to(CUT).freeze());
    }
}

impl Lines for Advance {
    fn fill(&mut self, text: &[u8]) {
        self.0.clear();
        self.0.put_slice(text);
    }

    #[inline]
    fn scan(&mut self, mut seen: impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', &self.0) {
            seen(&self.0[..=end]);
            self.0.advance(end + 1);
        }
    }
}

impl Lines for SplitTo {
    fn fill(&mut self, text: &[u8]) {
        self.0.clear();
        self.0.put_slice(text);
    }

    #[inline]
    fn scan(&mut self, mut seen: impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', &self.0) {
            seen(&self.0.split_to(end + 1));
        }
    }
}

impl Bulk for Advance {
    #[inline]
    fn pass<'a>(
        &mut self,
        chunk: impl Fn(usize) -> &'a [u8; CHUNK],
        out: &mut [u8; CHUNK],
        mut seen: impl FnMut(&[u8; CHUNK]),
    ) {
        for n in 0..PASS {
            self.0.put_slice(chunk(n));
        }
        for _ in 0..PASS {
            self.0.copy_to_slice(out);
            seen(out);
        }
    }
}
