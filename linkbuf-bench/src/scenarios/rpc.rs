//! RPC frames of mixed sizes: 200 of them are encoded, sent in batches of 8, received as they are cut by the network,
//! and decoded one by one.
//!
//! A frame is a length of 4 bytes, an id of 8, a method and flags of 2 each, and a body, which is copied into the
//! output as a serialiser would write it there. Each batch is sent by as few write calls as the output allows. The
//! receiver gets it in chunks of 14,480 bytes (ten segments of Ethernet), reads each, and decodes what is whole: the
//! head's fields, then the body, which it is shown where it lies, in one piece or in several.
//!
//! The sizes: four in five bodies have 64 to 512 bytes, one in eight 1 to 2 KiB, one in sixteen 4 KiB, three in 200
//! 16 KiB, one in 200 64 KiB; a fixed sequence. The mix is made up, its form isn't: of the calls in Google's fleet half
//! have 1.5 kB at most, and one request in a hundred has 196 kB and more (Seemakhupt et al., A Cloud-Scale
//! Characterization of Remote Procedure Calls, SOSP 2023).

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::pattern::{Numbers, expect_same, pattern};
use super::socket::Outbound;
use crate::contenders::shapes::floor::Copies;
use crate::contenders::shapes::linkbuf::{self, Link};
use crate::contenders::shapes::segmented::{BufLists, Deque, Segmented, Segments};
use crate::contenders::shapes::{bytes_mut, vec};
use crate::scenario::{Bar, Case, Contender, Scenario, Share, Unit};

/// Frames of an operation.
const FRAMES: usize = 200;
/// Frames that are sent at once.
const BATCH: usize = 8;
/// Bytes that arrive at once.
const ARRIVES: usize = 14_480;

/// A frame to be sent.
pub(crate) struct Call {
    pub(crate) id: u64,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) body: Vec<u8>,
}

impl Call {
    /// The length that stands before all, big endian as the other fields: bytes of the body.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.body.len()).expect("a body is small")
    }

    /// The frame in one piece, as it has to arrive.
    fn flat(&self) -> Vec<u8> {
        let mut flat = self.len().to_be_bytes().to_vec();
        flat.extend_from_slice(&self.id.to_be_bytes());
        flat.extend_from_slice(&self.method.to_be_bytes());
        flat.extend_from_slice(&self.flags.to_be_bytes());
        flat.extend_from_slice(&self.body);
        flat
    }

    fn all(seed: u64) -> Vec<Self> {
        let mut numbers = Numbers::new(seed);
        (0..FRAMES as u64)
            .map(|id| {
                let len = match numbers.within(0..=199) {
                    0 => 64 * 1024,
                    1..=3 => 16 * 1024,
                    4..=15 => 4096,
                    16..=39 => numbers.within(1024..=2048),
                    _ => numbers.within(64..=512),
                };
                Self {
                    id: id << 32 | seed,
                    method: u16::try_from(numbers.within(0..=999)).unwrap_or(0),
                    flags: 0x8001,
                    body: pattern(len, id ^ seed << 20),
                }
            })
            .collect()
    }
}

/// The fields before a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Bytes of the body.
    pub(crate) len: usize,
    id: u64,
    method: u16,
    flags: u16,
}

impl Head {
    /// Bytes of it.
    pub(crate) const LEN: usize = 16;

    #[inline]
    pub(crate) fn parse(bytes: &[u8; Self::LEN]) -> Self {
        let [a, b, c, d, id @ .., e, f, g, h] = *bytes;
        Self {
            len: u32::from_be_bytes([a, b, c, d]) as usize,
            id: u64::from_be_bytes(id),
            method: u16::from_be_bytes([e, f]),
            flags: u16::from_be_bytes([g, h]),
        }
    }
}

/// What a decoder is shown of a frame: the head, then the body, in order.
pub(crate) enum Part<'a> {
    Head(Head),
    Body(&'a [u8]),
}

