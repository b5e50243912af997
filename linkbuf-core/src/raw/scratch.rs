//! Where reads across nodes are gathered: a cache over the chain, keyed by the position in the stream.
//!
//! Gathered bytes stay until the release, so that slices of them may be held. A longer read of the same bytes goes on
//! where the last one stopped, in the same block if it has room, else in one of twice the size: each byte is copied
//! O(1) times, amortised.
#![expect(unsafe_code, reason = "copies into scratch room")]

use core::ptr;

use super::{
    chain::{Chain, Shape},
    node::{HEADER, NodePtr},
    span,
};
use crate::{
    allocator::NodeAllocator,
    error::Error,
    policy::{SCRATCH_MIN, SCRATCH_SHARE},
};

pub(super) struct Scratch {
    /// The node in use, then those whose bytes may still be seen. Their windows hold what was gathered last.
    list: Option<NodePtr>,
    /// The position of the window's first byte.
    position: usize,
}

impl Scratch {
    pub(super) const fn new() -> Scratch {
        Scratch {
            list: None,
            position: 0,
        }
    }

    #[inline]
    pub(super) fn has_nodes(&self) -> bool {
        self.list.is_some()
    }

    pub(super) fn first(&self) -> Option<NodePtr> {
        self.list
    }
}

impl<A: NodeAllocator> Chain<A> {
    /// Copies the next `n` bytes, which are readable, into scratch, as far as they are not there already.
    pub(super) fn gather(&mut self, n: usize) -> Result<*const u8, Error> {
        let position = self.position();
        let mut have = 0;
        self.use_scratch();
        if let Some(node) = self.scratch.list {
            let offset = position.wrapping_sub(self.scratch.position);
            if offset <= node.len() {
                have = (node.len() - offset).min(n);
                // What lies before was consumed.
                node.set_start(node.start().wrapping_add(offset));
            } else {
                node.set_start(node.end());
            }
            self.scratch.position = position;
            if have == n {
                return Ok(node.start());
            }
        }
        let node = match self.scratch.list {
            Some(node) if span(node.end(), node.room_end()) >= n - have => node,
            old => {
                let want = if have == 0 { n } else { n.saturating_mul(2) };
                let node = {
                    let size = want.max(self.scratch_size());
                    // A booked spare is about to be filled.
                    let booked = self.booking.second.filter(|_| self.booking.len > 0);
                    self.store.native_but(booked, n, size)?
                };
                if let Some(old) = old {
                    // SAFETY: `have` bytes of the old window to the start of a fresh block of at least `n`.
                    unsafe { ptr::copy_nonoverlapping(old.start(), node.start(), have) };
                    node.set_end(node.start().wrapping_add(have));
                }
                node.set_next(old);
                self.scratch.list = Some(node);
                self.scratch.position = position;
                node
            }
        };
        let end = node.end();
        // SAFETY: `n` bytes are readable (the caller checked), and the scratch node has room for those it lacks,
        // behind the bytes that were handed out (I8).
        unsafe { self.copy_out(have, end, n - have) };
        let end = end.wrapping_add(n - have);
        node.set_end(end);
        let block = node.block();
        let written = span(block.base(), end);
        if written > block.init() {
            // SAFETY: the scratch node is the block's only user; all bytes before `end` were written or were
            // initialised before.
            unsafe { block.set_init(written) };
        }
        Ok(node.start())
    }

    /// Marks scratch as in use: it counts among what is live, not among what is kept.
    fn use_scratch(&mut self) {
        self.store.count(0, self.scratch_kept());
        self.scratch_used = true;
        self.shape = Shape::Any;
    }

    /// Bytes that the store counts for a scratch node that stays for the next time.
    pub(super) fn scratch_kept(&self) -> usize {
        match self.scratch.list {
            Some(node) if !self.scratch_used => HEADER + node.block().cap(),
            _ => 0,
        }
    }

    /// Gathered bytes that a chain keeps room for between releases: lines and headers that cross a border.
    fn scratch_size(&self) -> usize {
        let config = &self.store.config;
        (config.keep() / SCRATCH_SHARE)
            .clamp(SCRATCH_MIN, SCRATCH_MIN.max(config.node_size as usize))
    }

    /// Gives scratch back, but for one small node: no slice of it is alive.
    pub(super) fn release_scratch(&mut self) {
        if !self.scratch_used {
            return;
        }
        self.drop_scratch_but(|chain, node| {
            let cap = node.block().cap();
            cap <= chain.scratch_size() && chain.store.fits(cap)
        });
    }

    /// Gives all scratch back.
    pub(super) fn drop_scratch(&mut self) {
        self.drop_scratch_but(|_, _| false);
    }

    fn drop_scratch_but(&mut self, keep: impl FnOnce(&Self, NodePtr) -> bool) {
        self.store.count(0, self.scratch_kept());
        self.scratch_used = false;
        let Some(node) = self.scratch.list.take() else {
            return;
        };
        if keep(self, node) {
            self.store.dispose_list(node.next());
            node.set_next(None);
            if self.store.config.scrub {
                node.block().reset_init();
            }
            node.empty_window();
            self.scratch.list = Some(node);
            self.store.count(self.scratch_kept(), 0);
        } else {
            self.store.dispose_list(Some(node));
        }
    }
}
