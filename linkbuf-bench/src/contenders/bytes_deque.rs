//! `VecDeque<Bytes>`: segments that are cut off a `BytesMut`, or that are there already. Sending a frame so is the
//! `bytes_mut` of W3.

use std::collections::VecDeque;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::scenarios::{Bulk, CHUNK, CUT, Cut, PASS, Splice};

/// Bytes of a segment, where the workload leaves the choice.
const SEGMENT: usize = 8192;

/// Segments alone.
pub(crate) struct Segments(VecDeque<Bytes>);

impl Segments {
    pub(crate) fn new() -> Self {
        Self(VecDeque::new())
    }
}

impl Splice for Segments {
    fn of_nodes<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        Self(pieces.map(Bytes::copy_from_slice).collect())
    }

    #[inline(never)]
    fn splice(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    #[inline(never)]
    fn splice_from(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    fn give_up(&mut self, mut n: usize) {
        while let Some(first) = self.0.front_mut().filter(|_| n > 0) {
            let here = n.min(first.len());
            first.advance(here);
            n -= here;
            if first.is_empty() {
                self.0.pop_front();
            }
        }
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|segment| &segment[..])
    }
}

/// 8 slices to a segment.
impl Cut for Segments {
    fn fill(&mut self, block: &Bytes) {
        self.0.clear();
        let at = (0..block.len()).step_by(SEGMENT);
        self.0
            .extend(at.map(|at| block.slice(at..block.len().min(at + SEGMENT))));
    }

    #[inline]
    fn cut(&mut self, seen: impl FnOnce(&[u8])) {
        let Some(first) = self.0.front_mut() else {
            return;
        };
        if first.len() > CUT {
            seen(&first.split_to(CUT));
        } else if let Some(last) = self.0.pop_front() {
            seen(&last);
        }
    }
}

/// A block that is written to, and the segments that were cut off it.
pub(crate) struct Block {
    block: BytesMut,
    segments: VecDeque<Bytes>,
}

impl Block {
    pub(crate) fn new() -> Self {
        Self {
            block: BytesMut::new(),
            segments: VecDeque::new(),
        }
    }
}

/// A segment a copy, cut off blocks of 16.
impl Bulk for Block {
    #[inline]
    fn pass<'a>(
        &mut self,
        chunk: impl Fn(usize) -> &'a [u8; CHUNK],
        out: &mut [u8; CHUNK],
        mut seen: impl FnMut(&[u8; CHUNK]),
    ) {
        for n in 0..PASS {
            if self.block.capacity() < CHUNK {
                self.block.reserve(16 * CHUNK);
            }
            self.block.put_slice(chunk(n));
            self.segments.push_back(self.block.split().freeze());
        }
        while let Some(segment) = self.segments.pop_front() {
            out.copy_from_slice(&segment);
            seen(out);
        }
    }
}
