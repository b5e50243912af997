//! W2: reserve 128 bytes, fill 70 in place and keep those, flush, consume, release.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::pattern::{expect_same, pattern};
use crate::contenders::bytes_mut::Advance;
use crate::contenders::floor::Memcpy;
use crate::contenders::linkbuf::Linked;
use crate::contenders::vec::Queue;
use crate::scenario::{Bar, Case, Contender, Scenario, Share, Unit};

pub(crate) trait ReserveQueue {
    /// Reserves 128 bytes, fills the first 70 with `bytes`, gives up the rest, makes the 70 readable, hands all that
    /// is readable to `seen`, and gives it up.
    fn reserve_pass(&mut self, bytes: &[u8; 70], seen: impl FnOnce(&[u8]));
}

struct Run<C>(C);

impl<C: ReserveQueue> Case for Run<C> {
    fn run(&mut self, ops: u64) -> Duration {
        let queue = black_box(&mut self.0);
        let bytes = [b'x'; 70];
        let start = Instant::now();
        for _ in 0..ops {
            queue.reserve_pass(black_box(&bytes), |got| {
                black_box(got);
            });
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        for seed in 0..1_000 {
            let mut bytes = [0; 70];
            bytes.copy_from_slice(&pattern(70, seed));
            let mut got = Vec::new();
            self.0
                .reserve_pass(&bytes, |bytes| got.extend_from_slice(bytes));
            expect_same(&got, &bytes)?;
        }
        Ok(())
    }
}

const PEERS: &[&str] = &["bytes_mut", "vec"];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "W2",
        title: "reserve 128 B, fill and keep 70, consume, release",
        unit: Unit::OP,
        contenders: vec![
            Contender::linkbuf("linkbuf", || Run(Linked::new())),
            Contender::linkbuf("linkbuf-pooled", || Run(Linked::pooled())),
            Contender::peer("bytes_mut", || Run(Advance::new())),
            Contender::peer("vec", || Run(Queue::new())),
            Contender::floor("memcpy", || Run(Memcpy::new())),
        ],
        baseline: "bytes_mut",
        bars: vec![
            // With the default settings, against the fastest of what a program would use instead.
            Bar::must("linkbuf-pooled", PEERS, 1.1),
            Bar::must("linkbuf", &["bytes_mut"], 1.6),
            Bar::aim("linkbuf", &["bytes_mut"], 1.1),
        ],
        no_allocs: &["linkbuf", "linkbuf-pooled"],
        alloc_shares: vec![Share::OP],
    }
}
