//! The suite that every [`NodeAllocator`] must pass.

#![expect(
    unsafe_code,
    reason = "returns blocks to the allocator under test and looks into them"
)]

mod forwards;
mod lives;
mod memory;

use core::{ptr, slice};

use super::{
    allocators::{Failing, FailingGlobal, Tracking},
    model::{difference, pattern},
    ops::{Case, Faults, HeapFaults, NoFaults, PlannedFaults},
    runner,
    trace::Trace,
};
use crate::{AllocError, AllocFigures, NodeAllocator, RawBlock};

pub use forwards::forwards;
pub use lives::{exits, outlives, slices_outlive, threads};
pub use memory::{exhaustion, idle, trims};

/// Block sizes that are tried: small, around pages and powers of two, and large.
const SIZES: [usize; 16] = [
    1,
    2,
    7,
    16,
    64,
    100,
    511,
    1024,
    3584,
    4095,
    4096,
    4097,
    8192,
    65_536,
    1 << 20,
    (2 << 20) + 1,
];

/// Runs the whole suite: [`blocks`], [`refusals`], [`idle`], [`trims`], [`operations`] and [`faults`] with 100 seeds,
/// [`threads`], [`exits`], [`slices_outlive`], [`outlives`]. What needs more than an allocator is called by itself:
/// [`exhaustion`], [`traces`], [`forwards`].
///
/// `make` gives an allocator that shares nothing with the others it gave; a few hundred are made. Of an allocator that
/// the process has one of, `make` may give handles, but then no other thread of the program may use it meanwhile.
///
/// # Panics
/// When a clause of the contract is broken.
///
/// ```
/// linkbuf_core::testing::contract::check(|| linkbuf_core::Heap);
/// ```
pub fn check<A: NodeAllocator>(make: impl Fn() -> A) {
    blocks(&make());
    refusals(&make());
    idle(&make());
    trims(&make(), KEPT_AFTER_TRIM);
    operations(&make, 0..100);
    faults(&make, 100..200);
    threads(&make());
    exits(&make());
    slices_outlive(&make());
    outlives(make);
}

/// What an allocator that counts may hold when nothing is out and all was trimmed.
const KEPT_AFTER_TRIM: usize = 64 << 10;

/// The figures of an allocator that nobody is using at the moment, if it counts.
#[track_caller]
fn at_rest<A: NodeAllocator>(alloc: &A) -> Option<AllocFigures> {
    let figures = alloc.figures()?;
    if figures.mapped_bytes > 0 {
        let known = figures.live_bytes + figures.cached_bytes + figures.free_bytes;
        assert_eq!(
            known, figures.mapped_bytes,
            "live + cached + free = mapped: {figures:?}"
        );
    }
    Some(figures)
}

/// What is out of an allocator that nobody is using at the moment: blocks and bytes.
#[track_caller]
fn live<A: NodeAllocator>(alloc: &A) -> Option<(u64, u64)> {
    at_rest(alloc).map(|figures| (figures.live_blocks, figures.live_bytes))
}

/// Blocks are long enough, exclusively the caller's, initialised as far as they say, and can be returned in any order. A
/// request for no bytes is refused, or answered with a block that has the bytes it says. Figures, where the allocator keeps them, come back to where they were.
///
/// # Panics
/// When a clause is broken.
pub fn blocks<A: NodeAllocator>(alloc: &A) {
    assert!(
        size_of::<A>() <= 4 * size_of::<usize>(),
        "a handle has four words at most"
    );
    assert!(
        align_of::<A>() <= align_of::<usize>(),
        "a handle is aligned as a word"
    );
    assert!(alloc.node_size() > 0, "node_size");
    assert!(alloc.page_size() > 0, "page_size");
    let before = FailingGlobal::figures();
    let clone = alloc.clone();
    assert_eq!(
        FailingGlobal::figures(),
        before,
        "cloning must not touch the heap"
    );

    let before = live(alloc);
    let mut out: Vec<Parcel> = Vec::new();
    match Parcel::try_take(alloc, 0, 99) {
        Ok(parcel) => out.push(parcel),
        Err(error) => assert_eq!(error.size, 0, "the error tells the size"),
    }
    for round in 0..3_u8 {
        for (min, i) in SIZES.into_iter().zip(0..) {
            assert!(alloc.good_size(min) >= min, "good_size({min})");
            let from = if i % 2 == 0 { alloc } else { &clone };
            out.push(Parcel::take(from, min, round.wrapping_mul(16) + i));
        }
        // Every other one goes back, the rest must not notice.
        let mut nth = 0;
        let (back, kept): (Vec<_>, Vec<_>) = out.into_iter().partition(|_| {
            nth += 1;
            nth % 2 == 0
        });
        for parcel in back {
            parcel.give_back(&clone);
        }
        out = kept;
        for parcel in &out {
            parcel.check();
        }
    }
    if let (Some(now), Some(before)) = (live(alloc), before) {
        let bytes: usize = out.iter().map(|parcel| parcel.block.len).sum();
        assert_eq!(
            (now.0 - before.0, now.1 - before.1),
            (out.len() as u64, bytes as u64),
            "figures: live blocks and bytes"
        );
    }
    for parcel in out.into_iter().rev() {
        parcel.check();
        parcel.give_back(alloc);
    }
    assert_eq!(live(alloc), before, "figures after all blocks came back");
}

