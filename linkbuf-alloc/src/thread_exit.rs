//! What is done when a thread ends, arranged without an abort where memory is out.
//!
//! The standard library's thread-locals with a destructor note it in a list that grows, and end the process when that
//! has no memory. On Linux a key of the C library can be refused instead. Its destructors run after those of
//! thread-locals, so what these give back still finds the thread's caches. (A library that is loaded and unloaded at run
//! time must not be unloaded before the threads that used it have ended.)
#![cfg_attr(
    all(target_os = "linux", not(miri)),
    expect(unsafe_code, reason = "calls the C library")
)]

#[cfg(all(target_os = "linux", not(miri)))]
pub(crate) use keys::ThreadExit;
#[cfg(not(all(target_os = "linux", not(miri))))]
pub(crate) use locals::ThreadExit;

#[cfg(all(target_os = "linux", not(miri)))]
mod keys {
    use std::{
        ffi::c_void,
        ptr,
        sync::atomic::{
            AtomicU64,
            Ordering::{Acquire, Release},
        },
    };

    /// A function that is called on a thread that ends.
    pub(crate) struct ThreadExit {
        run: unsafe extern "C" fn(*mut c_void),
        /// The key plus 1; 0 while there is none.
        key: AtomicU64,
    }

    impl ThreadExit {
        /// `run` is called with a pointer that means nothing.
        pub(crate) const fn new(run: extern "C" fn(*mut c_void)) -> Self {
            ThreadExit {
                run,
                key: AtomicU64::new(0),
            }
        }

        /// From now on the end of the calling thread is waited for. False if that can't be had.
        pub(crate) fn arm(&self) -> bool {
            let Some(key) = self.key() else { return false };
            // SAFETY: the key was made and is never deleted. Any value but null will do, and is never read.
            unsafe { libc::pthread_setspecific(key, ptr::without_provenance(1)) == 0 }
        }

        /// Without a lock, which a child of a fork could find taken: of two threads that make a key, one deletes its own.
        fn key(&self) -> Option<libc::pthread_key_t> {
            // Acquire, and Release below: what the C library notes of a key comes before its use on another thread.
            let known = self.key.load(Acquire);
            if let Some(key) = known.checked_sub(1) {
                return libc::pthread_key_t::try_from(key).ok();
            }
            let mut made = 0;
            // SAFETY: `made` is there to be written to; the function lives as long as the program (a library that is
            // unloaded earlier: see the module), and takes any pointer.
            if unsafe { libc::pthread_key_create(&raw mut made, Some(self.run)) } != 0 {
                return None;
            }
            let stored = u64::from(made) + 1;
            match self.key.compare_exchange(0, stored, Release, Acquire) {
                Ok(_) => Some(made),
                Err(first) => {
                    // SAFETY: made above, and nobody heard of it.
                    unsafe { libc::pthread_key_delete(made) };
                    libc::pthread_key_t::try_from(first.checked_sub(1)?).ok()
                }
            }
        }
    }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
mod locals {
    use std::{cell::RefCell, ffi::c_void, ptr};

    /// As many as there are `ThreadExit`s in the crate.
    const MOST: usize = 2;

    struct Guard([Option<extern "C" fn(*mut c_void)>; MOST]);

    impl Drop for Guard {
        fn drop(&mut self) {
            for run in self.0.into_iter().flatten() {
                run(ptr::null_mut());
            }
        }
    }

    thread_local! {
        static GUARD: RefCell<Guard> = const { RefCell::new(Guard([None; MOST])) };
    }

    /// A function that is called on a thread that ends.
    pub(crate) struct ThreadExit(extern "C" fn(*mut c_void));

    impl ThreadExit {
        /// `run` is called with a pointer that means nothing.
        pub(crate) const fn new(run: extern "C" fn(*mut c_void)) -> Self {
            ThreadExit(run)
        }

        /// From now on the end of the calling thread is waited for. False if that can't be had.
        pub(crate) fn arm(&self) -> bool {
            GUARD
                .try_with(|guard| {
                    let Ok(mut guard) = guard.try_borrow_mut() else {
                        return false;
                    };
                    let same = |run: &Option<extern "C" fn(*mut c_void)>| {
                        run.is_none_or(|run| run as usize == self.0 as usize)
                    };
                    match guard.0.iter_mut().find(|run| same(run)) {
                        Some(place) => {
                            *place = Some(self.0);
                            true
                        }
                        None => false,
                    }
                })
                .unwrap_or(false)
        }
    }
}
