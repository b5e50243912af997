//! W4: a frame whose payload is copied.

use super::frame::Run;
use crate::contenders::bytes_mut::Flat;
use crate::contenders::floor::FrameMemcpy;
use crate::contenders::linkbuf::{Copied, Linked};
use crate::contenders::linked_bytes;
use crate::contenders::vec;
use crate::scenario::{Bar, Contender, Scenario, Share, Unit};

const PEERS: &[&str] = &["bytes_mut", "linked_bytes", "vec"];

pub(super) fn scenario() -> Scenario {
    Scenario {
        id: "W4",
        title: "the same frame, 16 KiB copied",
        unit: Unit::OP,
        contenders: vec![
            Contender::linkbuf("linkbuf", || Run::new(Copied(Linked::new()))),
            Contender::linkbuf("linkbuf-pooled", || Run::new(Copied(Linked::pooled()))),
            Contender::linkbuf("linkbuf-keep", || Run::new(Copied(Linked::keeping()))),
            Contender::peer("bytes_mut", || Run::new(Flat::new())),
            Contender::peer("linked_bytes", || Run::new(linked_bytes::Copied::new())),
            Contender::peer("vec", || Run::new(vec::Flat::new())),
            Contender::floor("memcpy", || Run::new(FrameMemcpy::new())),
        ],
        baseline: "bytes_mut",
        bars: vec![
            // With the default settings, against the fastest of what a program would use instead.
            Bar::must("linkbuf-pooled", PEERS, 1.1),
            Bar::must("linkbuf-keep", &["bytes_mut"], 1.0),
            Bar::aim("linkbuf-keep", &["memcpy"], 1.3),
        ],
        no_allocs: &["linkbuf-keep"],
        alloc_shares: vec![Share::OP],
    }
}
