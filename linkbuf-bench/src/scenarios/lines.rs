//! A line protocol: chunks arrive with lines cut anywhere, each whole line is parsed and answered by a short one.
//!
//! A request is `key value\n` of 20 to 120 bytes; the answer is `OK key\n`. 400 requests arrive in chunks of 1 to 2,896
//! bytes (two segments of Ethernet); all answers to a chunk are sent by one write call.

use super::pattern::{Numbers, cut};
use super::socket::{Event, Outbound, Run};
use crate::contenders::shapes::floor::Copies;
use crate::contenders::shapes::linkbuf::{self, Link};
use crate::contenders::shapes::{bytes_mut, vec};
use crate::scenario::{Bar, Case, Contender, Scenario, Share, Unit};

/// Requests of an operation.
const REQUESTS: usize = 400;

pub(crate) trait LineServer {
    /// Reads all of `arrived`, answers each line that is whole then, and sends the answers.
    fn serve(&mut self, arrived: &[u8], out: &mut Outbound);
}

/// What an answer begins with; the request's key and a `\n` follow.
pub(crate) const OK: &[u8; 3] = b"OK ";

/// The key of a request: what stands before its first space.
#[inline]
pub(crate) fn key(line: &[u8]) -> &[u8] {
    let end = memchr::memchr(b' ', line);
    &line[..end.unwrap_or_default()]
}

/// All requests, and all answers.
fn texts() -> (Vec<u8>, Vec<u8>) {
    let mut numbers = Numbers::new(3);
    let (mut requests, mut answers) = (Vec::new(), Vec::new());
    for n in 0..REQUESTS {
        let end = requests.len() + numbers.within(20..=120);
        requests.extend_from_slice(format!("key:{n:04} ").as_bytes());
        while requests.len() < end - 1 {
            requests.push(b'a' + u8::try_from(numbers.within(0..=25)).unwrap_or(0));
        }
        requests.push(b'\n');
        answers.extend_from_slice(format!("OK key:{n:04}\n").as_bytes());
    }
    (requests, answers)
}

/// The chunks in which requests arrive.
fn chunks(requests: &[u8]) -> Vec<&[u8]> {
    cut(requests, &mut Numbers::new(4), 1..=2_896)
}

fn case<C: LineServer>(contender: C) -> impl Case {
    let (requests, answers) = texts();
    let events = chunks(&requests).into_iter().map(Event::of).collect();
    Run::new(contender, C::serve, events, answers)
}

/// The floor: each chunk copied out of the socket, as many answers as it has lines copied to it.
fn copies() -> Copies {
    let (requests, answers) = texts();
    let step = |chunk: &[u8]| {
        let lines = memchr::memchr_iter(b'\n', chunk).count();
        (chunk.to_vec(), lines * answers.len() / REQUESTS)
    };
    let steps = chunks(&requests).into_iter().map(step).collect();
    Copies::new(steps)
}

const PEERS: &[&str] = &["bytes_mut", "bytes_mut-split_to", "vec"];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "lines",
        title: "line protocol: lines of 20 to 120 B arrive cut anywhere; parse each, answer",
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        unit: Unit::PerOp {
            part: "line",
            parts: REQUESTS as f64,
        },
        contenders: vec![
            Contender::linkbuf("linkbuf", || case(Link::new(linkbuf::heap))).every(3),
            Contender::linkbuf("linkbuf-pooled", || case(Link::new(linkbuf::pooled))),
            Contender::linkbuf("linkbuf-keep", || case(Link::new(linkbuf::keeping))),
            Contender::peer("bytes_mut", || case(bytes_mut::Advance::new())),
            Contender::peer("bytes_mut-split_to", || case(bytes_mut::SplitTo::new())),
            Contender::peer("vec", || case(vec::Cursor::new())),
            Contender::floor("memcpy", copies),
        ],
        baseline: "bytes_mut",
        bars: vec![Bar::must("linkbuf-pooled", PEERS, 1.1)],
        no_allocs: &["linkbuf-keep"],
        alloc_shares: vec![Share::OP],
    }
}
