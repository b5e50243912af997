//! W8: 1 MiB in by copies of 4 KiB, then out by copies of 4 KiB.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::pattern::{expect_same, pattern};
use crate::contenders::bytes_deque::Block;
use crate::contenders::bytes_mut::Advance;
use crate::contenders::floor::FlatCopy;
use crate::contenders::linkbuf::Linked;
use crate::contenders::vec::Queue;
use crate::scenario::{Bar, Case, Contender, Scenario, Share, Unit};

/// Bytes of one copy.
pub(crate) const CHUNK: usize = 4096;
/// Copies in, and out again.
pub(crate) const PASS: usize = 256;
/// Different chunks; few, so that the source stays in the first-level cache as a socket's would not be timed.
const SOURCE: usize = 4;

pub(crate) trait Bulk {
    /// Copies `chunk(0)` … `chunk(255)` in, makes them readable, then copies them out, each into `out`, which `seen`
    /// gets to look at each time.
    fn pass<'a>(
        &mut self,
        chunk: impl Fn(usize) -> &'a [u8; CHUNK],
        out: &mut [u8; CHUNK],
        seen: impl FnMut(&[u8; CHUNK]),
    );
}

struct Run<C> {
    contender: C,
    source: Vec<[u8; CHUNK]>,
}

impl<C> Run<C> {
    fn new(contender: C) -> Self {
        let chunk = |seed| {
            let mut bytes = [0; CHUNK];
            bytes.copy_from_slice(&pattern(CHUNK, seed));
            bytes
        };
        Self {
            contender,
            source: (0..SOURCE as u64).map(chunk).collect(),
        }
    }
}

impl<C: Bulk> Case for Run<C> {
    fn run(&mut self, ops: u64) -> Duration {
        let contender = black_box(&mut self.contender);
        let mut out = [0; CHUNK];
        let start = Instant::now();
        for _ in 0..ops {
            contender.pass(
                |n| black_box(&self.source[n % SOURCE]),
                &mut out,
                |bytes| {
                    black_box(bytes);
                },
            );
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        for _ in 0..3 {
            let mut got = Vec::new();
            self.contender.pass(
                |n| &self.source[n % SOURCE],
                &mut [0; CHUNK],
                |bytes| got.extend_from_slice(bytes),
            );
            let want: Vec<u8> = (0..PASS).flat_map(|n| self.source[n % SOURCE]).collect();
            expect_same(&got, &want)?;
        }
        Ok(())
    }
}

const PEERS: &[&str] = &["bytes_mut", "bytes_deque", "vec"];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "W8",
        title: "1 MiB in by 4 KiB copies, then out",
        unit: Unit::PerOp {
            part: "MiB",
            parts: 1.0,
        },
        contenders: vec![
            Contender::linkbuf("linkbuf", || Run::new(Linked::new())),
            Contender::linkbuf("linkbuf-pooled", || Run::new(Linked::pooled())),
            Contender::linkbuf("linkbuf-keep", || Run::new(Linked::keeping())),
            Contender::peer("bytes_mut", || Run::new(Advance::new())),
            Contender::peer("bytes_deque", || Run::new(Block::new())),
            Contender::peer("vec", || Run::new(Queue::new())),
            Contender::floor("flat-copy", || Run::new(FlatCopy::new())),
        ],
        baseline: "bytes_mut",
        bars: vec![
            // With the default settings, against the fastest of what a program would use instead.
            Bar::must("linkbuf-pooled", PEERS, 1.1),
            Bar::must("linkbuf-keep", &["flat-copy"], 1.2),
            Bar::aim("linkbuf-keep", &["flat-copy"], 1.05),
        ],
        no_allocs: &["linkbuf-keep"],
        alloc_shares: vec![Share {
            part: "MiB",
            parts: 1.0,
        }],
    }
}
