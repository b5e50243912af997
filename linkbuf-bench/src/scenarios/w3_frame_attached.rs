//! W3: a frame whose payload, a refcounted `Bytes`, is attached without a copy.

use super::frame::Run;
use crate::contenders::bytes_mut::Segments;
use crate::contenders::floor::StoresAndPair;
use crate::contenders::linkbuf::{Attached, Linked};
use crate::contenders::linked_bytes;
use crate::scenario::{Bar, Contender, Scenario, Share, Unit};

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "W3",
        title: "frame: 4 B slot, 32 × 12 B fields, 16 KiB attached, slot filled, iovecs, drain",
        unit: Unit::OP,
        contenders: vec![
            Contender::new("linkbuf", || Run::new(Attached(Linked::new()))),
            Contender::new("bytes_mut", || Run::new(Segments::new())),
            Contender::new("linked_bytes", || Run::new(linked_bytes::Attached::new())),
            Contender::new("stores-and-pair", || Run::new(StoresAndPair::new())),
        ],
        baseline: "bytes_mut",
        bars: vec![
            Bar::must("linkbuf", &["bytes_mut"], 0.6),
            Bar::aim("linkbuf", &["bytes_mut"], 0.4),
        ],
        no_allocs: &["linkbuf"],
        alloc_shares: vec![Share::OP],
    }
}
