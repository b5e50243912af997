//! A thread's caches: how a thread finds the one of a pool, and how they come to an end.
#![expect(
    unsafe_code,
    reason = "objects with two holders, found through raw thread-local pointers"
)]

use std::{
    alloc::{Layout, alloc},
    cell::Cell,
    ffi::c_void,
    ptr::{self, NonNull},
    sync::{
        Weak,
        atomic::{AtomicU8, Ordering},
    },
};

use crate::thread_exit::ThreadExit;

use super::{
    class::THREAD_CLASSES,
    limits::PoolLimits,
    slot::{Counts, Slot},
};

/// Pools that a thread finds at once. More than so many in use by one thread take turns, at the cost of a walk.
pub(super) const WAYS: usize = 8;

/// What a thread holds of one pool.
///
/// Neither `Send` nor `Sync`: a `&Cache` is a proof of being on the owner's thread (P1) or of being the dropping pool
/// (P2).
#[repr(C)]
pub(super) struct Cache {
    pub(super) slots: [Slot; THREAD_CLASSES],
    home: Home,
    /// The thread's next cache.
    next: Cell<*mut Cache>,
    way: usize,
    holders: AtomicU8,
}

/// A pool, seen without its type.
pub(super) trait Pool: Send + Sync {
    /// Takes over what the cache holds, and strikes it off the register.
    fn farewell(&self, cache: &Cache) -> Option<Registered>;
}

/// The way back from a cache to its pool. It keeps the pool's address taken, not the pool alive.
pub(super) enum Home {
    Static(&'static dyn Pool),
    Counted(Weak<dyn Pool>),
}

impl Home {
    fn is_gone(&self) -> bool {
        match self {
            Home::Static(_) => false,
            Home::Counted(pool) => pool.strong_count() == 0,
        }
    }
}

/// What a thread keeps: no destructor, so reaching it is one load from the thread's block.
struct Local {
    /// Address of the pool that the cache at the same place belongs to, or null.
    keys: [Cell<*const ()>; WAYS],
    /// Meaningless where the key is null. Never null itself, so that nobody need check.
    caches: [Cell<NonNull<Cache>>; WAYS],
    /// All caches of the thread.
    first: Cell<*mut Cache>,
    /// The thread's end has begun: its caches are gone, and it makes no others.
    ended: Cell<bool>,
}

static EXIT: ThreadExit = ThreadExit::new(leave_all);

thread_local! {
    static LOCAL: Local = const {
        Local {
            keys: [const { Cell::new(ptr::null()) }; WAYS],
            caches: [const { Cell::new(NonNull::dangling()) }; WAYS],
            first: Cell::new(ptr::null_mut()),
            ended: Cell::new(false),
        }
    };
}

/// The calling thread's cache of `pool`, if it stands in its place.
#[inline(always)]
pub(super) fn find<T>(pool: &T, way: usize) -> Option<&Cache> {
    LOCAL.with(|local| {
        let way = way % WAYS;
        if local.keys[way].get() != ptr::from_ref(pool).cast() {
            return None;
        }
        // SAFETY: beside a key stands a cache of this thread (P1), of the pool at this address (P4), which lives as
        // long as that pool does, hence as long as the borrow of it (P3).
        Some(unsafe { local.caches[way].get().as_ref() })
    })
}

/// The calling thread's cache of `pool`, wherever it is; it stands in its place from now on.
pub(super) fn find_any<T>(pool: &T, way: usize) -> Option<&Cache> {
    if let Some(cache) = find(pool, way) {
        return Some(cache);
    }
    LOCAL.with(|local| {
        let mut at = local.first.get();
        // SAFETY: the thread's list holds caches of this thread only, none of which is freed while it is in it (P3).
        while let Some(cache) = unsafe { at.as_ref() } {
            if cache.key() == ptr::from_ref(pool).cast() {
                local.put(cache);
                return Some(cache);
            }
            at = cache.next.get();
        }
        None
    })
}

/// The process was forked from one that had memory which it has not, and this is its only thread: from here on every
/// call takes the slow path, which goes past the caches.
#[cfg(all(feature = "hugepage", target_os = "linux"))]
pub(crate) fn forked() {
    LOCAL.with(|local| {
        for key in &local.keys {
            key.set(ptr::null());
        }
    });
}

/// Makes a cache for the calling thread, which has none of this pool, unless the thread is ending or memory is out.
/// `register` notes it in the pool.
pub(super) fn create<'a, T>(
    pool: &'a T,
    way: usize,
    home: Home,
    limits: &PoolLimits,
    register: impl FnOnce(Registered) -> Result<(), Registered>,
) -> Option<&'a Cache> {
    reap();
    // SAFETY: a cache is not of size 0.
    let memory = unsafe { alloc(Layout::new::<Cache>()) };
    let cache = NonNull::new(memory)?.cast::<Cache>();
    let fresh = Cache {
        slots: std::array::from_fn(|class| Slot::new(class, limits.capacity(class))),
        home,
        next: Cell::new(ptr::null_mut()),
        way: way % WAYS,
        holders: AtomicU8::new(2),
    };
    // SAFETY: fresh memory of this layout.
    unsafe { cache.write(fresh) };
    // From here on the thread's end is waited for. Without it nobody would empty the cache, so there is none then.
    let guarded = !LOCAL.with(|local| local.ended.get()) && EXIT.arm();
    if !guarded || register(Registered(cache)).is_err() {
        // SAFETY: made by `alloc` above with the layout of the type, and nobody else heard of it.
        drop(unsafe { Box::from_raw(cache.as_ptr()) });
        return None;
    }
    // SAFETY: this thread is one of its two holders (P3) until it ends or the pool is gone, and the pool is borrowed.
    let cache: &'a Cache = unsafe { cache.as_ref() };
    debug_assert_eq!(cache.key(), ptr::from_ref(pool).cast());
    LOCAL.with(|local| {
        cache.next.set(local.first.get());
        local.first.set(ptr::from_ref(cache).cast_mut());
        local.put(cache);
    });
    Some(cache)
}

