//! Forks: locks that a child finds free and whole, and what a child does before `fork` returns in it.
//!
//! A child has the thread that forked, and no other. A lock that another thread held would be held in it for ever, and
//! what it guards would be half changed. So `fork` takes every lock of this crate's allocators first, each when it is
//! free, and parent and child let go of them afterwards. That is how it is on Linux; elsewhere the locks are plain.
//!
//! Invariants:
//! - **K1** While this crate holds a lock it takes no other, forks not, and calls nobody's code but the global heap's.
//!   So `fork` gets the locks in any order. (Other people's fork handlers that were installed before run while they are
//!   held: what these may not do is in the crate's documentation.)
//! - **K2** `held` of a lock is touched by the thread that forks only, from when it has the register's lock until it
//!   lets go of that. Whatever owns a lock that it holds is kept alive, and stays where it is, meanwhile.
//!
//! An allocator comes on the register with its first block. Nothing here waits for another thread for good but for a lock
//! that is on the register, nor aborts when memory is out: who can't get on the register tries again later.
#![expect(unsafe_code, reason = "keeps the guards of locks over a fork")]

use std::{
    cell::UnsafeCell,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use crate::handle::Handle;

/// A mutex that a child finds free, if its owner is on the register.
pub(crate) struct Lock<T: 'static> {
    mutex: Mutex<T>,
    held: UnsafeCell<Option<MutexGuard<'static, T>>>,
}

// SAFETY: the mutex lets one thread at the value at a time; `held` is touched by one thread at a time (K2).
unsafe impl<T: Send> Sync for Lock<T> {}

// SAFETY: the value may change threads. `held` is empty whenever a lock is moved: who holds one keeps it in its place
// (K2).
unsafe impl<T: Send> Send for Lock<T> {}

impl<T> Lock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Lock {
            mutex: Mutex::new(value),
            held: UnsafeCell::new(None),
        }
    }

    /// What is guarded here is whole between any two statements, so a panic elsewhere does not matter.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "pooled")]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lock, until [`give_after_fork`](Self::give_after_fork).
    ///
    /// # Safety
    /// As [`Forks::hold`]; or the lock is the register's own.
    unsafe fn take_for_fork(&self) {
        let guard = self.lock();
        // SAFETY: the guard is dropped by `give_after_fork`, and until then the lock is neither moved nor dropped
        // (K2), so the borrow is as good as one without an end.
        let guard = unsafe { mem::transmute::<MutexGuard<'_, T>, MutexGuard<'static, T>>(guard) };
        // SAFETY: nobody else is at this field (K2).
        let held = unsafe { &mut *self.held.get() };
        *held = Some(guard);
    }

    /// # Safety
    /// As `take_for_fork`, which came before.
    unsafe fn give_after_fork(&self) {
        // SAFETY: nobody else is at this field (K2). What stood there is dropped after the borrow has ended.
        let guard = unsafe { &mut *self.held.get() }.take();
        drop(guard);
    }
}

/// What has locks that a child is to find free.
pub(crate) trait Forks: Send + Sync {
    /// Takes its locks.
    ///
    /// # Safety
    /// By the thread that forks, under the register's lock; nothing but `release` follows (K2).
    unsafe fn hold(&self);

    /// Lets go of them.
    ///
    /// # Safety
    /// As `hold`, which came before.
    unsafe fn release(&self);

    /// In the child, when all locks are free again.
    fn in_child(&self) {}
}

impl<T: Send> Forks for Lock<T> {
    unsafe fn hold(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.take_for_fork() };
    }

    unsafe fn release(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.give_after_fork() };
    }
}

/// A way to an allocator's state that does not keep it.
pub(crate) enum Whole {
    Static(&'static dyn Forks),
    Counted(Weak<dyn Forks>),
}

impl<T: Forks> From<&Handle<T>> for Whole {
    fn from(handle: &Handle<T>) -> Self {
        match handle {
            Handle::Static(state) => Whole::Static(*state),
            Handle::Shared(state) => {
                let weak: Weak<T> = Arc::downgrade(state);
                Whole::Counted(weak)
            }
        }
    }
}

/// Whether an allocator is on the register.
pub(crate) struct Registration(AtomicBool);

impl Registration {
    pub(crate) const fn new() -> Self {
        Registration(AtomicBool::new(false))
    }

