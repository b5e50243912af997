//! Giving memory back, and what is held.

use super::{
    chain::{Chain, Shape},
    node::{HEADER, NodePtr, same},
    span,
};
use crate::{allocator::NodeAllocator, policy::COLD_SHARE, stats::Memory};

impl<A: NodeAllocator> Chain<A> {
    /// `release` where it is more than starting over in the one node.
    #[inline(never)]
    pub(super) fn release_slow(&mut self) {
        self.booking.len = 0;
        self.release_scratch();
        // A node that was read to its end goes, also when only pending bytes follow.
        while self.r.ptr == self.r.end && !same(self.r.node, self.w.tail) {
            if same(self.r.node, self.f.node) && !self.pass_flush_point() {
                break;
            }
            if !self.next_node() {
                break;
            }
        }
        if self.r.ptr == self.w.ptr && same(self.r.node, self.w.tail) {
            self.drained();
        } else {
            self.drop_read();
            self.refresh();
        }
    }

    /// Moves the flush point from the end of its node to the next one's start. False: the node has pending bytes.
    fn pass_flush_point(&mut self) -> bool {
        let Some(node) = self.f.node else {
            return false;
        };
        if self.f.ptr != node.end() {
            return false;
        }
        let Some(next) = node.next() else {
            return false;
        };
        self.f.node = Some(next);
        self.f.ptr = next.start();
        true
    }

    /// Disposes of the nodes before the reader's.
    pub(super) fn drop_read(&mut self) {
        while !same(self.r.head, self.r.node) {
            let Some(node) = self.r.head else { return };
            self.r.head = node.next();
            if same(self.resume, Some(node)) {
                self.resume = None;
            }
            self.store.dispose_front(node);
        }
    }

    /// All was read, and nothing is pending: one node stays to be written to, within the bound, and the rest goes.
    fn drained(&mut self) {
        self.store.drop_pins();
        if self.cold_counted() > self.store.config.keep() / COLD_SHARE {
            // The tables have grown too much to stay beside a node.
            self.drop_cold();
        }
        if !self.store.make_room(0) {
            self.drop_scratch();
        }
        let stays = self
            .find_largest()
            .filter(|n| self.store.make_room(HEADER + n.block().cap()));
        let place = self.w.ptr;
        let list = self.take_out(stays);
        // The chain is whole again before an owner is dropped: its code may panic.
        let mut rewound = false;
        if let Some(node) = stays {
            self.store.hold(node.block().cap());
            if node.block().refs().only(node.credit()) {
                if self.store.config.scrub {
                    node.block().reset_init();
                }
                // A part of it that was given up early was taken for a view.
                node.block().unpin();
                node.empty_window();
                self.start_at(node, node.start());
                rewound = true;
            } else {
                self.start_at(node, place);
            }
        } else {
            self.forget_nodes();
        }
        self.store.dispose_list(list);
        if rewound {
            // What `refresh` would find: nothing is pending, so no slot is open, and what may stay is not sealed.
            self.shape = if self.store.config.scrub {
                Shape::Any
            } else {
                Shape::Simple
            };
            self.slots = false;
            self.seal = false;
        } else {
            let within = stays.is_some() || self.store.make_room(0);
            debug_assert!(
                within,
                "nothing is left but tables, and they are within their share"
            );
            self.refresh();
        }
    }

    /// `drained` of the commonest chain there is: a node that was written to, and stays, and one behind it that does
    /// not: attached, a part of what others see, or too large. False: it is another one.
    #[inline(never)]
    pub(super) fn drained_pair(&mut self) -> bool {
        let (Some(first), Some(last)) = (self.r.head, self.w.tail) else {
            return false;
        };
        let block = first.own_block();
        if !same(first.next(), Some(last))
            || self.r.ptr != self.w.ptr
            || !same(self.r.node, Some(last))
            || self.scratch_used
            || (last.has_room() && self.store.fits(last.block().cap()))
            // The first is a native node that sees the block in its own header,
            || !(first.has_room() && first.is_primary())
            // and what is done to it is what `drained` would do.
            || !block.refs().only(first.credit())
            || self.cold_counted() > self.store.config.keep() / COLD_SHARE
            || !self.store.fits(block.cap())
            || self.store.config.scrub
            || self.store.has_pins()
        {
            return false;
        }
        self.booking.len = 0;
        first.set_next(None);
        first.empty_window();
        self.start_at(first, first.start());
        self.store.hold(block.cap());
        self.shape = Shape::Simple;
        self.slots = false;
        self.seal = false;
        self.store.dispose(last);
        true
    }

    /// The chain's list without one of its nodes, which ends up linked to none.
    fn take_out(&mut self, node: Option<NodePtr>) -> Option<NodePtr> {
        let Some(node) = node else { return self.r.head };
        let after = node.next();
        node.set_next(None);
        if same(self.r.head, Some(node)) {
            return after;
        }
        let mut at = self.r.head;
        while let Some(before) = at {
            at = before.next();
            if same(at, Some(node)) {
                before.set_next(after);
                break;
            }
        }
        self.r.head
    }

