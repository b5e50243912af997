//! W4: a frame whose payload is copied.

use super::frame::Run;
use crate::contenders::bytes_mut::Flat;
use crate::contenders::floor::FrameMemcpy;
use crate::contenders::linkbuf::{Copied, Linked};
use crate::contenders::linked_bytes;
use crate::scenario::{Bar, Contender, Scenario, Share, Unit};

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "W4",
        title: "the same frame, 16 KiB copied",
        unit: Unit::OP,
        contenders: vec![
            Contender::new("linkbuf", || Run::new(Copied(Linked::new()))),
            Contender::new("linkbuf-pooled", || Run::new(Copied(Linked::pooled()))),
            Contender::new("linkbuf-keep", || Run::new(Copied(Linked::keeping()))),
            Contender::new("bytes_mut", || Run::new(Flat::new())),
            Contender::new("linked_bytes", || Run::new(linked_bytes::Copied::new())),
            Contender::new("memcpy", || Run::new(FrameMemcpy::new())),
        ],
        baseline: "bytes_mut",
        bars: vec![
            Bar::must("linkbuf-keep", &["bytes_mut"], 1.0),
            Bar::aim("linkbuf-keep", &["memcpy"], 1.3),
        ],
        no_allocs: &["linkbuf-keep"],
        alloc_shares: vec![Share::OP],
    }
}
