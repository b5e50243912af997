//! Where a chain's nodes come from and go to: spares first, then the allocator; and what may be kept.
#![expect(unsafe_code, reason = "makes and frees headers and blocks")]

use core::ptr::NonNull;

use super::{
    block::Pins,
    node::{HEADER, NodePtr, same},
    view::View,
};
use crate::{
    allocator::NodeAllocator,
    error::{Error, Rejected},
    policy::{BYTES_PER_FREE_HEADER, Config, SPARE_SEARCH},
};

/// A split's other part is looked for among so many nodes: it has the inserted ones between.
const SIBLING_SEARCH: usize = 16;

/// A chain's allocator, settings, spare nodes and free headers.
pub(super) struct Store<A: NodeAllocator> {
    /// Native nodes for the next write, nobody else sees their blocks. Last in, first out: the warmest first.
    spare: Option<NodePtr>,
    /// Headers without a block.
    free: Option<NodePtr>,
    free_count: u32,
    /// Bytes kept: spares with their headers, free headers, and what the chain adds for its tables.
    kept: usize,
    /// Bytes of `config.keep` that a node takes which stays in the drained chain; 0 if none is known to.
    pub(super) held: u32,
    pins: Option<NonNull<Pins>>,
    pub(super) config: Config,
    pub(super) alloc: A,
}

impl<A: NodeAllocator> Store<A> {
    pub(super) const fn new(alloc: A, config: Config) -> Store<A> {
        Store {
            spare: None,
            free: None,
            free_count: 0,
            kept: 0,
            held: 0,
            pins: None,
            config,
            alloc,
        }
    }

    /// Has a block been let go of that views still held?
    #[inline]
    pub(super) fn has_pins(&self) -> bool {
        self.pins.is_some()
    }

    /// Is nothing kept, and nothing counted?
    #[inline]
    pub(super) fn is_bare(&self) -> bool {
        self.kept == 0 && self.pins.is_none()
    }

    /// A header in no list, to be made a node at once.
    #[inline]
    pub(super) fn header(&mut self) -> Result<NodePtr, Error> {
        if let Some(h) = self.free {
            self.free = h.next();
            self.free_count -= 1;
            self.kept -= HEADER;
            Ok(h)
        } else {
            Ok(NodePtr::alloc()?)
        }
    }

    /// Takes a header back, in no list and without a block.
    #[inline]
    pub(super) fn put_header(&mut self, h: NodePtr) {
        let room = self.kept.saturating_add(HEADER) <= self.spare_bound();
        if room && (self.free_count as usize) < self.config.keep() / BYTES_PER_FREE_HEADER {
            h.set_next(self.free);
            self.free = Some(h);
            self.free_count += 1;
            self.kept += HEADER;
        } else {
            // SAFETY: in no list, without a block, and not used again.
            unsafe { h.free() };
        }
    }

    /// An empty node of at least `min` bytes: a spare that fits, or a new one of about `want`.
    pub(super) fn native(&mut self, min: usize, want: usize) -> Result<NodePtr, Error> {
        self.native_but(None, min, want)
    }

    /// As `native`, leaving one of the spares alone.
    pub(super) fn native_but(
        &mut self,
        but: Option<NodePtr>,
        min: usize,
        want: usize,
    ) -> Result<NodePtr, Error> {
        if let Some(h) = self.take_spare(min, but) {
            return Ok(h);
        }
        let size = self.alloc.good_size(min.max(want)).max(min);
        if isize::try_from(size).is_err() {
            return Err(Error::CapacityOverflow { asked: min });
        }
        let h = self.header()?;
        match self.alloc.allocate(size) {
            Ok(mut raw) => {
                if self.config.scrub {
                    raw.init = 0;
                }
                // SAFETY: the header is in no list; the allocator just gave the block.
                unsafe { h.make_native(raw, self.alloc.clone()) };
                Ok(h)
            }
            Err(e) => {
                self.put_header(h);
                Err(Error::Alloc(e))
            }
        }
    }

    /// Takes the first of a few spares that has `min` bytes.
    pub(super) fn take_spare(&mut self, min: usize, but: Option<NodePtr>) -> Option<NodePtr> {
        let mut before: Option<NodePtr> = None;
        let mut at = self.spare;
        for _ in 0..SPARE_SEARCH {
            let h = at?;
            if h.block().cap() >= min && !same(but, Some(h)) {
                match before {
                    Some(b) => b.set_next(h.next()),
                    None => self.spare = h.next(),
                }
                self.kept -= cost(h);
                h.set_next(None);
                return Some(h);
            }
            before = at;
            at = h.next();
        }
        None
    }

    /// Counts a node of `cap` bytes that stays in the drained chain.
    #[inline]
    pub(super) fn hold(&mut self, cap: usize) {
        self.held = u32::try_from(HEADER.saturating_add(cap)).unwrap_or(u32::MAX);
    }

    /// What may be kept, beside a node that stays.
    #[inline]
    fn spare_bound(&self) -> usize {
        self.config.keep().saturating_sub(self.held as usize)
    }

