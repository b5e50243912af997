//! Making each allocation of a call fail in turn.

use crate::{
    Error,
    testing::allocators::{FailingGlobal, FaultPlan},
};

/// A source of allocation failures that a run can switch on around one call.
///
/// ```
/// use linkbuf_core::testing::ops::{Faults, NoFaults};
///
/// NoFaults.arm(0);
/// assert!(!NoFaults.disarm());
/// ```
pub trait Faults {
    /// Lets `after` more allocations succeed and fails the next.
    fn arm(&self, after: u64);
    /// Ends it. True if an allocation failed.
    fn disarm(&self) -> bool;
}

/// Nothing ever fails.
///
/// ```
/// # use linkbuf_core::testing::ops::NoFaults;
/// assert_eq!(size_of::<NoFaults>(), 0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFaults;

impl Faults for NoFaults {
    fn arm(&self, _after: u64) {}

    fn disarm(&self) -> bool {
        false
    }
}

/// The global heap fails: [`FailingGlobal`], which the program must have installed.
///
/// ```
/// use linkbuf_core::testing::ops::{Faults, HeapFaults};
///
/// let faults = HeapFaults { lasting: true };
/// faults.arm(0);
/// faults.disarm();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapFaults {
    /// From the first failure on every allocation fails, not that one alone.
    pub lasting: bool,
}

impl Faults for HeapFaults {
    fn arm(&self, after: u64) {
        FailingGlobal::arm(after, self.lasting);
    }

    fn disarm(&self) -> bool {
        FailingGlobal::disarm()
    }
}

/// The node allocator fails: the plan of a [`Failing`](crate::testing::allocators::Failing).
///
/// ```
/// use linkbuf_core::{Heap, testing::{allocators::Failing, ops::{Faults, PlannedFaults}}};
///
/// let alloc = Failing::new(Heap);
/// let faults = PlannedFaults { plan: alloc.plan().clone(), lasting: false };
/// faults.arm(0);
/// assert!(!faults.disarm());
/// ```
#[derive(Clone, Debug, Default)]
pub struct PlannedFaults {
    /// The allocator's plan.
    pub plan: FaultPlan,
    /// From the first failure on every allocation fails, not that one alone.
    pub lasting: bool,
}

impl Faults for PlannedFaults {
    fn arm(&self, after: u64) {
        self.plan.arm(after, self.lasting);
    }

    fn disarm(&self) -> bool {
        self.plan.disarm()
    }
}

/// Makes `call` until it doesn't fail for want of memory: first its first allocation fails, then its second, and so on.
/// After each such failure `unchanged` must find everything as before the call.
///
/// # Panics
/// When the call fails for want of memory although none was refused, or never gets through.
///
/// ```
/// use linkbuf_core::testing::ops::{NoFaults, attempt};
///
/// let answer = attempt(&NoFaults, &mut 1, |n| { *n += 1; Ok(*n) }, |_| {});
/// assert_eq!(answer, Ok(2));
/// ```
pub fn attempt<C: ?Sized, T>(
    faults: &dyn Faults,
    on: &mut C,
    mut call: impl FnMut(&mut C) -> Result<T, Error>,
    mut unchanged: impl FnMut(&mut C),
) -> Result<T, Error> {
    let _disarmed = Disarmed(faults);
    for after in 0..100_000 {
        faults.arm(after);
        let answer = call(on);
        let refused = faults.disarm();
        match answer {
            Err(Error::Alloc(_)) if refused => unchanged(on),
            Err(Error::Alloc(e)) => panic!("an allocation of {} bytes failed unasked", e.size),
            other => return other,
        }
    }
    panic!("100,000 allocations failed in turn and the call still wants one more");
}

/// Makes a call that can't fail while every allocation does, or the first, as `faults` has it.
///
/// ```
/// use linkbuf_core::testing::ops::{HeapFaults, without_memory};
///
/// assert_eq!(without_memory(&HeapFaults { lasting: true }, || 1 + 1), 2);
/// ```
pub fn without_memory<T>(faults: &dyn Faults, call: impl FnOnce() -> T) -> T {
    let _disarmed = Disarmed(faults);
    faults.arm(0);
    call()
}

/// Ends the faults on every way out: a test that panics, and is caught, must not leave them behind.
struct Disarmed<'a>(&'a dyn Faults);

impl Drop for Disarmed<'_> {
    fn drop(&mut self) {
        self.0.disarm();
    }
}
