//! Recorded traffic, passed through the contenders as a proxy would pass it on.
//!
//! Chunk by chunk, with the borders that the sockets gave: read into the connection's input buffer, cut into RESP
//! messages of which every bulk value becomes a refcounted slice, written again to the connection's output buffer
//! (values from the copy threshold on attached, smaller ones copied), exported as iovecs, drained. What comes out has
//! to be what went in, byte for byte.

mod bytes_mut;
mod floor;
mod linkbuf;
mod linked_bytes;
mod recording;
mod resp;

use std::hint::black_box;
use std::io::IoSlice;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub use recording::{Chunk, Recording};

use linkbuf_core::{LinkBuffer, NodeAllocator};

use crate::contenders::shapes::linkbuf as buffers;
use crate::scenario::{Bar, Case, Contender, Kind, Scenario, Share, Unit};

/// Values of at least so many bytes are attached by everyone: what linkbuf does unless told otherwise.
const ATTACH_FROM: usize = 4096;

/// One direction of one connection: its buffers, and where its parser stands.
trait Stream {
    /// Whether it cuts messages, and counts them.
    const PARSES: bool = true;

    /// Passes `chunk` from the input to the output, and hands what comes out to `seen`. Returns how many messages
    /// it completed.
    ///
    /// # Errors
    /// What was not RESP.
    fn pass(
        &mut self,
        chunk: &[u8],
        seen: impl FnMut(&[IoSlice<'_>]),
    ) -> Result<u64, resp::NotResp>;

    /// Whether nothing is left inside: all that came in went out.
    fn is_idle(&self) -> bool;
}

struct Replay<S> {
    recording: Rc<Recording>,
    streams: Vec<S>,
}

impl<S: Stream> Replay<S> {
    fn new(recording: &Rc<Recording>, stream: impl Fn() -> S) -> Self {
        Self {
            streams: (0..recording.streams()).map(|_| stream()).collect(),
            recording: Rc::clone(recording),
        }
    }
}

impl<S: Stream> Case for Replay<S> {
    fn run(&mut self, ops: u64) -> Duration {
        let streams = black_box(&mut self.streams);
        let start = Instant::now();
        for _ in 0..ops {
            for chunk in self.recording.chunks() {
                let messages = streams[chunk.stream].pass(black_box(chunk.bytes), |iovecs| {
                    black_box(iovecs);
                });
                black_box(messages).expect("check has been through it");
            }
        }
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        // Twice: the second pass meets buffers that were used.
        for pass in 1..=2 {
            let mut out = vec![Vec::new(); self.streams.len()];
            let mut messages = 0;
            for chunk in self.recording.chunks() {
                let out = &mut out[chunk.stream];
                messages += self.streams[chunk.stream]
                    .pass(chunk.bytes, |iovecs| {
                        for piece in iovecs {
                            out.extend_from_slice(piece);
                        }
                    })
                    .map_err(|error| error.to_string())?;
            }
            if out != self.recording.by_stream() {
                return Err(format!("pass {pass}: output isn't the input"));
            }
            if S::PARSES && messages != self.recording.messages() {
                return Err(format!("pass {pass}: {messages} messages"));
            }
            if !self.streams.iter().all(Stream::is_idle) {
                return Err(format!("pass {pass}: something stayed inside"));
            }
        }
        Ok(())
    }
}

const PEERS: &[&str] = &["bytes_mut-attach", "bytes_mut-flat", "linked_bytes"];
const BYTES_MUT: &[&str] = &["bytes_mut-attach", "bytes_mut-flat"];

/// A contender that makes a stream per direction of each connection.
fn contender<S: Stream + 'static>(
    kind: Kind,
    name: &'static str,
    recording: &Rc<Recording>,
    stream: fn() -> S,
) -> Contender {
    let recording = Rc::clone(recording);
    Contender::of(kind, name, move || Replay::new(&recording, stream))
}

/// linkbuf, over memory that `buffer` knows; all of the scenario in one of two rounds, because so many take part.
fn linked<A: NodeAllocator>(
    name: &'static str,
    recording: &Rc<Recording>,
    buffer: fn() -> LinkBuffer<A>,
) -> Contender {
    let recording = Rc::clone(recording);
    let make = move || Replay::new(&recording, || linkbuf::Proxy::with(buffer));
    Contender::linkbuf(name, make).every(2)
}

/// The replay of `recording` by everyone.
///
/// ```
/// use linkbuf_bench::replay::{Recording, scenario};
///
/// let recording = Recording::parse("ok", "one reply", b"\x01\x07\x00\x05\x00\x00\x00+OK\r\n").unwrap();
/// for contender in scenario(recording).contenders {
///     assert_eq!(contender.make().check(), Ok(()));
/// }
/// ```
pub fn scenario(recording: Recording) -> Scenario {
    let recording = Rc::new(recording);
    Scenario {
        id: recording.id,
        title: recording.title,
        unit: Unit::Rate {
            bytes: recording.bytes(),
        },
        contenders: vec![
            linked("linkbuf", &recording, buffers::heap),
            linked("linkbuf-pooled", &recording, buffers::pooled),
            linked("linkbuf-keep", &recording, buffers::keeping),
            linked("linkbuf-mmap", &recording, buffers::mmap),
            linked("linkbuf-hugepage", &recording, buffers::huge_page),
            linked("linkbuf-mimalloc", &recording, buffers::mimalloc),
            contender(
                Kind::Peer,
                "bytes_mut-attach",
                &recording,
                bytes_mut::Attaching::new,
            ),
            contender(
                Kind::Peer,
                "bytes_mut-flat",
                &recording,
                bytes_mut::Flat::new,
            ),
            contender(
                Kind::Peer,
                "linked_bytes",
                &recording,
                linked_bytes::Proxy::new,
            ),
            contender(Kind::Floor, "memcpy", &recording, floor::OneCopy::new),
        ],
        baseline: "bytes_mut-attach",
        bars: vec![
            // With the default settings, against the fastest of what a program would use instead.
            Bar::must("linkbuf-pooled", PEERS, 1.1),
            Bar::must("linkbuf-keep", BYTES_MUT, 1.0),
            Bar::aim("linkbuf-keep", BYTES_MUT, 1.0 / 1.5),
        ],
        no_allocs: &["linkbuf-keep"],
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
        alloc_shares: vec![
            Share {
                part: "message",
                parts: recording.messages() as f64,
            },
            Share {
                part: "MB",
                parts: recording.bytes() as f64 / 1e6,
            },
        ],
    }
}

/// The recordings of this crate.
pub(crate) fn scenarios() -> impl Iterator<Item = Scenario> {
    Recording::all().into_iter().map(scenario)
}
