//! The count of those who see a block. No unsafe code here: what the answers permit is stated, not done.
//!
//! The count is *biased*. A block starts with [`BIAS`] references of which its node holds all, as a plain number (the
//! node's *credit*). The node's owner hands a reference to a slice by lowering the credit: no atomic operation. The
//! slice gives it back by lowering the count: one atomic operation for the life of a slice, where an `Arc` takes two.
//! And `count == credit` proves, by one load, that nobody else sees the block.

use crate::sync::{AtomicUsize, Ordering};

/// References that are made at once.
pub(super) const BIAS: usize = 1 << (usize::BITS / 4);
/// Past this the count could wrap, so the process ends, as `Arc` does. Only leaked clones get there.
const LIMIT: usize = usize::MAX / 2;

/// A count of references.
pub(super) struct Refs(AtomicUsize);

impl Refs {
    /// `n` references, all the caller's.
    pub(super) fn new(n: usize) -> Refs {
        Refs(AtomicUsize::new(n))
    }

    /// Are the caller's `credit` references all there are? Then whoever saw the block before is done with it.
    #[inline]
    pub(super) fn only(&self, credit: usize) -> bool {
        // Acquire pairs with the Release in `sub` of another thread's last use: its reads happen before our writes.
        self.0.load(Ordering::Acquire) == credit
    }

    /// Makes `n` more references. The caller holds one, so the count can't be 0.
    #[inline]
    pub(super) fn add(&self, n: usize) {
        // Relaxed: a reference made from a reference needs no ordering of its own, as in `Arc::clone`.
        if self.0.fetch_add(n, Ordering::Relaxed) > LIMIT {
            overflow();
        }
    }

    /// Gives up `n` references. True: they were the last, the caller now owns the block alone.
    #[inline]
    #[must_use]
    pub(super) fn sub(&self, n: usize) -> bool {
        // Release pairs with the load below in whichever thread comes last, and with the load in `only`.
        if self.0.fetch_sub(n, Ordering::Release) == n {
            // Acquire pairs with the Release of every earlier `sub`: all uses happen before what the caller does next.
            // A load and not a fence, because ThreadSanitizer doesn't know fences (`bytes` does the same).
            self.0.load(Ordering::Acquire);
            true
        } else {
            false
        }
    }
}

/// Ends the process in a way that `no_std` has: a panic while panicking aborts.
#[cold]
#[inline(never)]
fn overflow() -> ! {
    struct Abort;
    impl Drop for Abort {
        fn drop(&mut self) {
            panic!("too many references to one block");
        }
    }
    let _abort = Abort;
    panic!("too many references to one block");
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_last_reference_is_told() {
        let refs = Refs::new(BIAS);
        assert!(refs.only(BIAS));
        refs.add(2);
        assert!(!refs.only(BIAS));
        assert!(!refs.sub(2));
        assert!(refs.only(BIAS));
        assert!(refs.sub(BIAS));
    }
}

#[cfg(all(test, loom))]
#[expect(
    unsafe_code,
    reason = "loom's cell checks what the bytes of a block are used for"
)]
mod loom_tests {
    use super::*;
    use loom::{cell::UnsafeCell, sync::Arc, thread};

    struct Shared {
        refs: Refs,
        bytes: UnsafeCell<u32>,
    }

    /// Two slices are read and dropped on two threads, while the owner polls for the block and reuses it.
    #[test]
    fn reuse_happens_after_the_last_read() {
        loom::model(|| {
            let shared = Arc::new(Shared {
                refs: Refs::new(4),
                bytes: UnsafeCell::new(7),
            });
            let mut credit = 4;
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    credit -= 1;
                    let shared = shared.clone();
                    thread::spawn(move || {
                        // SAFETY: loom's cell panics if the access races.
                        shared.bytes.with(|p| assert_eq!(unsafe { *p }, 7));
                        assert!(!shared.refs.sub(1), "the owner still holds its credit");
                    })
                })
                .collect();
            if shared.refs.only(credit) {
                // SAFETY: loom's cell panics if the access races.
                shared.bytes.with_mut(|p| unsafe { *p = 8 });
            }
            for t in threads {
                t.join().unwrap();
            }
        });
    }

    /// The owner lets go while two slices are dropped: exactly one of the three frees the block, after all reads.
    #[test]
    fn exactly_one_frees() {
        loom::model(|| {
            let shared = Arc::new(Shared {
                refs: Refs::new(4),
                bytes: UnsafeCell::new(7),
            });
            let freed = Arc::new(AtomicUsize::new(0));
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let (shared, freed) = (shared.clone(), freed.clone());
                    thread::spawn(move || {
                        // SAFETY: loom's cell panics if the access races.
                        shared.bytes.with(|p| assert_eq!(unsafe { *p }, 7));
                        if shared.refs.sub(1) {
                            // SAFETY: loom's cell panics if the access races.
                            shared.bytes.with_mut(|p| unsafe { *p = 8 });
                            freed.fetch_add(1, Ordering::Relaxed);
                        }
                    })
                })
                .collect();
            if shared.refs.sub(2) {
                // SAFETY: loom's cell panics if the access races.
                shared.bytes.with_mut(|p| unsafe { *p = 8 });
                freed.fetch_add(1, Ordering::Relaxed);
            }
            for t in threads {
                t.join().unwrap();
            }
            assert_eq!(freed.load(Ordering::Relaxed), 1);
        });
    }
}
