//! `linkedbytes`: a `BytesMut` that is written to, cut where a `Bytes` is inserted. It has a writing side only, so it
//! takes part where that is what counts: sending a frame, and what it keeps.

use std::io::{IoSlice, Write};

use bytes::{Buf, BufMut};
use linkedbytes::LinkedBytes;

use crate::scenarios::{Bulk, CHUNK, Frame, FrameQueue, PASS};

/// Where the vectored write goes: takes all of it.
pub(crate) struct Sink<F>(pub(crate) F);

impl<F: FnMut(&[IoSlice<'_>])> Write for Sink<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (self.0)(&[IoSlice::new(bytes)]);
        Ok(bytes.len())
    }

    #[inline]
    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> std::io::Result<usize> {
        (self.0)(pieces);
        Ok(pieces.iter().map(|piece| piece.len()).sum())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[inline]
fn send(
    buffer: &mut LinkedBytes,
    frame: &Frame,
    payload: impl FnOnce(&mut LinkedBytes),
    seen: impl FnMut(&[IoSlice<'_>]),
) {
    buffer.reserve(Frame::HEAD);
    buffer.put_u32(0);
    for field in &frame.fields {
        buffer.put_slice(field);
    }
    // The head is still in front, so its length can be filled in: the payload's is known.
    let header = Frame::header(buffer.bytes().len() + frame.payload.len());
    buffer.bytes_mut()[..4].copy_from_slice(&header.to_be_bytes());
    payload(buffer);
    buffer
        .sync_write_all_vectored(&mut Sink(seen))
        .expect("the sink takes all");
    buffer.reset();
}

/// Inserts a frame's payload.
pub(crate) struct Attached(LinkedBytes);

impl Attached {
    pub(crate) fn new() -> Self {
        Self(LinkedBytes::new())
    }
}

impl FrameQueue for Attached {
    #[inline]
    fn send(&mut self, frame: &Frame, seen: impl FnMut(&[IoSlice<'_>])) {
        let insert = |buffer: &mut LinkedBytes| buffer.insert(frame.payload.clone());
        send(&mut self.0, frame, insert, seen);
    }
}

/// Copies a frame's payload.
pub(crate) struct Copied(LinkedBytes);

impl Copied {
    pub(crate) fn new() -> Self {
        Self(LinkedBytes::new())
    }
}

impl FrameQueue for Copied {
    #[inline]
    fn send(&mut self, frame: &Frame, seen: impl FnMut(&[IoSlice<'_>])) {
        let copy = |buffer: &mut LinkedBytes| buffer.put_slice(&frame.payload);
        send(&mut self.0, frame, copy, seen);
    }
}

/// Its `BytesMut` is all there is to read from.
impl Bulk for Copied {
    fn pass<'a>(
        &mut self,
        chunk: impl Fn(usize) -> &'a [u8; CHUNK],
        out: &mut [u8; CHUNK],
        mut seen: impl FnMut(&[u8; CHUNK]),
    ) {
        for n in 0..PASS {
            self.0.bytes_mut().put_slice(chunk(n));
        }
        for _ in 0..PASS {
            self.0.bytes_mut().copy_to_slice(out);
            seen(out);
        }
        self.0.reset();
    }
}
