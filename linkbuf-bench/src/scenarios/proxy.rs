//! A proxy that looks at nothing: chunks of 16 KiB are read and written on as they are.
//!
//! 64 chunks arrive. After each, the other side takes what one write call may find room for there: 4 to 28 KiB, as much
//! as arrives on average, so that a backlog comes and goes. At the end it takes all that is left.

use super::pattern::{Numbers, pattern};
use super::socket::{Event, Outbound, Run};
use crate::contenders::shapes::floor::Copies;
use crate::contenders::shapes::linkbuf::{self, Link};
use crate::contenders::shapes::segmented::{BufLists, Deque, Segmented, Segments};
use crate::contenders::shapes::{bytes_mut, vec};
use crate::scenario::{Bar, Case, Contender, Scenario, Share, Unit};

/// Bytes of a chunk.
pub(crate) const CHUNK: usize = 16 * 1024;
/// Chunks of an operation.
const CHUNKS: usize = 64;
const BYTES: usize = CHUNK * CHUNKS;

pub(crate) trait Proxy {
    /// Reads all of `arrived`, and sends what there is, as far as it is taken.
    fn pass(&mut self, arrived: &[u8], out: &mut Outbound);
}

fn events(all: &[u8]) -> Vec<Event> {
    let mut numbers = Numbers::new(5);
    let event = |arrived: &[u8]| Event {
        arrived: arrived.to_vec(),
        takes: numbers.within(4 * 1024..=28 * 1024),
    };
    let mut events: Vec<_> = all.chunks(CHUNK).map(event).collect();
    // Room enough for all, some hundred KiB at a time.
    events.extend((0..4).map(|_| Event::of(&[])));
    events
}

fn case<C: Proxy>(contender: C) -> impl Case {
    let all = pattern(BYTES, 7);
    Run::new(contender, C::pass, events(&all), all)
}

/// The floor: each chunk copied out of one socket and to the other.
fn copies() -> Copies {
    let all = pattern(BYTES, 7);
    let step = |chunk: &[u8]| (chunk.to_vec(), chunk.len());
    Copies::new(all.chunks(CHUNK).map(step).collect())
}

const PEERS: &[&str] = &["bytes_mut", "bytes_deque", "bytes_utils", "buf_list", "vec"];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "proxy",
        title: "pass-through proxy: chunks of 16 KiB in, out by writes that take 4 to 28 KiB",
        unit: Unit::Rate {
            bytes: BYTES as u64,
        },
        contenders: vec![
            Contender::linkbuf("linkbuf", || case(Link::new(linkbuf::heap))).every(3),
            Contender::linkbuf("linkbuf-pooled", || case(Link::new(linkbuf::pooled))),
            Contender::linkbuf("linkbuf-keep", || case(Link::new(linkbuf::keeping))),
            Contender::linkbuf("linkbuf-mmap", || case(Link::new(linkbuf::mmap))),
            Contender::linkbuf("linkbuf-hugepage", || case(Link::new(linkbuf::huge_page))),
            Contender::linkbuf("linkbuf-mimalloc", || case(Link::new(linkbuf::mimalloc))),
            Contender::peer("bytes_mut", || case(bytes_mut::Advance::new())),
            Contender::peer("bytes_deque", || case(Segments::<Deque>::new())),
            Contender::peer("bytes_utils", || case(Segments::<Segmented>::new())),
            Contender::peer("buf_list", || case(Segments::<BufLists>::new())),
            Contender::peer("vec", || case(vec::Cursor::new())),
            Contender::floor("memcpy", copies),
        ],
        baseline: "bytes_mut",
        bars: vec![Bar::must("linkbuf-pooled", PEERS, 1.1)],
        no_allocs: &["linkbuf-keep"],
        alloc_shares: vec![Share::OP],
    }
}
