//! W6: cut one slice of 1 KiB off the front, and drop it.
//!
//! Everyone cuts a filled buffer of 1 MiB to its end; filling it again isn't timed.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::pattern::{expect_same, pattern};
use crate::contenders::bytes_deque::Segments;
use crate::contenders::bytes_mut::{CutBytes, CutMut};
use crate::contenders::floor::AtomicPair;
use crate::contenders::linkbuf::{Linked, OneBlock};
use crate::scenario::{Bar, Case, Contender, Scenario, Unit};

/// Bytes of a slice.
pub(crate) const CUT: usize = 1024;
const FULL: usize = 1024 * 1024;

pub(crate) trait Cut {
    /// Makes the bytes of `block` what is readable. Nothing is readable before.
    fn fill(&mut self, block: &Bytes);
    /// Cuts off the first [`CUT`] bytes, shows the slice to `seen`, and drops it.
    fn cut(&mut self, seen: impl FnOnce(&[u8]));
}

struct Run<C> {
    contender: C,
    block: Bytes,
}

impl<C> Run<C> {
    fn new(contender: C) -> Self {
        Self {
            contender,
            block: pattern(FULL, 6).into(),
        }
    }
}

impl<C: Cut> Case for Run<C> {
    fn run(&mut self, ops: u64) -> Duration {
        let contender = black_box(&mut self.contender);
        let mut time = Duration::ZERO;
        let mut left = ops;
        while left > 0 {
            contender.fill(&self.block);
            let batch = left.min((FULL / CUT) as u64);
            left -= batch;
            let start = Instant::now();
            for _ in 0..batch {
                contender.cut(|slice| {
                    black_box(slice);
                });
            }
            time += start.elapsed();
            // Empty again, whatever the batch was.
            for _ in batch..(FULL / CUT) as u64 {
                contender.cut(|_| ());
            }
        }
        time
    }

    fn check(&mut self) -> Result<(), String> {
        for _ in 0..3 {
            self.contender.fill(&self.block);
            let mut got = Vec::new();
            for _ in 0..FULL / CUT {
                self.contender.cut(|slice| got.extend_from_slice(slice));
            }
            expect_same(&got, &self.block)?;
        }
        Ok(())
    }
}

const PEERS: &[&str] = &["bytes", "bytes_mut-freeze", "bytes_deque"];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "W6",
        title: "cut one slice of 1 KiB and drop it",
        unit: Unit::OP,
        contenders: vec![
            Contender::linkbuf("linkbuf", || Run::new(OneBlock(Linked::keeping()))),
            Contender::linkbuf("linkbuf-8k_nodes", || {
                Run::new(Linked::of_8k_nodes_keeping())
            }),
            Contender::linkbuf("linkbuf-pooled", || Run::new(OneBlock(Linked::pooled()))),
            Contender::peer("bytes", || Run::new(CutBytes::new())),
            Contender::peer("bytes_mut-freeze", || Run::new(CutMut::new())),
            Contender::peer("bytes_deque", || Run::new(Segments::new())),
            Contender::floor("atomic-pair", AtomicPair::new),
        ],
        baseline: "bytes",
        bars: vec![
            // With the default settings, against the fastest of what a program would use instead.
            Bar::must("linkbuf-pooled", PEERS, 1.1),
            Bar::must("linkbuf", &["bytes"], 0.9),
            Bar::aim("linkbuf", &["atomic-pair"], 1.1),
        ],
        no_allocs: &[],
        alloc_shares: Vec::new(),
    }
}
