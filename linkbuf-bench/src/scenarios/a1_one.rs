//! A1: one block taken and given back, again and again. The allocator alone: nobody writes to the block.

use std::hint::black_box;
use std::slice;
use std::time::{Duration, Instant};

use linkbuf_core::NodeAllocator;

use super::allocator::{Workload, expect_apart};
use crate::backends::Backend;
use crate::block::Block;
use crate::contenders::floor::AtomicPair;
use crate::scenario::{Bar, Case, Contender, Scenario, Unit};

#[derive(Clone, Copy)]
struct One {
    len: usize,
}

struct Run<A> {
    alloc: A,
    len: usize,
}

impl Workload for One {
    fn over<A: NodeAllocator>(self, alloc: A) -> impl Case + 'static {
        Run {
            alloc,
            len: self.len,
        }
    }
}

impl<A: NodeAllocator> Case for Run<A> {
    fn run(&mut self, ops: u64) -> Duration {
        let alloc = black_box(&self.alloc);
        let start = Instant::now();
        for _ in 0..ops {
            let block = Block::take(alloc, black_box(self.len));
            black_box(block.address());
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        for _ in 0..10 {
            let mut block = Block::take(&self.alloc, self.len);
            expect_apart(slice::from_mut(&mut block), self.len)?;
        }
        Ok(())
    }
}

pub(super) fn of_4_kib() -> Scenario {
    let title = "one block of 4 KiB taken and given back";
    scenario("A1-4k", title, 4096, Backend::IN_SHORT)
}

pub(super) fn of_8_kib() -> Scenario {
    let title = "one block of 8 KiB taken and given back";
    scenario("A1-8k", title, 8192, Backend::THROUGHPUT)
}

fn scenario(id: &'static str, title: &'static str, len: usize, backends: &[Backend]) -> Scenario {
    let mut contenders = One { len }.contenders(backends);
    contenders.push(Contender::floor("atomic-pair", AtomicPair::new));
    Scenario {
        id,
        title,
        unit: Unit::OP,
        contenders,
        baseline: "mi_malloc",
        bars: vec![
            Bar::must("pooled", &["mi_malloc"], 0.6),
            Bar::must("pooled", &["malloc"], 0.4),
            // 8 ns where the pair takes 11.
            Bar::aim("pooled", &["atomic-pair"], 0.73),
        ],
        no_allocs: &[],
        alloc_shares: Vec::new(),
    }
}
