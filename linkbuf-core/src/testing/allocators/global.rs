//! A global allocator that counts, and fails on request, thread by thread.

#![expect(unsafe_code, reason = "implements the unsafe trait `GlobalAlloc`")]

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
    marker::PhantomData,
    ptr,
};
use std::alloc::System;

/// The system's heap, with figures and faults for each thread.
///
/// Not all that a buffer needs comes from its node allocator: headers and tables come from the global heap. Install
/// this one in a test binary to make those fail too, and to count what is left behind.
///
/// ```
/// use linkbuf_core::testing::allocators::FailingGlobal;
///
/// #[global_allocator]
/// static HEAP: FailingGlobal = FailingGlobal;
///
/// let before = FailingGlobal::figures();
/// let mut v = Vec::<u8>::new();
/// FailingGlobal::arm(0, false);
/// let refused = v.try_reserve(100);
/// assert!(FailingGlobal::disarm());
/// assert!(refused.is_err());
///
/// v.try_reserve(100).unwrap();
/// assert_eq!(FailingGlobal::figures().live_bytes - before.live_bytes, 100);
/// ```
///
/// Never refused: allocations of a thread that panics (its message needs memory), and those under [`Exempt`].
#[derive(Clone, Copy, Debug, Default)]
pub struct FailingGlobal;

/// What one thread did on the heap. A block that another thread frees counts there, so the live figures can be negative.
///
/// ```
/// use linkbuf_core::testing::allocators::HeapFigures;
///
/// assert_eq!(HeapFigures::default().live_bytes, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapFigures {
    /// Blocks asked for, new or resized, refused ones included.
    pub calls: u64,
    /// Bytes asked for in these calls.
    pub asked_bytes: u64,
    /// Blocks taken and not yet freed.
    pub live_blocks: i64,
    /// Bytes taken and not yet freed.
    pub live_bytes: i64,
}

/// While it lives, this thread's heap calls are neither counted nor refused. For the bookkeeping of test doubles.
///
/// ```
/// use linkbuf_core::testing::allocators::{Exempt, FailingGlobal};
///
/// FailingGlobal::arm(0, true);
/// {
///     let _quiet = Exempt::new();
///     drop(Box::new(1)); // would be refused otherwise, and abort
/// }
/// assert!(!FailingGlobal::disarm());
/// ```
#[derive(Debug)]
pub struct Exempt {
    /// Belongs to the thread that made it.
    here: PhantomData<*const ()>,
}

/// One thread's figures and plan. No destructor and a constant start: reaching it never allocates.
struct State {
    exempt: Cell<u32>,
    figures: Cell<HeapFigures>,
    armed: Cell<bool>,
    left: Cell<u64>,
    lasting: Cell<bool>,
    fired: Cell<bool>,
}

thread_local! {
    static STATE: State = const {
        State {
            exempt: Cell::new(0),
            figures: Cell::new(HeapFigures { calls: 0, asked_bytes: 0, live_blocks: 0, live_bytes: 0 }),
            armed: Cell::new(false),
            left: Cell::new(0),
            lasting: Cell::new(false),
            fired: Cell::new(false),
        }
    };
}

impl FailingGlobal {
    /// Lets `after` more heap calls of this thread succeed and fails the next; with `lasting`, also all that follow.
    pub fn arm(after: u64, lasting: bool) {
        STATE.with(|s| {
            s.left.set(after);
            s.lasting.set(lasting);
            s.fired.set(false);
            s.armed.set(true);
        });
    }

    /// Ends the plan of this thread. True if a call was refused since it was armed.
    pub fn disarm() -> bool {
        STATE.with(|s| {
            s.armed.set(false);
            s.fired.get()
        })
    }

    /// This thread's figures since it started. All zero for ever where the allocator is not installed.
    pub fn figures() -> HeapFigures {
        STATE.with(|s| s.figures.get())
    }

    /// Whether this program's global allocator is this one.
    pub fn is_installed() -> bool {
        let before = Self::figures().calls;
        let probe = std::hint::black_box(Box::new(0_u8));
        drop(probe);
        Self::figures().calls != before
    }
}

impl Exempt {
    /// Starts an exemption for this thread; they nest.
    pub fn new() -> Self {
        STATE.with(|s| s.exempt.set(s.exempt.get() + 1));
        Self { here: PhantomData }
    }
}

impl Default for Exempt {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Exempt {
    fn drop(&mut self) {
        STATE.with(|s| s.exempt.set(s.exempt.get() - 1));
    }
}

impl State {
    /// Counts a call for `size` bytes and decides whether it fails.
    fn refuses(&self, size: usize) -> bool {
        if self.exempt.get() > 0 {
            return false;
        }
        self.count(|f| {
            f.calls += 1;
            f.asked_bytes = f.asked_bytes.wrapping_add(size as u64);
        });
        if !self.armed.get() || std::thread::panicking() {
            return false;
        }
        if self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
            return false;
        }
        let first = !self.fired.replace(true);
        first || self.lasting.get()
    }

    /// Books `blocks` and `bytes` more (or less) as live.
    fn live(&self, blocks: i64, bytes: i64) {
        if self.exempt.get() == 0 {
            self.count(|f| {
                f.live_blocks += blocks;
                f.live_bytes += bytes;
            });
        }
    }

    fn count(&self, change: impl FnOnce(&mut HeapFigures)) {
        let mut figures = self.figures.get();
        change(&mut figures);
        self.figures.set(figures);
    }
}

/// Sizes of layouts never exceed `isize::MAX`.
fn signed(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

// SAFETY: every block is the system allocator's, with the layout that the caller gave, and goes back to it with the
// layout that the caller gives. A refused call returns null, as an exhausted heap does. Nothing here unwinds or
// allocates: the thread's state has a constant start and no destructor.
unsafe impl GlobalAlloc for FailingGlobal {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if STATE.with(|s| s.refuses(layout.size())) {
            return ptr::null_mut();
        }
        // SAFETY: the caller promises a layout of non-zero size.
        let block = unsafe { System.alloc(layout) };
        taken(block, layout);
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if STATE.with(|s| s.refuses(layout.size())) {
            return ptr::null_mut();
        }
        // SAFETY: the caller promises a layout of non-zero size.
        let block = unsafe { System.alloc_zeroed(layout) };
        taken(block, layout);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        STATE.with(|s| s.live(-1, -signed(layout.size())));
        // SAFETY: the caller promises that `block` came from here, that is from `System`, with this layout.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if STATE.with(|s| s.refuses(size)) {
            return ptr::null_mut();
        }
        // SAFETY: the caller promises that `block` came from `System` with this layout, and a valid new size.
        let moved = unsafe { System.realloc(block, layout, size) };
        if !moved.is_null() {
            STATE.with(|s| s.live(0, signed(size) - signed(layout.size())));
        }
        moved
    }
}

fn taken(block: *mut u8, layout: Layout) {
    if !block.is_null() {
        STATE.with(|s| s.live(1, signed(layout.size())));
    }
}
