//! A trickle: a message of 64 bytes arrives byte by byte; when it is whole, it is consumed.
//!
//! Each byte is a read call into room for many more, and is followed by a look at whether the message is whole. In a
//! program each has a system call besides, which costs more than all of this; here it has none.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::pattern::{expect_same, pattern};
use crate::contenders::shapes::floor::Copies;
use crate::contenders::shapes::linkbuf::{self, Link};
use crate::contenders::shapes::{bytes_mut, vec};
use crate::scenario::{Bar, Case, Contender, Scenario, Share, Unit};

/// Bytes of a message.
pub(crate) const MESSAGE: usize = 64;

pub(crate) trait Trickle {
    /// Reads `arrived`. If that makes a message whole, hands it to `seen`, and gives it up.
    fn drip(&mut self, arrived: &[u8], seen: impl FnOnce(&[u8]));
}

struct Run<C> {
    contender: C,
    message: Vec<u8>,
}

impl<C> Run<C> {
    fn new(contender: C) -> Self {
        Self {
            contender,
            message: pattern(MESSAGE, 10),
        }
    }
}

impl<C: Trickle> Case for Run<C> {
    fn run(&mut self, ops: u64) -> Duration {
        let contender = black_box(&mut self.contender);
        let start = Instant::now();
        for _ in 0..ops {
            for byte in self.message.chunks(1) {
                contender.drip(black_box(byte), |message| {
                    black_box(message);
                });
            }
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        for seed in 0..500 {
            let message = pattern(MESSAGE, seed);
            let mut seen = Vec::new();
            for (n, byte) in (1..).zip(message.chunks(1)) {
                self.contender.drip(byte, |got| seen.extend_from_slice(got));
                if n < MESSAGE && !seen.is_empty() {
                    return Err(format!("a message after {n} bytes"));
                }
            }
            expect_same(&seen, &message)?;
        }
        Ok(())
    }
}

/// The floor: each byte copied out of the socket.
fn copies() -> Copies {
    let step = |byte: &[u8]| (byte.to_vec(), 0);
    Copies::new(pattern(MESSAGE, 10).chunks(1).map(step).collect())
}

const PEERS: &[&str] = &["bytes_mut", "bytes_mut-split_to", "vec"];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "trickle",
        title: "a message of 64 B arrives byte by byte, and is consumed when it is whole",
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        unit: Unit::PerOp {
            part: "byte",
            parts: MESSAGE as f64,
        },
        contenders: vec![
            Contender::linkbuf("linkbuf", || Run::new(Link::new(linkbuf::heap))).every(3),
            Contender::linkbuf("linkbuf-pooled", || Run::new(Link::new(linkbuf::pooled))),
            Contender::linkbuf("linkbuf-keep", || Run::new(Link::new(linkbuf::keeping))),
            Contender::peer("bytes_mut", || Run::new(bytes_mut::Advance::new())),
            Contender::peer("bytes_mut-split_to", || Run::new(bytes_mut::SplitTo::new())),
            Contender::peer("vec", || Run::new(vec::Cursor::new())),
            Contender::floor("memcpy", copies),
        ],
        baseline: "bytes_mut",
        bars: vec![Bar::must("linkbuf-pooled", PEERS, 1.1)],
        no_allocs: &["linkbuf", "linkbuf-pooled", "linkbuf-keep"],
        alloc_shares: vec![Share::OP],
    }
}