    /// Keeps an empty native node that nobody else sees, whatever the bound says: `make_room` enforces it later.
    pub(super) fn put_spare(&mut self, h: NodePtr) {
        if self.config.scrub {
            h.block().reset_init();
        }
        h.empty_window();
        h.set_next(self.spare);
        self.spare = Some(h);
        self.kept += cost(h);
    }

    /// The spare that the next write would take first.
    pub(super) fn first_spare(&self) -> Option<NodePtr> {
        self.spare
    }

    /// A node of the bytes of `value`.
    #[inline]
    pub(super) fn foreign<T>(&mut self, value: T) -> Result<NodePtr, Rejected<T>>
    where
        T: AsRef<[u8]> + Send + 'static,
    {
        let h = match self.header() {
            Ok(h) => h,
            Err(error) => return Err(Rejected { error, value }),
        };
        // SAFETY: the header is in no list.
        match unsafe { h.make_foreign(value) } {
            Ok(()) => Ok(h),
            Err((e, value)) => {
                self.put_header(h);
                Err(Rejected {
                    error: Error::Alloc(e),
                    value,
                })
            }
        }
    }

    /// Undoes `foreign`.
    pub(super) fn unmake_foreign<T>(&mut self, h: NodePtr) -> T {
        // SAFETY: `foreign` made it of a `T` and it went into no list; nobody sees its bytes.
        let value = unsafe { h.own_block().take_owner::<T>() };
        self.put_header(h);
        value
    }

    /// A node of the bytes of `view`.
    pub(super) fn viewing(&mut self, view: View) -> Result<NodePtr, Rejected<View>> {
        let Some(block) = view.block() else {
            // Static bytes have no block yet.
            let bytes = view.static_bytes();
            return match self.foreign(bytes) {
                Ok(h) => Ok(h),
                Err(r) => Err(Rejected {
                    error: r.error,
                    value: view,
                }),
            };
        };
        match self.header() {
            Ok(h) => {
                h.make_view(view, block);
                Ok(h)
            }
            Err(error) => Err(Rejected { error, value: view }),
        }
    }

    /// Gives back a node that left its chain: to the spares, to its allocator or owner, or to the views that see it.
    #[inline(always)]
    pub(super) fn dispose(&mut self, h: NodePtr) {
        let block = h.block();
        let credit = h.credit();
        if block.refs().only(credit) {
            self.dispose_own(h);
        } else {
            self.dispose_shared(h);
        }
    }

    /// Gives back a node that left its chain, where another one of the chain sees the same block and takes its share.
    pub(super) fn merge(&mut self, h: NodePtr, other: NodePtr) {
        debug_assert!(h != other && h.block() == other.block());
        other.set_credit(other.credit() + h.credit());
        if !h.is_primary() {
            self.put_header(h);
        }
    }

    /// The node's block is seen by nobody else.
    fn dispose_own(&mut self, h: NodePtr) {
        let block = h.block();
        let owner = block.header();
        if !block.native() {
            if owner != h {
                self.put_header(h);
            }
            self.give_back_foreign(owner);
            return;
        }
        let cost = HEADER + block.cap();
        let stays = block.holds::<A>() && self.kept.saturating_add(cost) <= self.spare_bound();
        if stays {
            block.unpin();
            if owner != h {
                // The block's own header was left to it when its node went; it becomes a node again.
                owner.set_block(block);
                owner.set_credit(h.credit());
            }
            self.put_spare(owner);
        }
        if owner != h {
            self.put_header(h);
        }
        if !stays {
            // SAFETY: the count is this node's credit, which ends here; an allocator does not panic.
            unsafe { block.give_back() };
            self.put_header(owner);
        }
    }

