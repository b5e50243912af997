//! Appending a whole chain.

use super::{
    chain::{Chain, Shape},
    node::{NodePtr, same},
    span,
};
use crate::{
    allocator::NodeAllocator,
    error::{Error, Rejected},
};

impl<A: NodeAllocator> Chain<A> {
    /// Moves all of `other` onto the tail: links its list behind this one. O(1), and one step for each node that
    /// `other` has read and not released, and for each buffer with open slots that was appended to it. `other` is left
    /// without nodes, and good for nothing but to be dropped, or `given_away`.
    #[inline(always)]
    pub(crate) fn append(&mut self, other: &mut Chain<A>) -> Result<(), Error> {
        let total = other.len() + other.pending();
        self.check_total(total)?;
        if !same(other.r.head, other.r.node) {
            other.drop_read();
        }
        let (Some(first), Some(last)) = (other.r.node, other.w.tail) else {
            return Ok(());
        };
        if total == 0 {
            return Ok(());
        }
        if other.cold.is_some() {
            self.adopt_slots(other)?;
        }
        first.advance_start(other.r.ptr);
        if let Some(old) = self.w.tail {
            let pending = self.pending();
            old.set_end(self.w.ptr);
            old.set_next(Some(first));
            if pending == 0 {
                self.r.beyond += other.len();
                self.f.node = other.f.node;
                self.f.ptr = other.f.ptr;
                self.f.pend = other.f.pend;
            } else {
                self.f.pend = pending + total - span(last.start(), other.w.ptr);
            }
        } else {
            let position = self.position();
            self.r.head = Some(first);
            self.r.node = Some(first);
            self.r.ptr = other.r.ptr;
            self.r.end = other.r.end;
            self.r.beyond = other.r.beyond;
            self.r.bias = position.wrapping_sub(other.r.ptr.addr());
            self.f.node = other.f.node;
            self.f.ptr = other.f.ptr;
            self.f.pend = other.f.pend;
        }
        self.w.tail = Some(last);
        self.w.ptr = other.w.ptr;
        self.w.end = other.w.end;
        self.resume = other.resume;
        self.booking.len = 0;
        // The fast paths are off until some slow one has looked at the new chain.
        self.shape = Shape::Any;
        self.seal |= other.seal
            || self.is_large(last)
            || self.resume.is_some_and(|left| self.is_large(left));
        other.r.head = None;
        if self.store.config.scrub {
            self.hide_room(last);
        }
        Ok(())
    }

    /// As `append`, and leaves `other` empty, with all it keeps.
    #[inline]
    pub(crate) fn append_from(&mut self, other: &mut Chain<A>) -> Result<(), Error> {
        let total = other.len() + other.pending();
        // A drained node, which the first of what comes takes the place of.
        let idle = match self.w.tail {
            Some(tail) if self.shape == Shape::Simple && self.r.ptr == self.w.ptr => Some(tail),
            _ => None,
        };
        self.append(other)?;
        if total > 0 {
            other.given_away(total);
            let some = idle.is_some() || self.store.first_spare().is_some();
            if some && other.store.first_spare().is_none() {
                self.give_node(idle, other);
            }
        }
        Ok(())
    }

    /// Gives `other` a node for those that were taken from it, if there is one that this chain does not use: `idle`,
    /// which is its first, or a spare. So a message that is built apart and appended costs no allocation.
    #[cold]
    fn give_node(&mut self, idle: Option<NodePtr>, other: &mut Chain<A>) {
        let booked = self.booking.second.filter(|_| self.booking.len > 0);
        let node = match idle {
            Some(node) if self.leave_first(node) => Some(node),
            _ => self.store.take_spare(1, booked),
        };
        let Some(node) = node else { return };
        if other.store.fits(node.block().cap()) {
            other.store.put_spare(node);
        } else {
            self.store.dispose(node);
        }
    }

