//! The suite that every [`NodeAllocator`] must pass.

#![expect(
    unsafe_code,
    reason = "returns blocks to the allocator under test and looks into them"
)]

use core::{ptr, slice};
use std::{
    sync::{Arc, Barrier, mpsc},
    thread,
};

use super::{
    allocators::{FailingGlobal, Tracking},
    model::{difference, pattern},
    ops::{Case, NoFaults},
    runner,
    trace::Trace,
};
use crate::{Builder, NodeAllocator, RawBlock, Slice};

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

/// Runs the whole suite: [`blocks`], [`refusals`], [`threads`], [`operations`] with 200 seeds, [`slices_outlive`].
///
/// `make` gives an allocator that shares nothing with the others it gave; a few are made.
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
    threads(&make());
    operations(&make, 0..200);
    slices_outlive(&make());
}

/// Blocks are long enough, exclusively the caller's, initialised as far as they say, and can be returned in any order.
/// Figures, where the allocator keeps them, come back to where they were.
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

    let live = alloc.figures().map(|f| (f.live_blocks, f.live_bytes));
    let mut out: Vec<Parcel> = Vec::new();
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
    if let (Some(figures), Some((blocks, _))) = (alloc.figures(), live) {
        assert_eq!(
            figures.live_blocks - blocks,
            out.len() as u64,
            "figures: live blocks"
        );
    }
    for parcel in out.into_iter().rev() {
        parcel.check();
        parcel.give_back(alloc);
    }
    let left = alloc.figures().map(|f| (f.live_blocks, f.live_bytes));
    assert_eq!(left, live, "figures after all blocks came back");
}

/// What can't be given is refused with an error that names the size, and nothing is lost by it.
///
/// # Panics
/// When a clause is broken.
pub fn refusals<A: NodeAllocator>(alloc: &A) {
    let live = alloc.figures().map(|f| (f.live_blocks, f.live_bytes));
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
    assert_eq!(
        alloc.figures().map(|f| (f.live_blocks, f.live_bytes)),
        live,
        "figures after refusals"
    );
    let parcel = Parcel::take(alloc, 100, 1);
    parcel.give_back(alloc);
}

/// Blocks that one thread took go back on another, through another handle, while all of them allocate.
///
/// # Panics
/// When a block is not what it was.
pub fn threads<A: NodeAllocator>(alloc: &A) {
    const THREADS: usize = 4;
    let start = Barrier::new(THREADS);
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..THREADS).map(|_| mpsc::channel::<Parcel>()).unzip();
    thread::scope(|scope| {
        for (me, inbox) in receivers.into_iter().enumerate() {
            let neighbour = senders[(me + 1) % THREADS].clone();
            let (alloc, start) = (alloc.clone(), &start);
            scope.spawn(move || {
                start.wait();
                for i in 0..400_usize {
                    let size = SIZES[(i * 7 + me) % 13];
                    let seed = (i * THREADS + me).to_le_bytes()[0];
                    // A neighbour that panicked has closed its inbox; the scope reports the panic.
                    let _ = neighbour.send(Parcel::take(&alloc, size, seed));
                    while let Ok(parcel) = inbox.try_recv() {
                        parcel.check();
                        parcel.give_back(&alloc);
                    }
                }
                drop(neighbour);
                for parcel in inbox {
                    parcel.check();
                    parcel.give_back(&alloc);
                }
            });
        }
        drop(senders);
    });
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

/// A slice that sees several blocks stays whole when the buffer and every handle of the allocator that the caller had
/// are gone; parts of it are dropped on several threads.
///
/// # Panics
/// When the slice changes.
pub fn slices_outlive<A: NodeAllocator>(alloc: &A) {
    let content: Arc<[u8]> = pattern(3, 50_000).into();
    let mut buffer = Builder::new_in(alloc.clone()).node_size(1000).build();
    for piece in content.chunks(900) {
        buffer.write_binary(piece).expect("memory for the test");
    }
    buffer.flush();
    let slice = buffer.slice(content.len()).expect("all of it is readable");
    drop(buffer);
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (mut slice, content): (Slice, _) = (slice.clone(), Arc::clone(&content));
            thread::spawn(move || {
                for piece in content.chunks(777) {
                    let part = slice.split_to(piece.len()).expect("there is more");
                    assert_eq!(difference(part.chunks(), piece), None, "a part of a slice");
                }
            })
        })
        .collect();
    drop(slice);
    for worker in workers {
        if let Err(panic) = worker.join() {
            std::panic::resume_unwind(panic);
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
        let block = alloc
            .allocate(min)
            .unwrap_or_else(|e| panic!("memory for the test: {e}"));
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
        Self { block, seed }
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
