//! The state of a pool, and the paths that leave a thread's cache.
#![expect(unsafe_code, reason = "returns blocks to the memory behind the pool")]

mod report;

use std::sync::{
    Arc, MutexGuard, Weak,
    atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use linkbuf_core::{AllocError, NodeAllocator, RawBlock};

use super::{
    class::{self, THREAD_CLASSES},
    depot::{Depot, Restocked, Surplus, Unloaded},
    limits::PoolLimits,
    local::{self, Cache, Home, Pool, Registered},
    magazine::Magazine,
    process,
    slot::Slot,
};
use crate::{
    backend::losses,
    clock,
    figures::CLASSES,
    fork::{Forks, Lock, Registration},
    handle::Handle,
};

pub(super) struct Inner<A: NodeAllocator> {
    /// Where a thread looks for its cache of this pool first.
    way: usize,
    limits: PoolLimits,
    depot: Depot,
    register: Lock<Register>,
    registration: Registration,
    /// Of the forks that lost memory ([`losses`]), all up to this one took none from this pool.
    unhurt: AtomicUsize,
    /// Blocks and bytes that the pool has from `source`.
    held_blocks: AtomicI64,
    held_bytes: AtomicI64,
    misses: [AtomicU64; CLASSES],
    /// When the depot last gave up what it did not need, in milliseconds of the clock.
    decayed: AtomicU64,
    source: A,
}

/// The threads' caches.
struct Register {
    caches: Vec<Registered>,
    /// What the caches of threads that ended had counted.
    hits: [u64; THREAD_CLASSES],
    surplus: u64,
}

impl<A: NodeAllocator> Inner<A> {
    pub(super) const fn new(source: A, limits: PoolLimits, way: usize) -> Self {
        Inner {
            way,
            limits,
            depot: Depot::new(limits.max_cached_bytes()),
            register: Lock::new(Register {
                caches: Vec::new(),
                hits: [0; THREAD_CLASSES],
                surplus: 0,
            }),
            registration: Registration::new(),
            unhurt: AtomicUsize::new(0),
            held_blocks: AtomicI64::new(0),
            held_bytes: AtomicI64::new(0),
            misses: [const { AtomicU64::new(0) }; CLASSES],
            decayed: AtomicU64::new(0),
            source,
        }
    }

    pub(super) fn source(&self) -> &A {
        &self.source
    }

    pub(super) fn limits(&self) -> &PoolLimits {
        &self.limits
    }

    /// The calling thread's slot for blocks of a class, if it has one already and finds it at once.
    #[inline(always)]
    pub(super) fn slot(&self, class: usize) -> Option<&Slot> {
        if class < THREAD_CLASSES {
            local::find(self, self.way).map(|cache| &cache.slots[class])
        } else {
            None
        }
    }

    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock()
    }

    /// A pool that was made after a fork has nothing from before it.
    pub(super) fn made_now(self) -> Self {
        self.unhurt.store(losses(), Relaxed);
        self
    }

    /// Blocks that are out or in the caches may lie in memory that this process has not (P7).
    #[inline]
    fn is_hurt(&self) -> bool {
        losses() != self.unhurt.load(Relaxed)
    }

    /// Once nothing is left of the memory that was lost, the caches serve again.
    fn heal(&self) {
        if self.is_hurt() {
            let losses = losses();
            if process::has_all(&self.source) {
                self.unhurt.store(losses, Relaxed);
            }
        }
    }

    /// The calling thread's slot, made if need be.
    fn slot_or_new(this: &Handle<Self>, class: usize) -> Option<&Slot> {
        if class >= THREAD_CLASSES || this.limits.capacity(class) == 0 {
            return None;
        }
        let inner: &Self = this;
        let cache = local::find_any(inner, inner.way).or_else(|| {
            let home = match this {
                Handle::Static(state) => Home::Static(*state),
                Handle::Shared(state) => {
                    let weak: Weak<Self> = Arc::downgrade(state);
                    Home::Counted(weak)
                }
            };
            local::create(inner, inner.way, home, &inner.limits, |cache| {
                let mut register = inner.register();
                if register.caches.try_reserve(1).is_err() {
                    return Err(cache);
                }
                register.caches.push(cache);
                Ok(())
            })
        })?;
        cache.slots.get(class)
    }

    /// A request that the calling thread's loaded magazine did not serve.
    #[cold]
    #[inline(never)]
    pub(super) fn take_slow(this: &Handle<Self>, min: usize) -> Result<RawBlock, AllocError> {
        let class = class::of_request(min);
        this.registration.ensure(|| this.into());
        if class >= CLASSES {
            return this.take_from_source(min);
        }
        if this.is_hurt() {
            let given = this.take_from_source(class::size(class));
            return given.map_err(|_| AllocError { size: min });
        }
        let slot = Self::slot_or_new(this, class);
        if let Some(slot) = slot
            && let Some(block) = this.take_from_magazines(slot, class)
        {
            return Ok(block);
        }
        let (block, look) = this.depot.take_one(class);
        if look {
            this.decay_if_due();
        }
        let block = match block {
            Some(block) => block,
            None => {
                if let Some(misses) = this.misses.get(class) {
                    misses.fetch_add(1, Relaxed);
                }
                let given = this.take_from_source(class::size(class));
                given.map_err(|_| AllocError { size: min })?
            }
        };
        if let Some(slot) = slot.filter(|slot| slot.size() == block.len) {
            slot.count_net(1);
        }
        Ok(block)
    }

    fn take_from_magazines(&self, slot: &Slot, class: usize) -> Option<RawBlock> {
        // A cache that was not in its place may be full of blocks.
        if let Some(block) = slot.take() {
            return Some(block);
        }
        slot.turn_to_blocks();
        if let Some(block) = slot.take() {
            return Some(block);
        }
        // Both are empty: one of them for a full one.
        let (answer, look) = self.depot.restock(class, slot.take_other());
        match answer {
            Restocked::Nothing(empty) => slot.set_other(empty),
            Restocked::Full(full) => {
                slot.count_net(full.len() as i64);
                let empty = slot.take_loaded();
                slot.set_other(empty);
                slot.load(Some(full));
            }
        }
        if look {
            self.decay_if_due();
        }
        slot.take()
    }

    /// A block that did not fit the calling thread's loaded magazine.
    ///
    /// # Safety
    /// As [`NodeAllocator::deallocate`].
    #[cold]
    #[inline(never)]
    pub(super) unsafe fn give_slow(this: &Handle<Self>, block: RawBlock) {
        this.registration.ensure(|| this.into());
        if this.is_hurt() {
            // SAFETY: the caller's promise: the block came from here, which is to say from `source` (P7).
            unsafe { this.give_to_source(block) };
            return;
        }
        let class = class::of_request(block.len);
        // A longer block, of an allocator that gives more than asked, is no thread's.
        if let Some(slot) = Self::slot_or_new(this, class)
            && slot.size() == block.len
        {
            if this.give_to_magazines(slot, class, block) {
                return;
            }
            slot.count_net(-1);
        }
        let (kept, look) = this.depot.put_one(block);
        if let Err(block) = kept {
            // SAFETY: the caller's promise: the block came from here, which is to say from `source`.
            unsafe { this.give_to_source(block) };
        }
        if look {
            this.decay_if_due();
        }
    }

    fn give_to_magazines(&self, slot: &Slot, class: usize, block: RawBlock) -> bool {
        if !slot.is_loaded() {
            slot.load(self.empty_magazine(class));
        }
        if slot.give(block) {
            return true;
        }
        slot.turn_to_room();
        if slot.give(block) {
            return true;
        }
        // Both are full, or there is only one yet.
        let (mut refused, mut look) = (None, false);
        let empty = match slot.take_other() {
            None => self.empty_magazine(class),
            Some(full) => {
                slot.count_net(-(full.len() as i64));
                let (answer, due) = self.depot.unload(class, full);
                look = due;
                match answer {
                    Unloaded::Kept(empty) => empty.or_else(Magazine::new),
                    Unloaded::Refused(full) => {
                        refused = Some(full);
                        self.empty_magazine(class)
                    }
                }
            }
        };
        if let Some(empty) = empty {
            let full = slot.take_loaded();
            slot.set_other(full);
            slot.load(Some(empty));
        }
        let given = slot.give(block);
        // Last, when the slot is whole: the memory behind the pool may be one that uses the pool itself.
        if let Some(full) = refused {
            let empty = self.spill(class, full);
            self.depot.put_empty(class, Some(empty));
        }
        if look {
            self.decay_if_due();
        }
        given
    }

    fn empty_magazine(&self, class: usize) -> Option<Box<Magazine>> {
        self.depot.take_empty(class).or_else(Magazine::new)
    }

    /// Asks the memory behind the pool; when that has none, it gets back what the pool keeps, and is asked once more.
    fn take_from_source(&self, size: usize) -> Result<RawBlock, AllocError> {
        let given = match self.source.allocate(size) {
            Err(_) if self.make_room() => self.source.allocate(size),
            given => given,
        }?;
        self.held_blocks.fetch_add(1, Relaxed);
        self.held_bytes.fetch_add(given.len as i64, Relaxed);
        Ok(given)
    }

    /// Gives up what the depot and the calling thread keep. False: they had nothing.
    #[cold]
    fn make_room(&self) -> bool {
        let made = self.clear_own() + self.clear() > 0;
        if made {
            self.source.trim();
        }
        made
    }

    /// # Safety
    /// The block came from `source`, its first `init` bytes are initialised, and nobody uses it.
    unsafe fn give_to_source(&self, block: RawBlock) {
        self.held_blocks.fetch_sub(1, Relaxed);
        self.held_bytes.fetch_sub(block.len as i64, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { self.source.deallocate(block) };
    }

    /// Empties a magazine into the memory behind the pool.
    fn spill(&self, class: usize, mut magazine: Box<Magazine>) -> Box<Magazine> {
        while let Some(entry) = magazine.pop() {
            let block = entry.block(class::size(class));
            // SAFETY: the blocks of a magazine came from `source` with this length, are initialised as far as they
            // say, and nobody uses them (P6).
            unsafe { self.give_to_source(block) };
        }
        magazine
    }

    fn give_up(&self, class: usize, surplus: Surplus) -> usize {
        match surplus {
            Surplus::Full(magazine) => {
                let bytes = magazine.len() * class::size(class);
                drop(self.spill(class, magazine));
                bytes
            }
            Surplus::Loose(block) => {
                let bytes = block.len;
                // SAFETY: a block in the depot came from `source`, and nobody uses it (P6).
                unsafe { self.give_to_source(block) };
                bytes
            }
        }
    }

    /// Gives the depot's blocks to the memory behind the pool. Returns their bytes.
    fn clear(&self) -> usize {
        let mut bytes = 0;
        self.depot
            .clear(|class, surplus| bytes += self.give_up(class, surplus));
        bytes
    }

    fn clear_own(&self) -> usize {
        local::find_any(self, self.way).map_or(0, |cache| self.clear_cache(cache))
    }

    fn clear_cache(&self, cache: &Cache) -> usize {
        let mut bytes = 0;
        for (class, slot) in cache.slots.iter().enumerate() {
            for magazine in [slot.take_loaded(), slot.take_other()]
                .into_iter()
                .flatten()
            {
                slot.count_net(-(magazine.len() as i64));
                bytes += magazine.len() * class::size(class);
                drop(self.spill(class, magazine));
            }
        }
        bytes
    }

    pub(super) fn trim(&self) -> usize {
        let before = self.mapped();
        let given = self.clear_own() + self.clear();
        let unmapped = self.went(before, given);
        let trimmed = self.source.trim();
        self.heal();
        self.told(unmapped, trimmed, given)
    }

    pub(super) fn decay(&self) -> usize {
        if !self.is_due() {
            return 0;
        }
        let before = self.mapped();
        let mut given = 0;
        self.depot
            .decay(|class, surplus| given += self.give_up(class, surplus));
        let unmapped = self.went(before, given);
        let decayed = self.source.decay();
        self.told(unmapped, decayed, given)
    }

    #[cold]
    fn decay_if_due(&self) {
        self.decay();
    }

    /// Whether a whole interval has passed; if so, the next one begins. One of several callers gets the yes.
    fn is_due(&self) -> bool {
        let now = clock::milliseconds();
        let last = self.decayed.load(Relaxed);
        now.saturating_sub(last) >= self.limits.interval_ms()
            && self
                .decayed
                .compare_exchange(last, now, Relaxed, Relaxed)
                .is_ok()
    }

    fn mapped(&self) -> Option<u64> {
        let mapped = self.source.figures()?.mapped_bytes;
        (mapped > 0).then_some(mapped)
    }

    /// Bytes that the system got back: what the memory behind the pool unmapped when it got blocks, and what it said
    /// that it gave back when it was asked to; if it says nothing at all, what it was given.
    fn told(&self, unmapped: usize, said: usize, given: usize) -> usize {
        match unmapped.saturating_add(said) {
            0 if self.mapped().is_none() => given,
            bytes => bytes,
        }
    }

    /// Bytes that the system got back: what the memory behind the pool says, or what it was given.
    fn went(&self, before: Option<u64>, given: usize) -> usize {
        match (before, self.source.figures()) {
            (Some(before), Some(after)) => {
                let went = before.saturating_sub(after.mapped_bytes);
                usize::try_from(went).unwrap_or(usize::MAX)
            }
            _ => given,
        }
    }

    /// Takes the cache off the register.
    fn strike_off(&self, cache: &Cache) -> Option<Registered> {
        let mut register = self.register();
        let at = register.caches.iter().position(|one| one.is(cache))?;
        let registered = register.caches.swap_remove(at);
        register.sum_up(&registered);
        Some(registered)
    }
}

impl<A: NodeAllocator> Pool for Inner<A> {
    fn farewell(&self, cache: &Cache) -> Option<Registered> {
        for (class, slot) in cache.slots.iter().enumerate() {
            for magazine in [slot.take_loaded(), slot.take_other()]
                .into_iter()
                .flatten()
            {
                slot.count_net(-(magazine.len() as i64));
                if magazine.len() == 0 {
                    self.depot.put_empty(class, Some(magazine));
                    continue;
                }
                match self.depot.unload(class, magazine).0 {
                    Unloaded::Kept(empty) => self.depot.put_empty(class, empty),
                    Unloaded::Refused(full) => {
                        let empty = self.spill(class, full);
                        self.depot.put_empty(class, Some(empty));
                    }
                }
            }
        }
        self.strike_off(cache)
    }
}

impl Register {
    /// Keeps what the slots of a cache have counted, which goes.
    fn sum_up(&mut self, cache: &Registered) {
        for (counts, hits) in cache.counts().into_iter().zip(&mut self.hits) {
            *hits += counts.hits;
            self.surplus += counts.surplus;
        }
    }
}

impl<A: NodeAllocator> Forks for Inner<A> {
    unsafe fn hold(&self) {
        // SAFETY: the caller's promise.
        unsafe { Forks::hold(&self.register) };
        for shelf in self.depot.locks() {
            // SAFETY: the caller's promise.
            unsafe { shelf.hold() };
        }
    }

    unsafe fn release(&self) {
        for shelf in self.depot.locks() {
            // SAFETY: the caller's promise.
            unsafe { shelf.release() };
        }
        // SAFETY: the caller's promise.
        unsafe { Forks::release(&self.register) };
    }

    /// The caches of threads that the child has not may have been copied in the middle of a change: they are struck off
    /// and never looked into, and what is in them is out for good (P8).
    fn in_child(&self) {
        {
            let register = &mut *self.register();
            let mut at = 0;
            while let Some(cache) = register.caches.get(at) {
                if cache.is_mine() {
                    at += 1;
                } else {
                    let gone = register.caches.swap_remove(at);
                    register.sum_up(&gone);
                }
            }
        }
        let losses = losses();
        // Of one that was hurt before, nothing new is known.
        if losses != 0 && self.unhurt.load(Relaxed) == losses - 1 && process::has_all(&self.source)
        {
            self.unhurt.store(losses, Relaxed);
        }
    }
}

impl<A: NodeAllocator> Drop for Inner<A> {
    fn drop(&mut self) {
        let register = self.register.get_mut();
        for registered in std::mem::take(&mut register.caches) {
            // SAFETY: this is the drop of its pool, and it is let go of below.
            let cache = unsafe { registered.cache() };
            self.clear_cache(cache);
            registered.let_go();
        }
        self.clear();
    }
}
