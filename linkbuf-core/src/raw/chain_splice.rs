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
    /// without nodes, and good for nothing but to be dropped, or emptied by `forget_nodes`.
    #[inline]
    pub(crate) fn append(&mut self, other: &mut Chain<A>) -> Result<(), Error> {
        if let Some((first, _)) = self.append_plain(other) {
            first.begin_at(other.r.ptr);
            return Ok(());
        }
        self.append_slow(other)
    }

    /// As `append`, and leaves `other` empty, with all it keeps.
    #[inline]
    pub(crate) fn append_from(&mut self, other: &mut Chain<A>) -> Result<(), Error> {
        // A node for the one that `other` gives: it is looked for apart.
        let gives = other.store.first_spare().is_none()
            && (self.shape == Shape::Simple || self.store.first_spare().is_some());
        if !gives && let Some((first, total)) = self.append_plain(other) {
            other.forget_plain();
            other.given_away(total);
            first.begin_at(other.r.ptr);
            return Ok(());
        }
        self.append_from_slow(other)
    }

    /// `append` of the commonest chains: nothing is pending here, nor in more than the last node of `other`, and
    /// nothing of `other` needs a second look. Gives the first node that came, which the caller has yet to make begin at
    /// `other.r.ptr`, and says how many bytes came; `None`: nothing is done.
    ///
    /// No call and no branch but to the end, so that all of it stays in registers. Stores are what it costs: there are
    /// no more than the two lists and the cursors need.
    #[inline(always)]
    fn append_plain(&mut self, other: &mut Chain<A>) -> Option<(NodePtr, usize)> {
        let (old, first, last) = (self.w.tail?, other.r.node?, other.w.tail?);
        let plain = same(other.r.head, Some(first))
            && same(other.f.node, Some(last))
            && other.cold.is_none()
            && other.resume.is_none()
            && !other.scratch_used
            && same(self.f.node, Some(old))
            && self.f.ptr == self.w.ptr
            && !self.store.config.scrub;
        if !plain {
            return None;
        }
        let (here, readable) = (self.len(), other.len());
        // One chain's bytes can be counted. Of two, the sum may wrap: each has up to `isize::MAX`, and what was put
        // into room that was ready.
        let total = readable + span(other.f.ptr, other.w.ptr);
        let fits = (here | total | here.wrapping_add(total)).cast_signed() >= 0;
        if total == 0 || !fits {
            return None;
        }
        old.set_end(self.w.ptr);
        old.set_next(Some(first));
        self.r.beyond += readable;
        // `pend` is 0 in both: the flush points are in the tails.
        self.f.node = Some(last);
        self.f.ptr = other.f.ptr;
        self.follow(other);
        Some((first, total))
    }

    /// `append` of any chain.
    #[inline(never)]
    fn append_slow(&mut self, other: &mut Chain<A>) -> Result<(), Error> {
        let total = other.len() + other.pending();
        self.check_total(total)?;
        other.drop_read();
        let (Some(first), Some(last)) = (other.r.node, other.w.tail) else {
            return Ok(());
        };
        if total == 0 {
            return Ok(());
        }
        if other.cold.is_some() {
            self.adopt_slots(other)?;
        }
        first.begin_at(other.r.ptr);
        let pending = self.pending();
        if let Some(old) = self.w.tail {
            old.set_end(self.w.ptr);
            old.set_next(Some(first));
            self.r.beyond += if pending == 0 { other.len() } else { 0 };
        } else {
            let position = self.position();
            self.r.head = Some(first);
            self.r.node = Some(first);
            self.r.ptr = other.r.ptr;
            self.r.end = other.r.end;
            self.r.beyond = other.r.beyond;
            self.r.bias = position.wrapping_sub(other.r.ptr.addr());
        }
        if pending > 0 {
            self.f.pend = pending + total - span(last.start(), other.w.ptr);
        } else {
            self.f.node = other.f.node;
            self.f.ptr = other.f.ptr;
            self.f.pend = other.f.pend;
        }
        self.follow(other);
        if self.store.config.scrub {
            self.hide_room(last);
        }
        Ok(())
    }

    /// Takes over the tail of `other`, whose list was linked behind this one: where it is written, and the room before
    /// it. Nothing is booked, the fast paths are off until some slow one has looked at the new chain, and a flush looks
    /// whether to seal.
    #[inline(always)]
    fn follow(&mut self, other: &mut Chain<A>) {
        self.w.ptr = other.w.ptr;
        self.w.end = other.w.end;
        self.w.tail = other.w.tail;
        self.resume = other.resume;
        other.r.head = None;
        self.booking.len = 0;
        self.shape = Shape::Any;
        self.seal = true;
    }

    #[inline(never)]
    fn append_from_slow(&mut self, other: &mut Chain<A>) -> Result<(), Error> {
        let total = other.len() + other.pending();
        // A drained node, which the first of what comes takes the place of.
        let idle = self
            .w
            .tail
            .filter(|_| self.shape == Shape::Simple && self.r.ptr == self.w.ptr);
        self.append(other)?;
        if total > 0 {
            if other.scratch_used {
                other.release_scratch();
            }
            other.forget_nodes();
            other.given_away(total);
            if other.store.first_spare().is_none() {
                self.give_node(idle, other);
            }
        }
        Ok(())
    }

    /// Gives `other` a node for those that were taken from it, if there is one that this chain does not use: `idle`,
    /// which is its first, or a spare. So a message that is built apart and appended costs no allocation.
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

    /// After `append` took all nodes, with `total` bytes, and nothing gathered is in use.
    #[inline(always)]
    fn given_away(&mut self, total: usize) {
        self.searched.forget();
        // What was gathered before is not at the place of what comes next.
        self.r.bias = self.r.bias.wrapping_add(total);
        self.seal = false;
        self.slots = false;
        // It is already: so the four flags are one store.
        self.scratch_used = false;
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
        self.flush_to(Some(node), cut, n);
        if same(self.w.tail, Some(node)) {
            self.f.pend = 0;
        } else {
            let tail = self.w.tail.map_or(0, |t| span(t.start(), self.w.ptr));
            self.f.pend = pending - n - tail;
        }
        debug_assert_eq!(before + span(start, cut), n);
    }
}
