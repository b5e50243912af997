//! An allocator that fails when it is told to.

#![expect(unsafe_code, reason = "implements the unsafe trait `NodeAllocator`")]

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use crate::{AllocError, Heap, NodeAllocator, RawBlock};

/// Passes calls on to `A`, until its [`FaultPlan`] says to fail.
///
/// Clones share one plan, so a buffer built over a clone obeys the plan that the test holds.
///
/// ```
/// use linkbuf_core::{Heap, NodeAllocator, testing::allocators::Failing};
///
/// let alloc = Failing::new(Heap);
/// alloc.plan().arm(1, false); // the second allocation from here on
/// let first = alloc.allocate(10).unwrap();
/// assert!(alloc.allocate(10).is_err());
/// let third = alloc.allocate(10).unwrap();
/// assert!(alloc.plan().disarm());
/// # for block in [first, third] {
/// #     // SAFETY: given by this allocator, returned once.
/// #     unsafe { alloc.deallocate(block) };
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Failing<A = Heap> {
    inner: A,
    plan: FaultPlan,
}

impl<A: NodeAllocator> Failing<A> {
    /// Wraps `inner`; nothing fails before the plan is armed.
    pub fn new(inner: A) -> Self {
        Self {
            inner,
            plan: FaultPlan::default(),
        }
    }

    /// The plan that this allocator and its clones share.
    pub fn plan(&self) -> &FaultPlan {
        &self.plan
    }
}

/// When a [`Failing`] allocator fails. A handle: clones are the same plan.
///
/// ```
/// use linkbuf_core::testing::allocators::FaultPlan;
///
/// let plan = FaultPlan::default();
/// plan.arm(0, true);
/// assert!(!plan.disarm()); // nobody allocated, so nothing failed
/// ```
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    armed: AtomicBool,
    /// Allocations that still succeed.
    left: AtomicU64,
    lasting: AtomicBool,
    fired: AtomicBool,
}

// Tests arm a plan, call, and disarm it on one thread; where several threads allocate at once, which of them gets the
// failure is open anyway. So `Relaxed` is enough everywhere below.
impl FaultPlan {
    /// Lets `after` more allocations succeed and fails the next one; with `lasting`, also all that follow.
    pub fn arm(&self, after: u64, lasting: bool) {
        self.state.left.store(after, Ordering::Relaxed);
        self.state.lasting.store(lasting, Ordering::Relaxed);
        self.state.fired.store(false, Ordering::Relaxed);
        self.state.armed.store(true, Ordering::Relaxed);
    }

    /// Ends the plan. True if an allocation failed since it was armed.
    pub fn disarm(&self) -> bool {
        self.state.armed.store(false, Ordering::Relaxed);
        self.state.fired.load(Ordering::Relaxed)
    }

    fn refuses(&self) -> bool {
        let state = &*self.state;
        if !state.armed.load(Ordering::Relaxed) {
            return false;
        }
        let spent = state
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .is_err();
        if !spent {
            return false;
        }
        let first = !state.fired.swap(true, Ordering::Relaxed);
        first || state.lasting.load(Ordering::Relaxed)
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "what is not forwarded would answer for itself"
)]
// SAFETY: every block comes from `inner` and goes back to it unchanged, so each clause that `inner` keeps is kept. A
// clone shares the plan and clones `inner`: a count goes up, nothing is allocated.
unsafe impl<A: NodeAllocator> NodeAllocator for Failing<A> {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        if self.plan.refuses() {
            return Err(AllocError { size: min });
        }
        self.inner.allocate(min)
    }

    unsafe fn deallocate(&self, block: RawBlock) {
        // SAFETY: the caller got `block` from this allocator or a clone, which got it from `inner` or a clone of it.
        unsafe { self.inner.deallocate(block) }
    }

    crate::forward_node_allocator!(self => &self.inner);
}
