//! A4: 64 MiB taken from the system in blocks of 64 KiB, and a byte of each page written.
//!
//! What huge pages are for: a fault brings 2 MiB and not 4 KiB. Giving the memory back to the system isn't timed. The
//! floor is what the system does once whatever the pages: it clears as many bytes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use linkbuf_core::NodeAllocator;

use super::allocator::{Workload, expect_apart};
use crate::backends::Backend;
use crate::block::Block;
use crate::scenario::{Bar, Case, Contender, Scenario, Unit};

/// So large that cutting blocks is no part of the time worth telling.
const LEN: usize = 64 << 10;
const BLOCKS: usize = (64 << 20) / LEN;
/// Enough to span pieces.
const CHECKED: usize = 80;

#[derive(Clone, Copy)]
struct FirstTouch;

struct Run<A>(A);

impl Workload for FirstTouch {
    fn over<A: NodeAllocator>(self, alloc: A) -> impl Case + 'static {
        Run(alloc)
    }
}

impl<A: NodeAllocator> Case for Run<A> {
    fn run(&mut self, ops: u64) -> Duration {
        let alloc = black_box(&self.0);
        let mut blocks = Vec::with_capacity(BLOCKS);
        let mut time = Duration::ZERO;
        for _ in 0..ops {
            let start = Instant::now();
            for _ in 0..BLOCKS {
                let mut block = Block::take(alloc, LEN);
                block.touch_pages();
                blocks.push(block);
            }
            time += start.elapsed();
            black_box(&mut blocks).clear();
            alloc.trim();
        }
        time
    }

    fn check(&mut self) -> Result<(), String> {
        for _ in 0..2 {
            let take = |_| Block::take(&self.0, LEN);
            let mut blocks: Vec<_> = (0..CHECKED).map(take).collect();
            expect_apart(&mut blocks, LEN)?;
            drop(blocks);
            self.0.trim();
        }
        Ok(())
    }
}

/// As many bytes cleared that are there already.
struct Clear(Vec<u8>);

impl Case for Clear {
    fn run(&mut self, ops: u64) -> Duration {
        let start = Instant::now();
        for _ in 0..ops {
            black_box(&mut self.0).fill(0);
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        self.0.fill(1);
        self.run(1);
        match self.0.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err("something wasn't cleared".into()),
        }
    }
}

pub(super) fn scenario() -> Scenario {
    let mut contenders = FirstTouch.contenders(Backend::MAPPED);
    // An operation takes tens of milliseconds. Not of zeros, which would be fresh pages.
    let clear = || Clear(vec![1; BLOCKS * LEN]);
    contenders.push(Contender::floor("memset", clear).every(10));
    Scenario {
        id: "A4",
        title: "first touch of 64 MiB, in blocks of 64 KiB",
        unit: Unit::PerOp {
            part: "MiB",
            parts: 64.0,
        },
        contenders,
        baseline: "mmap",
        bars: vec![
            // A fifth, and a ninth, of the time.
            Bar::must("hugepage", &["mmap"], 0.2),
            Bar::aim("hugepage", &["mmap"], 0.111),
        ],
        no_allocs: &[],
        alloc_shares: Vec::new(),
    }
}
