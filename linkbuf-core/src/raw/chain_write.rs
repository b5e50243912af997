//! The writer's slow paths: room, growth, discarding, publishing.
#![expect(unsafe_code, reason = "clears and fills room that was never written")]

use core::ptr;

use super::{
    chain::{Chain, Shape},
    node::{NodePtr, same},
    span,
};
use crate::{
    allocator::NodeAllocator,
    error::Error,
    policy::{CLEAR_STEP, COPY_NODE_MAX, PENDING_SHARE},
};

impl<A: NodeAllocator> Chain<A> {
    /// Makes `w.ptr .. w.end` at least `n` bytes.
    #[cold]
    #[inline(never)]
    pub(super) fn make_room(&mut self, n: usize) -> Result<(), Error> {
        self.check_total(n)?;
        if self.room() < n {
            let node = match self.reopen(n)? {
                Some(node) => node,
                None => self.further(n, n)?,
            };
            self.push_tail(node);
        }
        self.clear_ahead(n);
        self.refresh();
        Ok(())
    }

    /// Room for the next `n` bytes, also if it means a new tail without bytes.
    pub(crate) fn preallocate(&mut self, n: usize) -> Result<(), Error> {
        if self.has_room(n) {
            Ok(())
        } else {
            self.make_room(n)
        }
    }

    /// Would `n` more bytes make the length overflow?
    pub(super) fn check_total(&self, n: usize) -> Result<(), Error> {
        match (self.len() + self.pending()).checked_add(n) {
            Some(total) if isize::try_from(total).is_ok() => Ok(()),
            _ => Err(Error::CapacityOverflow { asked: n }),
        }
    }

    /// Room in the tail, initialised or not.
    #[inline]
    pub(super) fn room(&self) -> usize {
        match self.w.tail {
            Some(tail) if tail.has_room() => span(self.w.ptr, tail.room_end()),
            _ => 0,
        }
    }

    /// Initialises the first `n` bytes of the room, and a step more, and lets the fast path use them.
    pub(super) fn clear_ahead(&mut self, n: usize) {
        let Some(tail) = self.w.tail else { return };
        if !tail.has_room() {
            return;
        }
        let block = tail.block();
        let clean = block.base().wrapping_add(block.init());
        let room = span(self.w.ptr, tail.room_end());
        debug_assert!(n <= room);
        // A recycled block is initialised further than that, as a rule.
        if span(self.w.ptr, clean) < room.min(n.max(1)) {
            let want = self
                .w
                .ptr
                .wrapping_add(room.min(n.saturating_add(CLEAR_STEP)));
            let len = span(clean, want);
            // SAFETY: `clean .. want` is room of the tail: at or behind `w.ptr` (I2), at most `room_end` (I5).
            unsafe { ptr::write_bytes(clean, 0, len) };
            // SAFETY: the tail's writer is the block's; all bytes up to `want` are initialised now.
            unsafe { block.set_init(span(block.base(), want)) };
        }
        self.open_room();
    }

    /// Sets `w.end` to where the tail's room is initialised.
    pub(super) fn open_room(&mut self) {
        self.w.end = self.w.ptr;
        if let Some(tail) = self.w.tail
            && tail.has_room()
        {
            let block = tail.block();
            let clean = block.base().wrapping_add(block.init());
            let end = if clean.addr() < tail.room_end().addr() {
                clean
            } else {
                tail.room_end()
            };
            if end.addr() > self.w.ptr.addr() {
                self.w.end = end;
            }
        }
    }

    /// A new tail on the room that a node before the attached ones has left, if it is at least `n` bytes.
    pub(super) fn reopen(&mut self, n: usize) -> Result<Option<NodePtr>, Error> {
        let Some(left) = self.resume else {
            return Ok(None);
        };
        let (end, room_end) = (left.end(), left.room_end());
        if span(end, room_end) < n.max(1) {
            return Ok(None);
        }
        let right = self.store.header()?;
        right.make_sibling(left, end, end, room_end);
        left.set_room_end(end);
        self.resume = None;
        Ok(Some(right))
    }

