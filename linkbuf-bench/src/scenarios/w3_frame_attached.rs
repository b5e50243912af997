//! W3: a frame whose payload, a refcounted `Bytes`, is attached without a copy.

use super::frame::Run;
use crate::contenders::bytes_mut::Segments;
use crate::contenders::floor::StoresAndPair;
use crate::contenders::linkbuf::{Attached, Linked};
use crate::contenders::linked_bytes;
use crate::contenders::shapes::segmented::{BufLists, Frames, Segmented};
use crate::scenario::{Bar, Contender, Scenario, Share, Unit};

const PEERS: &[&str] = &["bytes_mut", "linked_bytes", "bytes_utils", "buf_list"];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "W3",
        title: "frame: 4 B slot, 32 × 12 B fields, 16 KiB attached, slot filled, iovecs, drain",
        unit: Unit::OP,
        contenders: vec![
            Contender::linkbuf("linkbuf", || Run::new(Attached(Linked::new()))),
            Contender::linkbuf("linkbuf-pooled", || Run::new(Attached(Linked::pooled()))),
            Contender::peer("bytes_mut", || Run::new(Segments::new())),
            Contender::peer("linked_bytes", || Run::new(linked_bytes::Attached::new())),
            Contender::peer("bytes_utils", || Run::new(Frames::<Segmented>::new())),
            Contender::peer("buf_list", || Run::new(Frames::<BufLists>::new())),
            Contender::floor("stores-and-pair", || Run::new(StoresAndPair::new())),
        ],
        baseline: "bytes_mut",
        bars: vec![
            // With the default settings, against the fastest of what a program would use instead.
            Bar::must("linkbuf-pooled", PEERS, 1.1),
            Bar::must("linkbuf", &["bytes_mut"], 0.6),
            Bar::aim("linkbuf", &["bytes_mut"], 0.4),
        ],
        no_allocs: &["linkbuf", "linkbuf-pooled"],
        alloc_shares: vec![Share::OP],
    }
}