    /// Drops the owner of a block that nobody sees, and takes its header back, also when that panics.
    #[inline]
    fn give_back_foreign(&mut self, owner: NodePtr) {
        struct PutHeader<'a, A: NodeAllocator>(&'a mut Store<A>, NodePtr);
        impl<A: NodeAllocator> Drop for PutHeader<'_, A> {
            fn drop(&mut self) {
                self.0.put_header(self.1);
            }
        }
        let _header = PutHeader(self, owner);
        // SAFETY: the count was one node's credit, which ended; the header is freed or used again only afterwards.
        unsafe { owner.own_block().give_back() };
    }

    /// Disposes of nodes that are in no chain any more, in order. If an owner's drop panics, the rest goes all the same.
    ///
    /// A node split off another, near behind it, takes its share of the block.
    pub(super) fn dispose_list(&mut self, list: Option<NodePtr>) {
        struct Rest<'a, A: NodeAllocator> {
            store: &'a mut Store<A>,
            list: Option<NodePtr>,
        }
        impl<A: NodeAllocator> Rest<'_, A> {
            fn run(&mut self) {
                while let Some(node) = self.list {
                    self.list = node.next();
                    self.store.dispose_front(node);
                }
            }
        }
        impl<A: NodeAllocator> Drop for Rest<'_, A> {
            fn drop(&mut self) {
                self.run();
            }
        }
        Rest { store: self, list }.run();
    }

    /// Disposes of a node from the front of a list. A node split off it, near behind, takes its share of the block.
    #[inline]
    pub(super) fn dispose_front(&mut self, node: NodePtr) {
        if node.block().refs().only(node.credit()) {
            self.dispose_own(node);
            return;
        }
        let mut at = node.next();
        for _ in 0..SIBLING_SEARCH {
            let Some(near) = at else { break };
            if near.block() == node.block() {
                self.merge(node, near);
                return;
            }
            at = near.next();
        }
        self.dispose(node);
    }

    /// Others see the node's block: what is ours is given up.
    fn dispose_shared(&mut self, h: NodePtr) {
        let block = h.block();
        let owner = block.header();
        // The last part of a split counts for the whole block; a node of a view does not, and must not even ask: the
        // mark belongs to the chain that has the block's nodes with room.
        if block.native() && (owner == h || h.has_room()) && !block.is_pinned() {
            if self.pins.is_none() {
                self.pins = Pins::create();
            }
            if let Some(pins) = self.pins {
                // SAFETY: this node's credit is given up only below.
                unsafe { block.pin(pins) };
            }
        }
        let last = block.refs().sub(h.credit());
        if owner != h {
            self.put_header(h);
        }
        if last {
            // SAFETY: the others went meanwhile: the count is 0, and no list holds the block's header.
            unsafe { block.destroy() };
        }
    }

    /// Bytes that would be kept beside `cost` more; spares go until it is within the bound. False: it can't be.
    pub(super) fn make_room(&mut self, cost: usize) -> bool {
        while self.kept.saturating_add(cost) > self.config.keep() {
            let Some(h) = self.spare else { break };
            self.drop_first_spare(h);
        }
        while self.kept.saturating_add(cost) > self.config.keep() {
            if !self.drop_free_header() {
                return false;
            }
        }
        true
    }

    /// Gives back all that is kept, but what the chain counts for its tables.
    pub(super) fn trim(&mut self) {
        while let Some(h) = self.spare {
            self.drop_first_spare(h);
        }
        while self.drop_free_header() {}
    }

    fn drop_first_spare(&mut self, h: NodePtr) {
        self.spare = h.next();
        self.kept -= cost(h);
        // SAFETY: nobody sees a spare's block, and it left the list; a spare is always its block's own header.
        unsafe { h.block().destroy() };
    }

    fn drop_free_header(&mut self) -> bool {
        let Some(h) = self.free else { return false };
        self.free = h.next();
        self.free_count -= 1;
        self.kept -= HEADER;
        // SAFETY: it left the list, and has no block.
        unsafe { h.free() };
        true
    }

    /// Counts `bytes` of a table among what is kept; negative when it was freed.
    pub(super) fn count(&mut self, more: usize, less: usize) {
        self.kept = self.kept + more - less;
    }

    /// May a tail of `cap` bytes stay, beside what is kept now?
    pub(super) fn fits(&self, cap: usize) -> bool {
        self.kept.saturating_add(cap).saturating_add(HEADER) <= self.config.keep()
    }

    /// Bytes of spare blocks, bytes kept besides, bytes pinned.
    pub(super) fn figures(&self) -> (usize, usize, usize) {
        let mut blocks = 0;
        let mut at = self.spare;
        while let Some(h) = at {
            blocks += h.block().cap();
            at = h.next();
        }
        (blocks, self.kept - blocks, self.pins.map_or(0, Pins::bytes))
    }

    /// Lets go of the counter if it counts nothing.
    pub(super) fn drop_pins(&mut self) {
        if let Some(pins) = self.pins
            && Pins::bytes(pins) == 0
        {
            self.pins = None;
            Pins::release(pins);
        }
    }

    /// `kept`, counted anew, but for the tables. For the debug checks.
    #[cfg(debug_assertions)]
    pub(super) fn check(&self, tables: usize) {
        let (mut sum, mut free) = (tables, 0);
        let mut at = self.spare;
        while let Some(h) = at {
            assert!(
                h.is_primary() && h.block().native(),
                "a spare is its block's own header"
            );
            assert!(
                h.block().refs().only(h.credit()),
                "a spare is seen by nobody else"
            );
            sum += cost(h);
            at = h.next();
        }
        let mut at = self.free;
        while let Some(h) = at {
            sum += HEADER;
            free += 1;
            at = h.next();
        }
        assert_eq!(
            (self.kept, self.free_count),
            (sum, free),
            "what is kept is counted"
        );
    }
}

impl<A: NodeAllocator> Drop for Store<A> {
    fn drop(&mut self) {
        self.trim();
        if let Some(pins) = self.pins.take() {
            Pins::release(pins);
        }
    }
}

/// Bytes that keeping a spare costs.
fn cost(h: NodePtr) -> usize {
    HEADER + h.block().cap()
}