    /// Links a node behind the tail and makes it the tail, with its whole window pending.
    #[inline]
    pub(super) fn push_tail(&mut self, node: NodePtr) {
        let start = node.start();
        self.shape = Shape::Any;
        if let Some(old) = self.w.tail {
            old.set_end(self.w.ptr);
            if same(self.f.node, self.w.tail) {
                self.f.pend = span(self.f.ptr, self.w.ptr);
            } else {
                self.f.pend += span(old.start(), self.w.ptr);
            }
            old.set_next(Some(node));
        } else {
            self.first(node);
        }
        self.w.tail = Some(node);
        self.w.ptr = node.end();
        self.w.end = self.w.ptr;
        debug_assert!(start.addr() <= self.w.ptr.addr());
        if node.has_room() {
            self.open_room();
        }
    }

    /// Sets the reader and the flush point to the start of the first node.
    pub(super) fn first(&mut self, node: NodePtr) {
        let start = node.start();
        let position = self.position();
        self.r.head = Some(node);
        self.r.node = Some(node);
        self.r.ptr = start;
        self.r.end = start;
        self.r.bias = position.wrapping_sub(start.addr());
        self.f.node = Some(node);
        self.f.ptr = start;
        self.f.pend = 0;
    }

    /// Works out anew which fast paths hold. Ends every slow path.
    pub(super) fn refresh(&mut self) {
        self.slots = self.cold.as_ref().is_some_and(|c| c.has_slots());
        self.shape = Shape::Any;
        let mut seal = false;
        // Until it is known whether the tail may stay.
        self.store.held = 0;
        if let Some(tail) = self.w.tail {
            let block = tail.block();
            if block.native() {
                let cap = block.cap();
                seal = self.is_large(tail);
                let simple = !seal
                    && same(self.r.head, self.w.tail)
                    && tail.is_primary()
                    && tail.start() == block.base()
                    && !self.store.config.scrub
                    && !self.scratch_used
                    && self.store.fits(cap);
                if simple {
                    self.shape = if self.slots {
                        Shape::Slotted
                    } else {
                        Shape::Simple
                    };
                    // What comes back meanwhile is kept only beside it.
                    self.store.hold(cap);
                }
            }
        }
        self.seal = seal || self.resume.is_some_and(|left| self.is_large(left));
    }

    /// `write` where the tail's initialised room is too small.
    #[cold]
    #[inline(never)]
    pub(super) fn write_slow(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.check_total(bytes.len())?;
        self.spare_booking(bytes.len())?;
        let mut rest = bytes;
        loop {
            let n = self.room().min(rest.len());
            let (now, later) = rest.split_at(n);
            self.fill_room(now);
            rest = later;
            if rest.is_empty() {
                break;
            }
            if let Err(e) = self.grow_to_copy(rest.len()) {
                self.undo_to(self.pending() - (bytes.len() - rest.len()));
                return Err(e);
            }
        }
        self.open_room();
        if self.w.ptr == self.w.end {
            // So that the next small write finds its room ready.
            self.clear_ahead(0);
        }
        self.refresh();
        Ok(())
    }

    /// What was booked may hold bytes that were received: a write that may yet be refused is not to touch them.
    pub(crate) fn spare_booking(&mut self, n: usize) -> Result<(), Error> {
        if self.booking.len > 0 && self.booking.ptr == self.w.ptr {
            self.preallocate(n)?;
        }
        Ok(())
    }

