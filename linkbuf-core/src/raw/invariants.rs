//! The invariants of I2, I3, I5, I6 and I7, checked. Debug builds call this after every mutation of a small chain.

use super::{
    chain::{Chain, Shape},
    node::NodePtr,
    span,
};
use crate::allocator::NodeAllocator;

/// Chains with more nodes are checked only up to here, so that a debug build of a user's program stays usable.
const NODES: usize = 128;

impl<A: NodeAllocator> Chain<A> {
    /// Panics if the chain is not as `raw/mod.rs` says.
    pub(crate) fn check(&self) {
        self.store.check(self.cold_counted() + self.scratch_kept());
        assert_eq!(self.r.head.is_none(), self.w.tail.is_none());
        assert_eq!(self.r.node.is_none(), self.w.tail.is_none());
        assert_eq!(self.f.node.is_none(), self.w.tail.is_none());
        let Some(tail) = self.w.tail else {
            let place = self.r.ptr;
            let all = [self.r.end, self.f.ptr, self.w.ptr, self.w.end];
            assert_eq!(all, [place; 4], "all cursors are in one place");
            assert_eq!((self.r.beyond, self.f.pend, self.booking.len), (0, 0, 0));
            assert!(self.resume.is_none() && self.shape == Shape::Any);
            return;
        };
        assert!(tail.next().is_none(), "the list ends at the tail");
        assert!(self.r.ptr.addr() <= self.r.end.addr());
        assert!(self.w.ptr.addr() <= self.w.end.addr());
        if self.w.ptr != self.w.end {
            assert!(tail.has_room() && self.w.end.addr() <= tail.room_end().addr());
            let clean = tail.block().base().wrapping_add(tail.block().init());
            assert!(
                self.w.end.addr() <= clean.addr(),
                "the fast path's room is initialised"
            );
        }
        if self.f.node == Some(tail) {
            assert_eq!(self.f.pend, 0);
        }
        if self.shape != Shape::Any {
            let block = tail.block();
            assert!(
                self.r.head == self.w.tail && tail.is_primary() && tail.start() == block.base()
            );
            assert!(block.native() && block.cap() <= self.store.config.seal_above());
            assert!(!self.seal && !self.scratch_used && !self.store.config.scrub);
            assert!(
                self.store.fits(block.cap()),
                "a rewound node is within the bound"
            );
        }
        let slots = self.cold.as_ref().is_some_and(|c| c.has_slots());
        assert!(self.slots || !slots, "a flush closes what slots are open");
        assert!(self.shape != Shape::Simple || !slots);
        self.check_nodes(tail);
    }

    fn check_nodes(&self, tail: NodePtr) {
        let (mut beyond, mut pend) = (0, 0);
        let (mut read, mut flushed) = (false, false);
        let mut at = self.r.head;
        let mut count = 0;
        while let Some(node) = at {
            count += 1;
            if count > NODES {
                return;
            }
            let end = if node == tail { self.w.ptr } else { node.end() };
            let block = node.block();
            let len = span(node.start(), end);
            assert!(node.credit() >= 1);
            assert!(
                node.start().addr() >= block.base().addr(),
                "the window is in the block"
            );
            assert!(
                span(block.base(), end) <= block.cap(),
                "the window is in the block"
            );
            if node.has_room() {
                assert!(block.native(), "only native blocks have room");
                assert!(end.addr() <= node.room_end().addr());
                assert!(
                    span(block.base(), end) <= block.init(),
                    "bytes are initialised"
                );
            }
            let limit = if self.f.node == Some(node) {
                self.f.ptr
            } else {
                end
            };
            if self.r.node == Some(node) {
                assert!(!read && !flushed);
                assert!(span(node.start(), self.r.ptr) <= len && self.r.end == limit);
                read = true;
            } else if read && !flushed {
                beyond += span(node.start(), limit);
            }
            if self.f.node == Some(node) {
                assert!(read, "the flush point is not before the reader");
                assert!(span(node.start(), self.f.ptr) <= len);
                flushed = true;
                if node != tail {
                    pend += span(self.f.ptr, end);
                }
            } else if flushed && node != tail {
                pend += len;
            }
            if node == tail {
                break;
            }
            at = node.next();
        }
        assert!(
            read && flushed && at == Some(tail),
            "reader, flush point and tail are in the list"
        );
        assert_eq!((self.r.beyond, self.f.pend), (beyond, pend));
    }
}
