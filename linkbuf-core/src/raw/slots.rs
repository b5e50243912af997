//! Reserved slots: pending bytes with a handle, to be filled later.
//!
//! A slot's bytes never move: insertion splits nodes around them, splicing relinks nodes, growth adds nodes. So a slot
//! is an address in a table (I10), and what ends it is that its bytes are published or discarded.
#![expect(unsafe_code, reason = "hands out pending bytes by address")]

use core::slice;

use super::{
    chain::{Chain, Shape},
    cold::{SlotKey, SlotRange},
    node::NodePtr,
};
use crate::{allocator::NodeAllocator, error::Error};

impl<A: NodeAllocator> Chain<A> {
    /// Reserves `n` pending bytes (not 0) in one piece. They are initialised, with any values.
    #[inline]
    pub(crate) fn open_slot(&mut self, n: usize) -> Result<SlotKey, Error> {
        debug_assert!(n > 0);
        let at = self.reserve(n)?.as_mut_ptr();
        let ready = self.cold.as_mut().and_then(|c| c.open_ready(at, n));
        let opened = match ready {
            Some(key) => Ok(key),
            None => self.open_first(at, n),
        };
        match opened {
            Ok(key) => {
                self.slots = true;
                if self.shape == Shape::Simple {
                    self.shape = Shape::Slotted;
                }
                Ok(key)
            }
            Err(e) => {
                // The last `n` bytes of the tail were reserved just now.
                self.w.ptr = self.w.ptr.wrapping_sub(n);
                Err(e)
            }
        }
    }

    /// Opens a slot where the table has to be made, or to grow, or needs keys.
    #[cold]
    #[inline(never)]
    fn open_first(&mut self, at: *mut u8, n: usize) -> Result<SlotKey, Error> {
        let opened = self.cold()?.open(at, n);
        self.recount();
        opened
    }

    /// The bytes of an open slot.
    pub(crate) fn slot_bytes(&mut self, key: SlotKey) -> Result<&mut [u8], Error> {
        let slot = self
            .cold
            .as_ref()
            .and_then(|c| c.find(key))
            .ok_or(Error::SlotGone)?;
        // SAFETY: pending bytes of a block that the chain sees (I10): alive (I1), initialised (I2), and the chain's
        // alone (I5); lent out as long as the chain is.
        Ok(unsafe { slice::from_raw_parts_mut(slot.ptr, slot.len) })
    }

    /// Closes the slots that do not end at or before `cut` in `node`, where pending bytes are about to end.
    ///
    /// Slots and nodes are in the same order, so one pass over both does. O(pending nodes + slots).
    pub(super) fn close_slots_from(&mut self, node: NodePtr, cut: *mut u8) {
        let Some(cold) = &mut self.cold else { return };
        if !cold.has_slots() {
            return;
        }
        let tail = self.w.tail;
        let tail_end = self.w.ptr;
        let end_of = |at: NodePtr| {
            if at == node {
                cut
            } else if Some(at) == tail {
                tail_end
            } else {
                at.end()
            }
        };
        let mut at = self.f.node;
        cold.close_from(|slot: SlotRange| {
            // A split may have cut the slot, so its last byte is looked for.
            let last = slot.ptr.wrapping_add(slot.len - 1).addr();
            while let Some(here) = at {
                if last >= here.start().addr() && last < end_of(here).addr() {
                    return true;
                }
                if here == node {
                    return false;
                }
                at = here.next();
            }
            false
        });
    }
}
