//! The frame of W3 and W4: a 4-byte length, 32 fields of 12 bytes, 16 KiB of payload; and the loop that sends it.

use std::hint::black_box;
use std::io::IoSlice;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::pattern::{expect_same, pattern};
use crate::scenario::Case;

/// Iovecs of one export; a frame's pieces are fewer.
pub(crate) const IOVECS: usize = 8;

/// What is to be sent.
pub(crate) struct Frame {
    pub(crate) fields: [[u8; 12]; 32],
    pub(crate) payload: Bytes,
    /// The whole of it in one piece, as it has to come out.
    pub(crate) flat: Vec<u8>,
}

impl Frame {
    pub(crate) const PAYLOAD: usize = 16 * 1024;
    /// Bytes of the header and the fields.
    pub(crate) const HEAD: usize = 4 + 32 * 12;
    /// Bytes of the whole frame.
    pub(crate) const LEN: usize = Self::HEAD + Self::PAYLOAD;

    /// The length as it stands in the header.
    pub(crate) fn header(len: usize) -> u32 {
        u32::try_from(len).expect("a frame is small")
    }

    fn new(seed: u64) -> Self {
        let mut fields = [[0; 12]; 32];
        fields
            .as_flattened_mut()
            .copy_from_slice(&pattern(32 * 12, seed));
        let payload = Bytes::from(pattern(Self::PAYLOAD, !seed));
        let mut flat = Self::header(Self::LEN).to_be_bytes().to_vec();
        flat.extend_from_slice(fields.as_flattened());
        flat.extend_from_slice(&payload);
        Self {
            fields,
            payload,
            flat,
        }
    }
}

pub(crate) trait FrameQueue {
    /// Leaves room for the header, appends the fields and the payload, then writes the frame's length into the
    /// header, makes the frame readable, hands it to `seen` as iovecs (once or several times), and gives it up.
    fn send(&mut self, frame: &Frame, seen: impl FnMut(&[IoSlice<'_>]));
}

pub(super) struct Run<C> {
    contender: C,
    frame: Frame,
}

impl<C> Run<C> {
    pub(super) fn new(contender: C) -> Self {
        Self {
            contender,
            frame: Frame::new(1),
        }
    }
}

impl<C: FrameQueue> Case for Run<C> {
    fn run(&mut self, ops: u64) -> Duration {
        let queue = black_box(&mut self.contender);
        let start = Instant::now();
        for _ in 0..ops {
            queue.send(black_box(&self.frame), |iovecs| {
                black_box(iovecs);
            });
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        for seed in 0..100 {
            let frame = Frame::new(seed);
            let mut got = Vec::new();
            self.contender.send(&frame, |iovecs| {
                for piece in iovecs {
                    got.extend_from_slice(piece);
                }
            });
            expect_same(&got, &frame.flat)?;
        }
        Ok(())
    }
}