/// What can't be given is refused with an error that names the size, and nothing is lost by it.
///
/// # Panics
/// When a clause is broken.
pub fn refusals<A: NodeAllocator>(alloc: &A) {
    let before = live(alloc);
    for absurd in [
        usize::MAX,
        usize::MAX - 4096,
        isize::MAX as usize + 1,
        isize::MAX as usize,
    ] {
        match alloc.allocate(absurd) {
            Err(error) => assert_eq!(error.size, absurd, "the error tells the size"),
            Ok(block) => panic!("{absurd} bytes were asked for, and {} given", block.len),
        }
    }
    assert_eq!(live(alloc), before, "figures after refusals");
    let parcel = Parcel::take(alloc, 100, 1);
    parcel.give_back(alloc);
}

/// Random operations on buffers over the allocator, compared with the model, one run for each seed. The allocator is
/// watched, so that a block that is lost or returned wrongly is told as such.
///
/// # Panics
/// When a buffer and the model disagree, or a block is lost or returned wrongly.
pub fn operations<A: NodeAllocator>(make: impl Fn() -> A, seeds: core::ops::Range<u64>) {
    for seed in seeds {
        let case = Case::from_seed(seed, 40);
        let watched = Tracking::new(make());
        runner::run(&case, watched.clone(), &NoFaults);
        watched.assert_balanced();
    }
}

/// As [`operations`], and each allocation of each call fails once before it succeeds: first those of blocks, then, where
/// the program has installed [`FailingGlobal`], those from the global heap, the allocator's own among them. After each
/// failure the buffer must be as before.
///
/// # Panics
/// When a buffer and the model disagree, or a block is lost or returned wrongly.
pub fn faults<A: NodeAllocator>(make: impl Fn() -> A, seeds: core::ops::Range<u64>) {
    let heap = FailingGlobal::is_installed();
    for seed in seeds {
        let case = Case::from_seed(seed, 30);
        let lasting = seed % 2 == 1;
        let failing = Failing::new(make());
        let plan = failing.plan().clone();
        let watched = Tracking::new(failing);
        let run = |faults: &dyn Faults| {
            runner::run(&case, watched.clone(), faults);
            watched.assert_balanced();
        };
        run(&PlannedFaults { plan, lasting });
        if heap {
            run(&HeapFaults { lasting });
        }
    }
}

/// Recorded runs, given as text with their names, over buffers of the allocator.
///
/// # Panics
/// When an answer differs, or a text is no trace.
///
/// ```
/// use linkbuf_core::{Heap, testing::contract};
///
/// contract::traces(&Heap, &[("empty", "new 0 0 => ok 0 0\nreadbyte 0 => err | 0 0\n")]);
/// ```
pub fn traces<A: NodeAllocator>(alloc: &A, named: &[(&str, &str)]) {
    for (name, text) in named {
        if let Err(parted) = Trace::parse(text).and_then(|trace| trace.replay(alloc)) {
            panic!("{name}: {parted}");
        }
    }
}

/// A block, and what it is filled with.
struct Parcel {
    block: RawBlock,
    seed: u8,
}

// SAFETY: a block is the taker's alone, and the contract of `NodeAllocator` lets any thread use and return it.
unsafe impl Send for Parcel {}

impl Parcel {
    /// Takes a block, reads what is initialised, and fills it to its last byte.
    #[track_caller]
    fn take<A: NodeAllocator>(alloc: &A, min: usize, seed: u8) -> Self {
        Self::try_take(alloc, min, seed).unwrap_or_else(|e| panic!("memory for the test: {e}"))
    }

    #[track_caller]
    fn try_take<A: NodeAllocator>(alloc: &A, min: usize, seed: u8) -> Result<Self, AllocError> {
        let block = alloc.allocate(min)?;
        assert!(
            block.len >= min,
            "{min} bytes were asked for, and {} given",
            block.len
        );
        assert!(
            block.init <= block.len,
            "{} of {} bytes are said to be initialised",
            block.init,
            block.len
        );
        // SAFETY: the contract says that the first `init` bytes are ours and initialised.
        let old = unsafe { slice::from_raw_parts(block.ptr.as_ptr(), block.init) };
        std::hint::black_box(old.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)));
        let bytes = pattern(seed, block.len);
        // SAFETY: the block has `len` bytes, is ours alone, and `bytes` is elsewhere.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), block.ptr.as_ptr(), block.len) };
        Ok(Self { block, seed })
    }

    /// Nobody else wrote to it.
    #[track_caller]
    fn check(&self) {
        // SAFETY: all `len` bytes were written in `take`, and the block is ours alone.
        let bytes = unsafe { slice::from_raw_parts(self.block.ptr.as_ptr(), self.block.len) };
        if let Some(parted) = difference([bytes], &pattern(self.seed, self.block.len)) {
            panic!("somebody wrote to a block that is out: {parted}");
        }
    }

    fn give_back<A: NodeAllocator>(mut self, alloc: &A) {
        self.block.init = self.block.len;
        // SAFETY: `alloc` or a clone of it gave the block, all of it was written, and `self` is gone after this.
        unsafe { alloc.deallocate(self.block) }
    }
}
