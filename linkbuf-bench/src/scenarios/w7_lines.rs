//! W7: find and consume the lines of 100 bytes in 1 MiB. Filling isn't timed.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::pattern::expect_same;
use crate::contenders::bytes_mut::{Advance, SplitTo};
use crate::contenders::floor::FlatMemchr;
use crate::contenders::linkbuf::Linked;
use crate::contenders::vec::Queue;
use crate::scenario::{Bar, Case, Contender, Scenario, Share, Unit};

/// Bytes of a line, its `\n` included.
const LINE: usize = 100;
const FULL: usize = 1024 * 1024;
/// Whole lines in it; what is left is the begin of one more.
const LINES: usize = FULL / LINE;

pub(crate) trait Lines {
    /// Makes `text` what is readable, instead of anything that still was.
    fn fill(&mut self, text: &[u8]);
    /// Finds and consumes line by line, each with its end, and hands them to `seen`.
    fn scan(&mut self, seen: impl FnMut(&[u8]));
}

struct Run<C> {
    contender: C,
    text: Vec<u8>,
}

impl<C> Run<C> {
    fn new(contender: C) -> Self {
        // Letters that differ from line to line, none of which is the delimiter.
        let text = (0..FULL)
            .map(|at| match at % LINE {
                99 => b'\n',
                column => b'a' + u8::try_from((at / LINE * 7 + column) % 26).unwrap_or(0),
            })
            .collect();
        Self { contender, text }
    }
}

impl<C: Lines> Case for Run<C> {
    fn run(&mut self, ops: u64) -> Duration {
        let contender = black_box(&mut self.contender);
        let mut time = Duration::ZERO;
        for _ in 0..ops {
            contender.fill(black_box(&self.text));
            let start = Instant::now();
            contender.scan(|line| {
                black_box(line);
            });
            time += start.elapsed();
        }
        time
    }

    fn check(&mut self) -> Result<(), String> {
        for _ in 0..3 {
            self.contender.fill(&self.text);
            let mut lines = 0;
            let mut got = Vec::new();
            self.contender.scan(|line| {
                lines += 1;
                got.extend_from_slice(line);
            });
            expect_same(&got, &self.text[..LINES * LINE])?;
            if lines != LINES {
                return Err(format!("{lines} lines of {LINES}"));
            }
        }
        Ok(())
    }
}

const PEERS: &[&str] = &["bytes_mut", "bytes_mut-split_to", "vec"];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "W7",
        title: "find and consume a line of 100 B, in 1 MiB of 8 KiB nodes",
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        unit: Unit::PerOp {
            part: "line",
            parts: LINES as f64,
        },
        contenders: vec![
            Contender::linkbuf("linkbuf", || Run::new(Linked::of_8k_nodes())),
            Contender::linkbuf("linkbuf-keep", || Run::new(Linked::of_8k_nodes_keeping())),
            Contender::linkbuf("linkbuf-pooled", || Run::new(Linked::pooled_of_8k_nodes())),
            Contender::peer("bytes_mut", || Run::new(Advance::new())),
            Contender::peer("bytes_mut-split_to", || Run::new(SplitTo::new())),
            Contender::peer("vec", || Run::new(Queue::new())),
            Contender::floor("flat-memchr", || Run::new(FlatMemchr::new())),
        ],
        baseline: "bytes_mut",
        bars: vec![
            // With the default settings, against the fastest of what a program would use instead.
            Bar::must("linkbuf-pooled", PEERS, 1.1),
            Bar::must("linkbuf-keep", &["flat-memchr"], 1.35),
            Bar::aim("linkbuf-keep", &["flat-memchr"], 1.15),
        ],
        no_allocs: &["linkbuf-keep"],
        alloc_shares: vec![Share {
            part: "MiB",
            parts: 1.0,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linked_text_stands_in_nodes_of_8_kib() {
        let mut linked = Linked::of_8k_nodes();
        linked.fill(&vec![b'x'; FULL]);
        let pieces: Vec<usize> = linked.0.chunks().map(<[u8]>::len).collect();
        assert_eq!(pieces, [8192; 128]);
    }
}
