//! TLS records, passed on as a proxy does that has the kernel or a card decrypt them: the payload goes on, what is
//! around it doesn't.
//!
//! A record has a header of 5 bytes, a nonce of 8, 16 KiB of payload and a tag of 16, as AES-GCM in TLS 1.2 has. 16
//! records arrive in chunks of 1 to 32 KiB, each whole one is cut, its payload appended to the other
//! connection's output, and that sent. Who can attach the payload does; the others copy it.

use std::iter;

use super::pattern::{Numbers, cut, pattern};
use super::socket::{Event, Outbound, Run};
use crate::contenders::shapes::floor::Copies;
use crate::contenders::shapes::linkbuf::{self, Link};
use crate::contenders::shapes::segmented::{BufLists, Deque, Segmented, Segments};
use crate::contenders::shapes::{bytes_mut, vec};
use crate::scenario::{Bar, Case, Contender, Scenario, Share, Unit};

/// Records of an operation.
const RECORDS: usize = 16;
/// Bytes of a record's payload.
const PAYLOAD: usize = 16 * 1024;

/// The parts of a record.
pub(crate) struct Record;

impl Record {
    /// Bytes of a record's header: a type, a version of 2 bytes, and a length of 2.
    pub(crate) const HEADER: usize = 5;
    /// Bytes of the nonce, which follows the header and counts to the length.
    pub(crate) const NONCE: usize = 8;
    /// Bytes of the tag, which ends the record and counts to the length.
    pub(crate) const TAG: usize = 16;

    /// Bytes of the payload of the record that begins with `header`.
    #[inline]
    pub(crate) fn payload(header: &[u8; Self::HEADER]) -> usize {
        let [_, _, _, high, low] = *header;
        usize::from(u16::from_be_bytes([high, low])).saturating_sub(Self::NONCE + Self::TAG)
    }

    /// Bytes of a whole record with so much payload.
    #[inline]
    pub(crate) fn len(payload: usize) -> usize {
        Self::HEADER + Self::NONCE + payload + Self::TAG
    }
}

pub(crate) trait Tls {
    /// Reads all of `arrived`, appends the payload of each record that is whole then to the output, and sends that.
    fn forward(&mut self, arrived: &[u8], out: &mut Outbound);
}

/// All records, and all payloads.
fn streams() -> (Vec<u8>, Vec<u8>) {
    let payloads = pattern(RECORDS * PAYLOAD, 9);
    let mut records = Vec::new();
    for (n, payload) in (0..).zip(payloads.chunks(PAYLOAD)) {
        let len = u16::try_from(Record::NONCE + payload.len() + Record::TAG);
        records.extend_from_slice(&[0x17, 3, 3]);
        records.extend_from_slice(&len.unwrap_or(0).to_be_bytes());
        records.extend_from_slice(&pattern(Record::NONCE, n));
        records.extend_from_slice(payload);
        records.extend_from_slice(&pattern(Record::TAG, !n));
    }
    (records, payloads)
}

/// The chunks in which records arrive.
fn chunks(records: &[u8]) -> Vec<&[u8]> {
    cut(records, &mut Numbers::new(6), 1024..=32 * 1024)
}

fn case<C: Tls>(contender: C) -> impl Case {
    let (records, payloads) = streams();
    let events = chunks(&records).into_iter().map(Event::of).collect();
    Run::new(contender, C::forward, events, payloads)
}

/// The floor: the chunks copied out of one socket, the payloads to the other.
fn copies() -> Copies {
    let (records, _) = streams();
    let chunks = chunks(&records);
    let mut payloads = iter::repeat_n(PAYLOAD, RECORDS);
    let step = |chunk: &&[u8]| (chunk.to_vec(), payloads.next().unwrap_or(0));
    let mut steps: Vec<_> = chunks.iter().map(step).collect();
    steps.extend(payloads.map(|sent| (Vec::new(), sent)));
    Copies::new(steps)
}

const PEERS: &[&str] = &[
    "bytes_mut",
    "bytes_mut-attach",
    "bytes_deque",
    "bytes_utils",
    "buf_list",
    "vec",
];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "tls",
        title: "TLS records of 16 KiB arrive in chunks: pass the payload on without header, nonce and tag",
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        unit: Unit::PerOp {
            part: "record",
            parts: RECORDS as f64,
        },
        contenders: vec![
            Contender::linkbuf("linkbuf", || case(Link::new(linkbuf::heap))).every(3),
            Contender::linkbuf("linkbuf-pooled", || case(Link::new(linkbuf::pooled))),
            Contender::linkbuf("linkbuf-keep", || case(Link::new(linkbuf::keeping))),
            Contender::peer("bytes_mut", || case(bytes_mut::Advance::new())),
            Contender::peer("bytes_mut-attach", || case(bytes_mut::SplitTo::new())),
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
