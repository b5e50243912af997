//! One payload to 100 outputs: it arrives once, and is sent to each behind a header of its own.
//!
//! The header is an id of 8 bytes and the output's number in 4. All outputs are written to first, then each is sent, as
//! a program does that publishes in one place and sends where the sockets are. With 16 KiB, who can attach the payload
//! does; 200 bytes everyone copies.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::pattern::{expect_same, pattern};
use super::socket::Outbound;
use crate::contenders::shapes::floor::Copies;
use crate::contenders::shapes::linkbuf::{self, Links};
use crate::contenders::shapes::segmented::{BufLists, Deque, Fan, Segmented};
use crate::contenders::shapes::{bytes_mut, linked_bytes, vec};
use crate::scenario::{Bar, Case, Contender, Scenario, Share, Unit};

/// Outputs.
pub(crate) const OUTPUTS: usize = 100;
/// Bytes of a header.
pub(crate) const HEADER: usize = 12;
/// A payload of at least so many bytes is attached by those who can: what linkbuf does unless told otherwise.
pub(crate) const ATTACH_FROM: usize = 4096;

const LARGE: usize = 16 * 1024;
const SMALL: usize = 200;

/// The header for output number `n`.
fn header(id: u64, n: usize) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&id.to_be_bytes());
    header[8..].copy_from_slice(&u32::try_from(n).unwrap_or(0).to_be_bytes());
    header
}

pub(crate) trait FanOut {
    /// Reads `arrived`, which is the payload, and appends it to every output, each time behind what `header` gives for
    /// the output's number. Nothing else is in the outputs.
    fn publish(&mut self, arrived: &[u8], header: impl Fn(usize) -> [u8; HEADER]);
    /// Sends all that is in output number `n`; `out` takes it.
    fn send(&mut self, n: usize, out: &mut Outbound);
}

struct Run<C> {
    contender: C,
    payload: Vec<u8>,
    out: Outbound,
}

impl<C> Run<C> {
    fn new(contender: C, len: usize) -> Self {
        Self {
            contender,
            payload: pattern(len, 8),
            out: Outbound::new(64 * 1024),
        }
    }
}

impl<C: FanOut> Case for Run<C> {
    fn run(&mut self, ops: u64) -> Duration {
        let contender = black_box(&mut self.contender);
        let out = black_box(&mut self.out);
        let start = Instant::now();
        for id in 0..ops {
            let id = black_box(id);
            contender.publish(black_box(&self.payload), |n| header(id, n));
            for n in 0..OUTPUTS {
                out.open(usize::MAX);
                contender.send(n, out);
                black_box(&*out);
            }
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        for id in 0..20 {
            // Another payload each time, so that none can be an older one.
            let payload = pattern(self.payload.len(), id);
            self.contender.publish(&payload, |n| header(id, n));
            for n in 0..OUTPUTS {
                self.out.open(usize::MAX);
                self.contender.send(n, &mut self.out);
                let want = [&header(id, n)[..], &payload].concat();
                expect_same(self.out.sent(), &want).map_err(|e| format!("output {n}: {e}"))?;
            }
        }
        Ok(())
    }
}

/// The floor: the payload copied once out of a socket, and header and payload to 100.
fn copies(len: usize) -> Copies {
    let mut steps = vec![(pattern(len, 8), 0)];
    steps.extend((0..OUTPUTS).map(|_| (Vec::new(), HEADER + len)));
    Copies::new(steps)
}

const PEERS: &[&str] = &[
    "bytes_mut",
    "bytes_deque",
    "bytes_utils",
    "buf_list",
    "linked_bytes",
    "vec",
];

fn scenario(id: &'static str, title: &'static str, len: usize) -> Scenario {
    Scenario {
        id,
        title,
        #[expect(clippy::cast_precision_loss, reason = "a hundred")]
        unit: Unit::PerOp {
            part: "output",
            parts: OUTPUTS as f64,
        },
        contenders: vec![
            Contender::linkbuf("linkbuf", move || Run::new(Links::new(linkbuf::heap), len))
                .every(3),
            Contender::linkbuf("linkbuf-pooled", move || {
                Run::new(Links::new(linkbuf::pooled), len)
            }),
            Contender::linkbuf("linkbuf-keep", move || {
                Run::new(Links::new(linkbuf::keeping), len)
            }),
            Contender::peer("bytes_mut", move || Run::new(bytes_mut::Fan::new(), len)),
            Contender::peer("bytes_deque", move || Run::new(Fan::<Deque>::new(), len)),
            Contender::peer("bytes_utils", move || {
                Run::new(Fan::<Segmented>::new(), len)
            }),
            Contender::peer("buf_list", move || Run::new(Fan::<BufLists>::new(), len)),
            Contender::peer("linked_bytes", move || {
                Run::new(linked_bytes::Fan::new(), len)
            }),
            Contender::peer("vec", move || Run::new(vec::Fan::new(), len)),
            Contender::floor("memcpy", move || copies(len)),
        ],
        baseline: "bytes_mut",
        bars: vec![Bar::must("linkbuf-pooled", PEERS, 1.1)],
        no_allocs: &["linkbuf-keep"],
        alloc_shares: vec![Share::OP],
    }
}

pub(super) fn of_a_large_payload() -> Scenario {
    scenario(
        "fanout",
        "one payload of 16 KiB to 100 outputs, each with a header of its own, all sent",
        LARGE,
    )
}

pub(super) fn of_a_small_payload() -> Scenario {
    scenario(
        "fanout-small",
        "one payload of 200 B to 100 outputs, each with a header of its own, all sent",
        SMALL,
    )
}