    /// Takes the first node, which was read to its end, out of the chain, unless somebody else sees its block.
    fn leave_first(&mut self, node: NodePtr) -> bool {
        let left = same(self.r.head, Some(node))
            && same(self.r.node, Some(node))
            && node.block().refs().only(node.credit())
            && self.next_node();
        if !left {
            return false;
        }
        self.r.head = node.next();
        if same(self.resume, Some(node)) {
            self.resume = None;
        }
        true
    }

    /// After `append` took all nodes, with `total` bytes.
    #[inline]
    fn given_away(&mut self, total: usize) {
        if self.scratch_used {
            self.release_scratch();
        }
        self.searched.forget();
        self.booking.len = 0;
        self.forget_nodes();
        // What was gathered or searched before is not at the place of what comes next.
        self.r.bias = self.r.bias.wrapping_add(total);
        self.slots = false;
        self.seal = false;
        self.store.held = 0;
    }

    /// The room of an appended tail may show the other buffer's old bytes: it isn't used.
    #[cold]
    fn hide_room(&mut self, tail: NodePtr) {
        if tail.has_room() {
            tail.set_room_end(self.w.ptr);
        }
        self.w.end = self.w.ptr;
        self.resume = None;
    }

    /// Takes over the open slots of a chain that is being appended.
    #[cold]
    fn adopt_slots(&mut self, other: &mut Chain<A>) -> Result<(), Error> {
        let Some(theirs) = other.cold.as_mut().filter(|c| c.has_slots()) else {
            return Ok(());
        };
        self.cold()?.adopt(theirs)?;
        other.recount();
        self.recount();
        self.slots = true;
        Ok(())
    }

    /// Moves all of `other`, whose blocks come from another allocator, onto the tail, as views. O(nodes).
    pub(crate) fn append_views<B: NodeAllocator>(
        &mut self,
        mut other: Chain<B>,
    ) -> Result<(), Rejected<Chain<B>>> {
        let (readable, pending) = (other.len(), other.pending());
        let idle = self.pending() == 0;
        let Some(nodes) = readable
            .checked_add(pending)
            .filter(|n| self.check_total(*n).is_ok())
        else {
            return Err(Rejected {
                error: Error::CapacityOverflow {
                    asked: readable.saturating_add(pending),
                },
                value: other,
            });
        };
        debug_assert_eq!(nodes, readable + pending);
        let before = self.pending();
        let mut cut = |chain: &mut Chain<A>, from: usize, n: usize| {
            chain.attach_views(other.views(from, n), n)
        };
        if let Err(error) = cut(self, 0, readable) {
            return Err(Rejected {
                error,
                value: other,
            });
        }
        // The pending ones before the flush, so that nothing is published if there is no memory for them.
        let published = self.pending();
        if let Err(error) = cut(self, readable, pending) {
            self.undo_to(before);
            return Err(Rejected {
                error,
                value: other,
            });
        }
        if idle && published > 0 {
            self.publish(published);
        }
        Ok(())
    }

    /// Publishes the first `n` pending bytes, which end where a node does.
    fn publish(&mut self, n: usize) {
        let pending = self.pending();
        let Some((node, cut, before)) = self.locate_pending(n) else {
            return;
        };
        let start = if same(self.f.node, Some(node)) {
            self.f.ptr
        } else {
            node.start()
        };
        if same(self.r.node, self.f.node) {
            if let Some(reader) = self.r.node {
                let end = if reader == node { cut } else { reader.end() };
                self.r.beyond += n - span(self.r.end, end);
                self.r.end = end;
            }
        } else {
            self.r.beyond += n;
        }
        self.f.node = Some(node);
        self.f.ptr = cut;
        if same(self.w.tail, Some(node)) {
            self.f.pend = 0;
        } else {
            let tail = self.w.tail.map_or(0, |t| span(t.start(), self.w.ptr));
            self.f.pend = pending - n - tail;
        }
        debug_assert_eq!(before + span(start, cut), n);
    }
}