    /// Puts the allocator on the register, unless it is there, or that can't be done now.
    #[inline]
    pub(crate) fn ensure(&self, whole: impl FnOnce() -> Whole) {
        // Relaxed: it is only set under the register's lock, where it is read once more.
        if !self.0.load(Relaxed) {
            register::enter(&self.0, whole());
        }
    }
}

#[cfg(all(feature = "hugepage", target_os = "linux", not(miri)))]
pub(crate) use register::install;

#[cfg(all(target_os = "linux", not(miri)))]
mod register {
    use std::{
        cell::Cell,
        io,
        sync::{TryLockError, atomic::AtomicU32},
        thread,
        time::Duration,
    };

    use super::*;

    struct Entry {
        whole: Whole,
        /// While the process forks, and until what is to be done afterwards is done.
        kept: Option<Kept>,
    }

    enum Kept {
        Static(&'static dyn Forks),
        Counted(Arc<dyn Forks>),
    }

    static REGISTER: Lock<Vec<Entry>> = Lock::new(Vec::new());

    const NOT_YET: u32 = 0;
    const DONE: u32 = u32::MAX;
    /// Whether the functions below are called around a fork. In between, the process that is seeing to it: a child finds
    /// its parent's, whose thread it has not.
    static INSTALLED: AtomicU32 = AtomicU32::new(NOT_YET);

    impl Entry {
        fn is_gone(&self) -> bool {
            match &self.whole {
                Whole::Static(_) => false,
                Whole::Counted(state) => state.strong_count() == 0,
            }
        }

        fn keep(&mut self) {
            if self.kept.is_none() {
                self.kept = match &self.whole {
                    Whole::Static(state) => Some(Kept::Static(*state)),
                    Whole::Counted(state) => state.upgrade().map(Kept::Counted),
                };
            }
        }

        fn kept(&self) -> Option<&dyn Forks> {
            Some(match self.kept.as_ref()? {
                Kept::Static(state) => *state,
                Kept::Counted(state) => &**state,
            })
        }
    }

    impl<T> Lock<T> {
        /// Shows `f` what is behind a lock that is held.
        ///
        /// # Safety
        /// As `take_for_fork`, which came before; `f` does not come back here.
        unsafe fn with_held(&self, f: impl FnOnce(&mut T)) {
            // SAFETY: nobody else is at this field (K2), nor comes to it before the borrow has ended.
            let held = unsafe { &mut *self.held.get() };
            if let Some(value) = held.as_deref_mut() {
                f(value);
            }
        }
    }

    thread_local! {
        /// From `before` to what comes after it on the thread that forks. A C library may call what comes after without
        /// it, of handlers that were installed while it was about to fork; and where a child could not know that its
        /// parent had just installed them, each comes twice.
        static FORKING: Cell<bool> = const { Cell::new(false) };
    }

    /// The process is about to fork.
    extern "C" fn before() {
        if FORKING.replace(true) {
            return;
        }
        // Whoever installed this may not have come to note it.
        INSTALLED.store(DONE, Relaxed);
        let hold = |entries: &mut Vec<Entry>| {
            for entry in entries {
                entry.keep();
                if let Some(kept) = entry.kept() {
                    // SAFETY: K2: this is the thread that forks, under the register's lock, and what is kept stays.
                    unsafe { kept.hold() };
                }
            }
        };
        // SAFETY: K2: this is the thread that forks; the register is a static, and its own lock.
        unsafe { REGISTER.take_for_fork() };
        // SAFETY: taken just now; the locks of those on the register are others.
        unsafe { REGISTER.with_held(hold) };
        #[cfg(feature = "hugepage")]
        // SAFETY: K2: as above.
        unsafe {
            crate::backend::huge_page_fork::before()
        };
    }

    extern "C" fn after_in_parent() {
        if !FORKING.replace(false) {
            return;
        }
        release();
        while let Some(kept) = unkeep() {
            // It may be the last to hold it, and then drops an allocator: with no lock held.
            drop(kept);
        }
    }

