//! W5: append another buffer of 8, or of 8,000, nodes of 8 KiB to a buffer that isn't empty.
//!
//! Only the append is timed. One long chain is enough for any number of operations: it is appended to a fresh buffer
//! of 64 bytes, which then is the long one that the next buffer takes. What the operation adds in front is cut off
//! again, untimed, after every batch.
//!
//! Both forms are measured: out of a buffer that stays (`append_from`), as folly's queues and evbuffers are spliced, and
//! of one that is consumed (`append`), which moves the buffer itself, too. `linkbuf-pooled` and `bytes_deque` have 8
//! nodes, and stay.

use std::array;
use std::time::{Duration, Instant};

use linkbuf_alloc::{Pooled, Process};
use linkbuf_core::LinkBuffer;

use super::pattern::{expect_same, pattern};
use crate::contenders::bytes_deque::Segments;
use crate::contenders::floor::AtomicPair;
use crate::scenario::{Bar, Case, Contender, Scenario, Unit};

/// Bytes in front of the splice.
const FRONT: usize = 64;
/// Operations between two readings of the clock.
const BATCH: u32 = 32;

/// `long` onto the first of the fronts, that onto the second, and so on; returns the last, and the time.
fn drained<C: Splice>(mut long: C) -> (C, Duration) {
    let mut fronts: [C; BATCH as usize] = array::from_fn(|_| C::front());
    let start = Instant::now();
    let mut from = &mut long;
    for onto in &mut fronts {
        onto.splice_from(from);
        from = onto;
    }
    let time = start.elapsed();
    let [.., last] = fronts;
    (last, time)
}

/// The same, where each is consumed. Each front is a variable of its own, as in a program: out of an array it would be
/// moved twice.
fn consumed<C: Splice>(long: C) -> (C, Duration) {
    macro_rules! in_turn {
        ($first:ident $($rest:ident)*) => {{
            let mut $first = C::front();
            $(let mut $rest = C::front();)*
            let start = Instant::now();
            $first.splice(long);
            let last = in_turn!(@ $first $($rest)*);
            (last, start.elapsed())
        }};
        (@ $from:ident $onto:ident $($rest:ident)*) => {{
            $onto.splice($from);
            in_turn!(@ $onto $($rest)*)
        }};
        (@ $last:ident) => { $last };
    }
    in_turn!(
        f01 f02 f03 f04 f05 f06 f07 f08 f09 f10 f11 f12 f13 f14 f15 f16
        f17 f18 f19 f20 f21 f22 f23 f24 f25 f26 f27 f28 f29 f30 f31 f32
    )
}

pub(crate) trait Splice: Sized {
    /// A buffer of one readable piece per item of `pieces`, each a node of its own.
    fn of_nodes<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Self;
    /// A buffer that isn't empty.
    fn front() -> Self {
        Self::of_nodes(std::iter::once(&[b'x'; FRONT][..]))
    }
    /// Moves all of `other` behind what is there.
    fn splice(&mut self, other: Self);
    /// The same; `other` stays, empty.
    fn splice_from(&mut self, other: &mut Self);
    /// Gives up the first `n` bytes.
    fn give_up(&mut self, n: usize);
    /// The readable pieces, in order.
    fn pieces(&self) -> impl Iterator<Item = &[u8]>;
}

struct Run<C> {
    /// `None` only inside of an operation.
    long: Option<C>,
    nodes: usize,
    batch: fn(C) -> (C, Duration),
}

impl<C: Splice> Run<C> {
    fn new(nodes: usize, batch: fn(C) -> (C, Duration)) -> Self {
        let piece = pattern(8192, 5);
        Self {
            long: Some(C::of_nodes(std::iter::repeat_n(&piece[..], nodes))),
            nodes,
            batch,
        }
    }
}

impl<C: Splice> Case for Run<C> {
    fn run(&mut self, ops: u64) -> Duration {
        let batches = u32::try_from(ops.div_ceil(u64::from(BATCH))).unwrap_or(u32::MAX);
        let mut long = self.long.take().expect("put back below");
        let mut time = Duration::ZERO;
        for _ in 0..batches {
            let (last, took) = (self.batch)(long);
            time += took;
            long = last;
            long.give_up(FRONT * BATCH as usize);
        }
        self.long = Some(long);
        // As if it had been `ops` of them.
        #[expect(
            clippy::cast_precision_loss,
            reason = "criterion's counts are far below 2^52"
        )]
        time.mul_f64(ops as f64 / f64::from(batches * BATCH))
    }

    fn check(&mut self) -> Result<(), String> {
        let piece = pattern(8192, 5);
        let mut front = C::of_nodes(std::iter::once(&piece[..FRONT]));
        front.splice(self.long.take().expect("put back below"));
        let mut pieces = front.pieces();
        expect_same(pieces.next().unwrap_or_default(), &piece[..FRONT])?;
        let mut nodes = 0;
        for got in pieces {
            expect_same(got, &piece)?;
            nodes += 1;
        }
        if nodes != self.nodes {
            return Err(format!("{nodes} nodes of 8 KiB, not {}", self.nodes));
        }
        front.give_up(FRONT);
        self.long = Some(front);
        self.run(u64::from(BATCH) + 1);
        let long = self.long.as_ref().expect("put back by run");
        let got: usize = long.pieces().map(<[u8]>::len).sum();
        if got == self.nodes * piece.len() {
            Ok(())
        } else {
            Err(format!("{got} bytes are left of {}", self.nodes * 8192))
        }
    }
}

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "W5",
        title: "splice a buffer of 8 (of 8,000) nodes of 8 KiB onto a tail that isn't empty",
        unit: Unit::OP,
        contenders: vec![
            Contender::linkbuf("linkbuf-8", || Run::<LinkBuffer>::new(8, drained)),
            Contender::linkbuf("linkbuf-8000", || Run::<LinkBuffer>::new(8_000, drained)),
            Contender::linkbuf("linkbuf-8-consumed", || Run::<LinkBuffer>::new(8, consumed)),
            Contender::linkbuf("linkbuf-pooled", || {
                Run::<LinkBuffer<Process<Pooled>>>::new(8, drained)
            }),
            Contender::peer("bytes_deque", || Run::<Segments>::new(8, drained)),
            Contender::floor("atomic-pair", AtomicPair::new),
        ],
        baseline: "atomic-pair",
        bars: vec![
            // With the default settings, against what a program would use instead.
            Bar::must("linkbuf-pooled", &["bytes_deque"], 1.1),
            Bar::must("linkbuf-8", &["atomic-pair"], 0.8),
            Bar::aim("linkbuf-8", &["atomic-pair"], 0.5),
            // "The same": what is over one is for the noise.
            Bar::must("linkbuf-8000", &["linkbuf-8"], 1.15),
        ],
        no_allocs: &[],
        alloc_shares: Vec::new(),
    }
}