    /// Copies into the tail's room, initialised or not; `bytes` is no longer than it. `w.end` is the caller's to set.
    fn fill_room(&mut self, bytes: &[u8]) {
        let Some(tail) = self.w.tail else { return };
        let n = bytes.len();
        debug_assert!(n <= self.room());
        // SAFETY: `n` bytes of the tail's room, which nothing else sees (I5).
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.w.ptr, n) };
        self.w.ptr = self.w.ptr.wrapping_add(n);
        let block = tail.block();
        let written = span(block.base(), self.w.ptr);
        if n > 0 && written > block.init() {
            // SAFETY: the tail's writer is the block's; what lies before `w.ptr` was initialised or just written.
            unsafe { block.set_init(written) };
        }
    }

    /// A new node of at least `min` bytes, better `want`: an ordinary one, or one with a share of what is pending, so
    /// that a long message comes in few nodes and wastes no more than that share.
    fn further(&mut self, min: usize, want: usize) -> Result<NodePtr, Error> {
        let want = want.max(self.store.config.node_size as usize);
        let share = (self.pending() / PENDING_SHARE).min(COPY_NODE_MAX);
        match self.store.native(min, want.max(share)) {
            // A budget may have room for less.
            Err(_) if share > want => self.store.native(min, want),
            given => given,
        }
    }

    /// A new tail for what is left of a copy: any room will do. New memory comes in a piece of what is left; or of
    /// all that is pending, if it may be kept, so that the next message of this size fits one node.
    fn grow_to_copy(&mut self, rest: usize) -> Result<(), Error> {
        let node = match self.reopen(1)? {
            Some(node) => node,
            None => {
                let message = self.pending().saturating_add(rest).min(COPY_NODE_MAX);
                let rest = rest.min(COPY_NODE_MAX);
                let want = if self.store.fits(message) {
                    message
                } else {
                    rest
                };
                self.further(1, want)?
            }
        };
        self.push_tail(node);
        Ok(())
    }

    /// `keep` across nodes.
    #[inline(never)]
    pub(super) fn keep_slow(&mut self, n: usize) -> Result<(), Error> {
        let pending = self.pending();
        if n > pending {
            return Err(Error::BeyondPending { asked: n, pending });
        }
        if n == pending {
            return Ok(());
        }
        self.booking.len = 0;
        let Some((node, cut, before)) = self.locate_pending(n) else {
            return Ok(());
        };
        self.close_slots_from(node, cut);
        let discarded = node.next();
        node.set_next(None);
        if self.store.config.scrub && discarded.is_some() && node.has_room() {
            // It may have come from another buffer, with that buffer's bytes in its room: what was pending will do.
            node.set_room_end(node.end());
        }
        self.w.tail = Some(node);
        self.w.ptr = cut;
        self.f.pend = before;
        if same(self.resume, Some(node)) {
            self.resume = None;
        }
        self.open_room();
        self.discard_list(discarded);
        Ok(())
    }

    /// Takes back what a refused call has added to `before` pending bytes; a booking is as it was.
    pub(crate) fn undo_to(&mut self, before: usize) {
        let booked = self.booking.len;
        let undone = self.keep_slow(before);
        debug_assert!(undone.is_ok());
        if self.booking.ptr == self.w.ptr {
            self.booking.len = booked;
        }
    }

    /// Disposes of nodes that were cut off the end of the chain. The right part of a split gives its share of the block
    /// back to the left part, if that is still in the chain. O(pending nodes + discarded ones).
    fn discard_list(&mut self, list: Option<NodePtr>) {
        // Parts of one block follow each other, so only the last node with room can be a left part.
        let mut left = last_roomy(self.f.node);
        if let Some(first) = list
            && !first.is_primary()
            && first.has_room()
            && left.is_none_or(|l| l.block() != first.block())
        {
            // It was opened behind attached nodes that were published since.
            left = last_roomy(self.r.head).filter(|l| l.block() == first.block());
        }
        let (mut first, mut last): (Option<NodePtr>, Option<NodePtr>) = (None, None);
        let mut at = list;
        while let Some(node) = at {
            at = node.next();
            if same(self.resume, Some(node)) {
                self.resume = None;
            }
            match left {
                Some(left)
                    if left.block() == node.block() && !node.is_primary() && node.has_room() =>
                {
                    let (from, room_end) = (node.start(), node.room_end());
                    self.store.merge(node, left);
                    if left.room_end() == from && !self.store.config.scrub {
                        left.set_room_end(room_end);
                        if !same(self.w.tail, Some(left)) {
                            self.resume = Some(left);
                        }
                    }
                }
                _ => {
                    match last {
                        Some(last) => last.set_next(Some(node)),
                        None => first = Some(node),
                    }
                    node.set_next(None);
                    last = Some(node);
                }
            }
        }
        // The chain is whole before an owner is dropped: its code may panic.
        self.open_room();
        self.refresh();
        self.store.dispose_list(first);
    }

    /// The pending node in which `n` pending bytes end, the place where they do, and how many pending bytes lie in
    /// the nodes from the flush point up to it. `n` is at most `pending()`. O(pending nodes before it).
    pub(super) fn locate_pending(&self, n: usize) -> Option<(NodePtr, *mut u8, usize)> {
        let mut node = self.f.node?;
        let mut start = self.f.ptr;
        let mut before = 0;
        loop {
            let tail = same(self.w.tail, Some(node));
            let end = if tail { self.w.ptr } else { node.end() };
            let len = span(start, end);
            if n - before <= len {
                return Some((node, start.wrapping_add(n - before), before));
            }
            before += len;
            if tail {
                debug_assert!(false, "more than is pending");
                return None;
            }
            node = node.next()?;
            start = node.start();
        }
    }

    /// `flush` across nodes, or with slots open, or of a tail that is to be sealed.
    #[inline(never)]
    pub(super) fn flush_slow(&mut self) {
        if self.shape == Shape::Slotted {
            // One node, and something is pending, or no slot would be open.
            self.r.end = self.w.ptr;
            self.f.ptr = self.w.ptr;
            self.close_slots();
            self.shape = Shape::Simple;
            return;
        }
        let pending = self.pending();
        if pending > 0 {
            self.flush_to(self.w.tail, self.w.ptr, pending);
            self.f.pend = 0;
        }
        if pending == 0 || !(self.slots || self.seal) {
            return;
        }
        if self.slots {
            self.close_slots();
        }
        // Only one node is ever simple.
        if self.seal || same(self.r.head, self.w.tail) {
            self.seal_tail();
        }
    }

    /// Publishes `n` pending bytes, which end at `at` in `node`. What is left to flush is the caller's to count.
    #[inline(always)]
    pub(super) fn flush_to(&mut self, node: Option<NodePtr>, at: *mut u8, n: usize) {
        match self.r.node {
            // What was pending in the reader's node is right before it.
            Some(reader) if same(self.f.node, Some(reader)) => {
                let end = if same(node, Some(reader)) {
                    at
                } else {
                    reader.end()
                };
                self.r.beyond += n - span(self.r.end, end);
                self.r.end = end;
            }
            _ => self.r.beyond += n,
        }
        self.f.node = node;
        self.f.ptr = at;
    }

    /// Is a node sealed by a flush?
    #[inline]
    pub(super) fn is_large(&self, node: NodePtr) -> bool {
        let block = node.block();
        block.native() && block.cap() > self.store.config.seal_above()
    }

    /// After a flush: a tail whose node is larger than the policy's page is not written to again.
    #[cold]
    #[inline(never)]
    fn seal_tail(&mut self) {
        if self.resume.is_some_and(|left| self.is_large(left)) {
            self.resume = None;
        }
        match self.w.tail {
            Some(tail) if self.is_large(tail) => {
                if self.w.ptr != tail.start() && tail.has_room() {
                    tail.set_room_end(self.w.ptr);
                    self.w.end = self.w.ptr;
                    self.booking.len = 0;
                }
                // It is no simple chain, and the next flush looks again: as it was.
            }
            _ => self.refresh(),
        }
    }
}

/// The last node of a list that sees a block which its chain writes to.
fn last_roomy(list: Option<NodePtr>) -> Option<NodePtr> {
    let (mut last, mut at) = (None, list);
    while let Some(node) = at {
        if node.block().native() && (node.is_primary() || node.has_room()) {
            last = Some(node);
        }
        at = node.next();
    }
    last
}
