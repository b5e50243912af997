//! Counts what a piece of code asks of the global heap.
//!
//! A program installs [`Counting`] as its global allocator; [`count`] then tells how often the calling thread asked
//! it for memory and how many bytes it still held in the end. Outside of `count` the wrapper costs a thread-local
//! load and a branch per call; nothing is ever timed inside of it.

#![expect(
    unsafe_code,
    reason = "GlobalAlloc is an unsafe trait; every method only forwards to System"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

/// What one thread did on the heap during one [`count`].
///
/// ```
/// let tally = linkbuf_bench::memory::Tally::default();
/// assert_eq!((tally.acquired, tally.released, tally.live), (0, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Calls that asked for memory: alloc, zeroed alloc and realloc.
    pub acquired: u64,
    /// Calls that gave memory back.
    pub released: u64,
    /// Bytes asked for and not yet given back. Negative if older memory was freed.
    pub live: i64,
}

thread_local! {
    // `const` and without a destructor: usable from inside the allocator at any time of a thread's life.
    static TALLY: Cell<Option<Tally>> = const { Cell::new(None) };
}

fn note(change: impl FnOnce(&mut Tally)) {
    TALLY.with(|cell| {
        if let Some(mut tally) = cell.get() {
            change(&mut tally);
            cell.set(Some(tally));
        }
    });
}

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// The system's allocator, counted while [`count`] runs.
///
/// ```
/// use linkbuf_bench::memory::{Counting, count, installed};
///
/// #[global_allocator]
/// static HEAP: Counting = Counting;
///
/// assert!(installed());
/// let (_kept, tally) = count(|| Vec::<u8>::with_capacity(100));
/// assert_eq!((tally.acquired, tally.live), (1, 100));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

// SAFETY: every call is forwarded to `System` with the caller's own arguments, so its contract carries over.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(|tally| {
            tally.acquired += 1;
            tally.live += signed(layout.size());
        });
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(|tally| {
            tally.acquired += 1;
            tally.live += signed(layout.size());
        });
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(|tally| {
            tally.acquired += 1;
            tally.live += signed(size) - signed(layout.size());
        });
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(|tally| {
            tally.released += 1;
            tally.live -= signed(layout.size());
        });
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Runs `work` and tells what it did on the heap. Zero of everything where [`Counting`] is not [`installed`].
///
/// Counts the calling thread only. Calls don't nest: an inner one ends the outer one's count.
///
/// ```
/// let (sum, tally) = linkbuf_bench::memory::count(|| 1 + 1);
/// assert_eq!((sum, tally.acquired), (2, 0));
/// ```
pub fn count<R>(work: impl FnOnce() -> R) -> (R, Tally) {
    TALLY.set(Some(Tally::default()));
    let result = work();
    let tally = TALLY.take().unwrap_or_default();
    (result, tally)
}

/// Whether this program's global allocator is [`Counting`].
///
/// ```
/// // An ordinary program's isn't.
/// assert!(!linkbuf_bench::memory::installed());
/// ```
pub fn installed() -> bool {
    let (_, tally) = count(|| drop(black_box(Box::new(0_u64))));
    tally.acquired == 1
}
