//! A2: 64 blocks of 8 KiB taken, then given back in the order in which they came, as a queue does.
//!
//! Once bare, and once with the first byte of each block written, as whoever takes a block will: an allocator that
//! links free blocks through their own memory has to fetch it anyway, one that keeps its books apart does not.

use std::hint::black_box;
use std::time::{Duration, Instant};

use linkbuf_core::NodeAllocator;

use super::allocator::{Workload, expect_apart};
use crate::backends::Backend;
use crate::block::Block;
use crate::contenders::floor::AtomicPair;
use crate::scenario::{Bar, Case, Contender, Scenario, Unit};

const BLOCKS: usize = 64;
const LEN: usize = 8192;

#[derive(Clone, Copy)]
struct Many {
    touch: bool,
}

struct Run<A: NodeAllocator> {
    alloc: A,
    touch: bool,
}

impl Workload for Many {
    fn over<A: NodeAllocator>(self, alloc: A) -> impl Case + 'static {
        Run {
            alloc,
            touch: self.touch,
        }
    }
}

impl<A: NodeAllocator> Case for Run<A> {
    fn run(&mut self, ops: u64) -> Duration {
        let alloc = black_box(&self.alloc);
        let mut blocks = Vec::with_capacity(BLOCKS);
        let start = Instant::now();
        for _ in 0..ops {
            for _ in 0..BLOCKS {
                let mut block = Block::take(alloc, black_box(LEN));
                if self.touch {
                    block.touch();
                }
                blocks.push(block);
            }
            black_box(&mut blocks).clear();
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        for _ in 0..3 {
            let take = |_| Block::take(&self.alloc, LEN);
            let mut blocks: Vec<_> = (0..BLOCKS).map(take).collect();
            expect_apart(&mut blocks, LEN)?;
        }
        Ok(())
    }
}

/// As many atomic pairs as there are blocks.
struct Pairs(AtomicPair);

impl Case for Pairs {
    fn run(&mut self, ops: u64) -> Duration {
        self.0.run(ops * BLOCKS as u64)
    }

    fn check(&mut self) -> Result<(), String> {
        self.0.check()
    }
}

pub(super) fn bare() -> Scenario {
    let title = "64 blocks of 8 KiB taken, then given back";
    scenario("A2", title, Many { touch: false })
}

pub(super) fn touched() -> Scenario {
    let title = "the same, a byte of each block written";
    scenario("A2-touched", title, Many { touch: true })
}

fn scenario(id: &'static str, title: &'static str, workload: Many) -> Scenario {
    let backends = match workload.touch {
        true => Backend::IN_SHORT,
        false => Backend::THROUGHPUT,
    };
    let mut contenders = workload.contenders(backends);
    contenders.push(Contender::floor("atomic-pair", || Pairs(AtomicPair::new())));
    Scenario {
        id,
        title,
        unit: Unit::PerOp {
            part: "block",
            parts: 64.0,
        },
        contenders,
        baseline: "mi_malloc",
        bars: vec![Bar::must("pooled", &["mi_malloc"], 0.5)],
        no_allocs: &[],
        alloc_shares: Vec::new(),
    }
}