/// Lets go of the caches whose pools are gone.
fn reap() {
    LOCAL.with(|local| {
        let mut link = &local.first;
        // SAFETY: as in `find_any`; a cache that was let go of is out of the list before it may be freed.
        while let Some(cache) = unsafe { link.get().as_ref() } {
            if cache.home.is_gone() {
                local.forget(cache);
                link.set(cache.next.get());
                Registered(NonNull::from(cache)).let_go();
            } else {
                link = &cache.next;
            }
        }
    });
}

impl Local {
    fn put(&self, cache: &Cache) {
        self.keys[cache.way].set(cache.key());
        self.caches[cache.way].set(NonNull::from(cache));
    }

    fn forget(&self, cache: &Cache) {
        if self.caches[cache.way].get() == NonNull::from(cache) {
            self.keys[cache.way].set(ptr::null());
        }
    }
}

/// The thread ends.
extern "C" fn leave_all(_: *mut c_void) {
    LOCAL.with(|local| local.ended.set(true));
    // One at a time, out of the list first: returning blocks may enter other pools, which use what is still there.
    while let Some(cache) = LOCAL.with(|local| {
        // SAFETY: as in `find_any`.
        let cache = unsafe { local.first.get().as_ref() }?;
        local.forget(cache);
        local.first.set(cache.next.get());
        Some(cache)
    }) {
        cache.leave();
    }
}

impl Cache {
    /// The address of its pool.
    fn key(&self) -> *const () {
        match &self.home {
            Home::Static(pool) => ptr::from_ref(*pool).cast(),
            Home::Counted(pool) => pool.as_ptr().cast(),
        }
    }

    /// The thread ends: what the cache holds goes to the pool, if there still is one.
    fn leave(&self) {
        let registered = match &self.home {
            Home::Static(pool) => pool.farewell(self),
            // While `pool` is held, its drop does not begin, so the blocks are this thread's to move (P2).
            Home::Counted(pool) => pool.upgrade().and_then(|pool| pool.farewell(self)),
        };
        if let Some(registered) = registered {
            registered.let_go();
        }
        Registered(NonNull::from(self)).let_go();
    }
}

/// A cache as its pool, or a thread that only counts, sees it.
pub(super) struct Registered(NonNull<Cache>);

// SAFETY: what other threads do with it is reading atomics, or what P2 and P3 allow.
unsafe impl Send for Registered {}

impl Registered {
    pub(super) fn is(&self, cache: &Cache) -> bool {
        ptr::eq(self.0.as_ptr(), cache)
    }

    /// Whether it is one of the calling thread's.
    pub(super) fn is_mine(&self) -> bool {
        LOCAL.with(|local| {
            let mut at = local.first.get();
            // SAFETY: as in `find_any`.
            while let Some(cache) = unsafe { at.as_ref() } {
                if self.is(cache) {
                    return true;
                }
                at = cache.next.get();
            }
            false
        })
    }

    /// What the slot of each class counts. From any thread.
    pub(super) fn counts(&self) -> [Counts; THREAD_CLASSES] {
        std::array::from_fn(|class| {
            // SAFETY: a registered cache lives (P3), and this makes no reference to what its owner writes without
            // atomics: `Slot::counts_of` reads the counters only.
            let slots = unsafe { &raw const (*self.0.as_ptr()).slots };
            let slot = slots.cast::<Slot>().wrapping_add(class);
            // SAFETY: `class < THREAD_CLASSES`, so it is one of the slots.
            unsafe { Slot::counts_of(slot) }
        })
    }

    /// The cache itself, for the pool that is being dropped.
    ///
    /// # Safety
    /// The caller is the drop of the pool that the cache belongs to, and has not let go of it.
    pub(super) unsafe fn cache(&self) -> &Cache {
        // SAFETY: it lives, since it was not let go of; nobody else uses its cells any more (P2).
        unsafe { self.0.as_ref() }
    }

    /// One of the two holders leaves. The last one frees it.
    pub(super) fn let_go(self) {
        // SAFETY: a holder that has not left keeps the cache alive (P3).
        let holders = unsafe { &raw const (*self.0.as_ptr()).holders };
        // SAFETY: as above. Only this field is borrowed, since the other holder may be at the cells.
        let holders = unsafe { &*holders };
        // `AcqRel` pairs with itself: whoever is last sees all that the other did.
        if holders.fetch_sub(1, Ordering::AcqRel) == 1 {
            // SAFETY: both holders have left, and `create` made it with the global allocator and this layout.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
        }
    }
}