    extern "C" fn after_in_child() {
        if !FORKING.replace(false) {
            return;
        }
        release();
        // Before anything else is mapped.
        #[cfg(feature = "hugepage")]
        crate::backend::huge_page_fork::in_child();
        while let Some(kept) = unkeep() {
            match &kept {
                Kept::Static(state) => state.in_child(),
                Kept::Counted(state) => state.in_child(),
            }
            drop(kept);
        }
    }

    /// Lets go of all that `before` took, on this thread.
    fn release() {
        #[cfg(feature = "hugepage")]
        // SAFETY: K2: `before` held it on this thread.
        unsafe {
            crate::backend::huge_page_fork::after()
        };
        let release = |entries: &mut Vec<Entry>| {
            for kept in entries.iter().filter_map(Entry::kept) {
                // SAFETY: K2: `before` held it on this thread, and it was kept since.
                unsafe { kept.release() };
            }
        };
        // SAFETY: K2: `before` took it on this thread; the locks of those on the register are others.
        unsafe { REGISTER.with_held(release) };
        // SAFETY: as above, and last.
        unsafe { REGISTER.give_after_fork() };
    }

    /// Takes one of those out of the register that a fork keeps.
    fn unkeep() -> Option<Kept> {
        REGISTER
            .lock()
            .iter_mut()
            .find_map(|entry| entry.kept.take())
    }

    #[cold]
    pub(super) fn enter(registered: &AtomicBool, whole: Whole) {
        if install().is_err() {
            return;
        }
        let entries = patiently(|| match REGISTER.mutex.try_lock() {
            Ok(entries) => Some(entries),
            Err(TryLockError::Poisoned(entries)) => Some(entries.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        });
        let Some(mut entries) = entries else { return };
        if registered.load(Relaxed) {
            return;
        }
        // Only when there is no room: looking at all costs nothing then, spread over those that came.
        if entries.len() == entries.capacity() {
            entries.retain(|entry| !entry.is_gone());
        }
        if entries.try_reserve(1).is_ok() {
            entries.push(Entry { whole, kept: None });
            registered.store(true, Relaxed);
        }
    }

    /// Tries until it is done. Another thread is at it, which is a matter of microseconds, or of some time slices where
    /// it lost the processor; but should this one be inside of a fork handler, or in a child that knows of no fork, it
    /// would be for good. So it is waited for once, and then each call tries once, until one succeeds.
    fn patiently<T>(mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        static TIRED: AtomicBool = AtomicBool::new(false);
        for n in 0..1200 {
            let done = attempt();
            let tired = TIRED.load(Relaxed);
            if done.is_some() {
                if tired {
                    TIRED.store(false, Relaxed);
                }
                return done;
            }
            if tired {
                return None;
            }
            if n < 1000 {
                thread::yield_now();
            } else {
                thread::sleep(Duration::from_millis(1));
            }
        }
        TIRED.store(true, Relaxed);
        None
    }

    /// Sees to it that the functions above are called. An error if there is no memory for that.
    pub(crate) fn install() -> io::Result<()> {
        // Not a `OnceLock`: in a child, one that another thread was just setting would never be set.
        patiently(|| {
            let state = INSTALLED.load(Relaxed);
            if state == DONE {
                return Some(Ok(()));
            }
            let me = std::process::id();
            // It hands no data on: the functions are the C library's to call.
            if state == me
                || INSTALLED
                    .compare_exchange(state, me, Relaxed, Relaxed)
                    .is_err()
            {
                return None;
            }
            // SAFETY: the functions live as long as the program. Around a fork they take locks that no thread keeps for
            // long (K1), and in a child call what `Forks::in_child` and `huge_page` allow there.
            let error = unsafe {
                libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child))
            };
            if error != 0 {
                // Unless another one was luckier meanwhile.
                let _ = INSTALLED.compare_exchange(me, NOT_YET, Relaxed, Relaxed);
                return Some(Err(io::Error::from_raw_os_error(error)));
            }
            INSTALLED.store(DONE, Relaxed);
            Some(Ok(()))
        })
        .unwrap_or_else(|| Err(io::Error::from_raw_os_error(libc::EAGAIN)))
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod register {
    use super::*;

    /// Nobody's locks are taken here.
    pub(super) fn enter(registered: &AtomicBool, _: Whole) {
        registered.store(true, Relaxed);
    }
}