    /// The largest node that could stay: nobody else sees its block, or it is the tail and there is room behind what
    /// others see.
    fn find_largest(&self) -> Option<NodePtr> {
        let fixed = HEADER + self.cold_counted() + self.scratch_kept();
        let mut largest: Option<NodePtr> = None;
        let mut at = self.r.head;
        while let Some(node) = at {
            at = node.next();
            let block = node.block();
            let cap = block.cap();
            if node.is_primary()
                && block.native()
                && largest.is_none_or(|l| l.block().cap() < cap)
                && cap.saturating_add(fixed) <= self.store.config.keep()
                && (block.refs().only(node.credit()) || (at.is_none() && self.room() > 0))
            {
                largest = Some(node);
            }
        }
        largest
    }

    /// Makes a node the chain's only one, with all cursors at one place in it: all was read.
    #[inline(always)]
    fn start_at(&mut self, node: NodePtr, at: *mut u8) {
        let position = self.position();
        self.searched.forget();
        self.shape = Shape::Any;
        self.resume = None;
        self.f.pend = 0;
        self.r.beyond = 0;
        self.r.head = Some(node);
        self.r.node = Some(node);
        self.r.ptr = at;
        self.r.end = at;
        self.r.bias = position.wrapping_sub(at.addr());
        self.f.node = Some(node);
        self.f.ptr = at;
        self.w.tail = Some(node);
        self.w.ptr = at;
        self.open_room();
    }

    /// Empties the chain without disposing of its nodes: they are another's, or about to go. The reader's position is
    /// as before.
    #[inline]
    pub(super) fn forget_nodes(&mut self) {
        self.f.pend = 0;
        self.resume = None;
        self.forget_plain();
    }

    /// `forget_nodes` of a chain with no node to resume, and nothing pending before its tail.
    #[inline(always)]
    pub(super) fn forget_plain(&mut self) {
        let place = self.r.ptr;
        self.w.ptr = place;
        self.w.end = place;
        self.w.tail = None;
        self.f.node = None;
        self.f.ptr = place;
        self.r.end = place;
        self.r.node = None;
        self.r.head = None;
        self.r.beyond = 0;
        self.shape = Shape::Any;
        self.booking.len = 0;
    }

    /// Disposes of every node and all scratch.
    pub(super) fn dispose_all(&mut self) {
        self.drop_scratch();
        let list = self.r.head;
        self.forget_nodes();
        self.store.dispose_list(list);
    }

    /// Frees the tables; open slots are closed by that.
    pub(super) fn drop_cold(&mut self) {
        self.store.count(0, self.cold_counted());
        self.cold = None;
        // A long pattern was remembered there.
        self.searched.forget_long();
    }

    /// What the store counts for the tables.
    #[inline]
    pub(super) fn cold_counted(&self) -> usize {
        self.cold.as_ref().map_or(0, |c| c.counted)
    }

    /// Closes all slots.
    #[inline]
    pub(super) fn close_slots(&mut self) {
        self.slots = false;
        if self.cold.as_mut().is_some_and(|c| c.close_all()) {
            self.recount();
        }
    }

    /// Forgets all bytes; keeps what the policy allows.
    pub(crate) fn clear(&mut self) {
        self.close_slots();
        self.searched.forget();
        self.booking.len = 0;
        self.drop_scratch();
        let position = self.position().wrapping_add(self.len() + self.pending());
        self.r.node = self.w.tail;
        self.r.ptr = self.w.ptr;
        self.r.end = self.w.ptr;
        self.r.beyond = 0;
        self.r.bias = position.wrapping_sub(self.r.ptr.addr());
        self.f.node = self.w.tail;
        self.f.ptr = self.w.ptr;
        self.f.pend = 0;
        self.release_slow();
    }

    /// Gives back all memory that holds no bytes.
    pub(crate) fn trim(&mut self) {
        self.release_slow();
        if self.len() + self.pending() == 0 {
            self.dispose_all();
        }
        self.drop_scratch();
        if self.cold.as_ref().is_some_and(|c| !c.has_slots()) {
            self.drop_cold();
        }
        self.store.trim();
        self.store.drop_pins();
        self.refresh();
    }

    /// What is held, by kind. O(nodes).
    pub(crate) fn memory(&self) -> Memory {
        let (spare, overhead, pinned) = self.store.figures();
        // What the store counts of a scratch node that stays is counted below, node by node.
        let overhead = overhead - self.scratch_kept();
        let mut memory = Memory {
            spare,
            overhead,
            pinned,
            ..Memory::default()
        };
        let scratch_live = self.scratch_used;
        for (list, in_chain) in [(self.r.head, true), (self.scratch.first(), false)] {
            let mut at = list;
            // The parts of a split block follow each other, with attached nodes between.
            let mut counted = None;
            while let Some(node) = at {
                at = node.next();
                memory.overhead += HEADER;
                memory.nodes += usize::from(in_chain);
                let block = node.block();
                if !block.native() || !(node.is_primary() || node.has_room()) {
                    let end = if same(self.w.tail, Some(node)) {
                        self.w.ptr
                    } else {
                        node.end()
                    };
                    memory.foreign += span(node.start(), end);
                } else if counted != Some(block) {
                    counted = Some(block);
                    if in_chain || scratch_live {
                        memory.live += block.cap();
                    } else {
                        memory.spare += block.cap();
                    }
                }
            }
        }
        memory
    }
}