pub(crate) trait Rpc {
    /// Encodes `calls` and sends them; `out` takes all.
    fn send(&mut self, calls: &[Call], out: &mut Outbound);
    /// Reads `arrived`, and hands what frames are whole to `seen`.
    fn receive(&mut self, arrived: &[u8], seen: impl FnMut(Part<'_>));
}

struct Run<C> {
    contender: C,
    calls: Vec<Call>,
    out: Outbound,
}

impl<C> Run<C> {
    fn new(contender: C) -> Self {
        let largest = Call::all(SEED).chunks(BATCH).map(bytes).max();
        Self {
            contender,
            calls: Call::all(SEED),
            out: Outbound::new(largest.unwrap_or(0)),
        }
    }
}

/// Of the frames of a run.
const SEED: u64 = 11;

/// Bytes of the frames of `calls`.
fn bytes(calls: &[Call]) -> usize {
    calls.iter().map(|c| Head::LEN + c.body.len()).sum()
}

impl<C: Rpc> Case for Run<C> {
    fn run(&mut self, ops: u64) -> Duration {
        let contender = black_box(&mut self.contender);
        let out = black_box(&mut self.out);
        let start = Instant::now();
        for _ in 0..ops {
            for calls in self.calls.chunks(BATCH) {
                out.open(usize::MAX);
                contender.send(black_box(calls), out);
                for arrived in out.sent().chunks(ARRIVES) {
                    contender.receive(black_box(arrived), |part| {
                        black_box(part);
                    });
                }
            }
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        // Chunks that cut heads and bodies at other places each time.
        for arrives in [ARRIVES, 97, 1_000] {
            let mut got = Vec::new();
            let mut frames = 0;
            for calls in self.calls.chunks(BATCH) {
                self.out.open(usize::MAX);
                self.contender.send(calls, &mut self.out);
                if self.out.sent().len() != bytes(calls) {
                    return Err(format!("{} bytes were sent", self.out.sent().len()));
                }
                for arrived in self.out.sent().chunks(arrives) {
                    self.contender.receive(arrived, |part| match part {
                        Part::Body(piece) => got.extend_from_slice(piece),
                        Part::Head(head) => {
                            frames += 1;
                            // As it was sent: length, id, method, flags.
                            got.extend_from_slice(
                                &u32::try_from(head.len).unwrap_or(0).to_be_bytes(),
                            );
                            got.extend_from_slice(&head.id.to_be_bytes());
                            got.extend_from_slice(&head.method.to_be_bytes());
                            got.extend_from_slice(&head.flags.to_be_bytes());
                        }
                    });
                }
            }
            let want: Vec<u8> = self.calls.iter().flat_map(Call::flat).collect();
            expect_same(&got, &want)?;
            if frames != FRAMES {
                return Err(format!("{frames} frames of {FRAMES}"));
            }
        }
        Ok(())
    }
}

/// The floor: each batch copied to the socket, each chunk out of it.
fn copies() -> Copies {
    let mut steps = Vec::new();
    for calls in Call::all(SEED).chunks(BATCH) {
        let batch: Vec<u8> = calls.iter().flat_map(Call::flat).collect();
        for arrived in batch.chunks(ARRIVES) {
            steps.push((arrived.to_vec(), 0));
        }
        steps.push((Vec::new(), batch.len()));
    }
    Copies::new(steps)
}

const PEERS: &[&str] = &[
    "bytes_mut",
    "bytes_mut-split_to",
    "bytes_deque",
    "bytes_utils",
    "buf_list",
    "vec",
];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "rpc",
        title: "RPC frames of 64 B to 64 KiB: encode, send in batches of 8, receive in chunks, decode",
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        unit: Unit::PerOp {
            part: "frame",
            parts: FRAMES as f64,
        },
        contenders: vec![
            Contender::linkbuf("linkbuf", || Run::new(Link::new(linkbuf::heap))).every(3),
            Contender::linkbuf("linkbuf-pooled", || Run::new(Link::new(linkbuf::pooled))),
            Contender::linkbuf("linkbuf-keep", || Run::new(Link::new(linkbuf::keeping))),
            Contender::linkbuf("linkbuf-mmap", || Run::new(Link::new(linkbuf::mmap))),
            Contender::linkbuf("linkbuf-hugepage", || {
                Run::new(Link::new(linkbuf::huge_page))
            }),
            Contender::linkbuf("linkbuf-mimalloc", || {
                Run::new(Link::new(linkbuf::mimalloc))
            }),
            Contender::peer("bytes_mut", || Run::new(bytes_mut::Advance::new())),
            Contender::peer("bytes_mut-split_to", || Run::new(bytes_mut::SplitTo::new())),
            Contender::peer("bytes_deque", || Run::new(Segments::<Deque>::new())),
            Contender::peer("bytes_utils", || Run::new(Segments::<Segmented>::new())),
            Contender::peer("buf_list", || Run::new(Segments::<BufLists>::new())),
            Contender::peer("vec", || Run::new(vec::Cursor::new())),
            Contender::floor("memcpy", copies),
        ],
        baseline: "bytes_mut",
        bars: vec![Bar::must("linkbuf-pooled", PEERS, 1.1)],
        no_allocs: &["linkbuf-keep"],
        alloc_shares: vec![Share::OP],
    }
}
