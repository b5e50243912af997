//! Slabs over a source that can fail and looks at what it is told, against a plain model.

use std::{
    alloc::{Layout, alloc, dealloc},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use proptest::prelude::*;

use super::*;
use crate::{Rung, source::Grain};

const KIB: usize = 1024;

/// Pieces of 256 KiB of the heap. Purging overwrites, so that a live byte that is purged is noticed.
struct Watched {
    grain: Grain,
    out: AtomicUsize,
    dry: AtomicBool,
    stuck: AtomicBool,
}

impl Watched {
    fn new(grain: Grain) -> Self {
        Watched {
            grain,
            out: AtomicUsize::new(0),
            dry: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
        }
    }
}

const ALIGN: usize = 64 * KIB;

// SAFETY: pieces are allocations of the heap, aligned to more than a page; purging writes to what the caller owns.
unsafe impl PageSource for Watched {
    type Owner = Layout;
    const PIECE: usize = 256 * KIB;

    fn take(&self, len: usize) -> Result<Piece<Layout>, AllocError> {
        let refused = AllocError { size: len };
        if self.dry.load(Relaxed) || len > 16 << 20 {
            return Err(refused);
        }
        let layout = Layout::from_size_align(len, ALIGN).map_err(|_| refused)?;
        // SAFETY: no piece is empty.
        let start = NonNull::new(unsafe { alloc(layout) }).ok_or(refused)?;
        self.out.fetch_add(len, Relaxed);
        Ok(Piece::new(start, len, layout)
            .with_rung(Rung::Transparent)
            .with_grain(self.grain))
    }

    unsafe fn give_back(&self, piece: Piece<Layout>) {
        assert_eq!(piece.len, piece.owner.size());
        self.out.fetch_sub(piece.len, Relaxed);
        // SAFETY: `take` got it with this layout.
        unsafe { dealloc(piece.start.as_ptr(), piece.owner) }
    }

    unsafe fn purge(&self, start: NonNull<u8>, len: usize) -> bool {
        assert!(len > 0 && len.is_multiple_of(system_page()));
        assert!(start.addr().get().is_multiple_of(system_page()));
        if self.stuck.load(Relaxed) {
            return false;
        }
        // SAFETY: nobody uses the range.
        unsafe { start.as_ptr().write_bytes(0xDB, len) };
        true
    }

    unsafe fn split(&self, _: NonNull<u8>, len: usize) -> bool {
        assert_eq!((self.grain, len), (Grain::Splits, Self::PIECE));
        !self.stuck.load(Relaxed)
    }
}

#[derive(Clone, Debug)]
enum Op {
    Take(usize),
    Give(usize),
    Trim,
    Sweep,
    Dry(bool),
    Stuck(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let sizes = prop_oneof![
        8 => 1..=16 * KIB,
        3 => 16 * KIB..=128 * KIB,
        1 => 128 * KIB..=600 * KIB,
    ];
    prop_oneof![
        10 => sizes.prop_map(Op::Take),
        9 => any::<usize>().prop_map(Op::Give),
        1 => Just(Op::Trim),
        2 => Just(Op::Sweep),
        1 => prop::bool::weighted(0.2).prop_map(Op::Dry),
        1 => prop::bool::weighted(0.2).prop_map(Op::Stuck),
    ]
}

/// A block that is out, filled with its own byte.
struct Out {
    block: RawBlock,
    fill: u8,
}

impl Out {
    fn new(block: RawBlock, fill: u8) -> Self {
        // SAFETY: the allocator says that these are initialised, and ours.
        let known = unsafe { std::slice::from_raw_parts(block.ptr.as_ptr(), block.init) };
        std::hint::black_box(known.iter().fold(0_u8, |sum, byte| sum ^ byte));
        // SAFETY: the block is ours.
        unsafe { block.ptr.as_ptr().write_bytes(fill, block.len) };
        Out { block, fill }
    }

    fn range(&self) -> (usize, usize) {
        let start = self.block.ptr.addr().get();
        (start, start + self.block.len)
    }

    /// Back it goes, with so many bytes known to be initialised.
    fn give(self, slabs: &Slabs<Watched>, init: usize) {
        // SAFETY: all was written when it was taken.
        let bytes = unsafe { std::slice::from_raw_parts(self.block.ptr.as_ptr(), self.block.len) };
        assert!(
            bytes.iter().all(|byte| *byte == self.fill),
            "somebody wrote to it"
        );
        let init = init.min(self.block.len);
        // SAFETY: `slabs` gave it, and it is gone after this.
        unsafe { slabs.deallocate(RawBlock { init, ..self.block }) }
    }
}

fn run(grain: Grain, ops: Vec<Op>) {
    let slabs = Slabs::new_in(Watched::new(grain));
    let mut out: Vec<Out> = Vec::new();
    for (n, op) in ops.into_iter().enumerate() {
        match op {
            Op::Take(min) => match slabs.allocate(min) {
                Ok(block) => {
                    assert!(block.len >= min && block.init <= block.len);
                    assert_eq!(slabs.good_size(min), block.len);
                    if block.len <= 64 * KIB {
                        assert!(block.len.is_power_of_two());
                        assert!(block.ptr.addr().get().is_multiple_of(block.len));
                    }
                    out.push(Out::new(block, n.to_le_bytes()[0]));
                }
                Err(error) => {
                    assert_eq!(error.size, min);
                    assert!(slabs.source().dry.load(Relaxed));
                }
            },
            Op::Give(which) if !out.is_empty() => {
                let given = out.swap_remove(which % out.len());
                given.give(&slabs, which / 7);
            }
            Op::Give(_) => {}
            Op::Trim => {
                slabs.trim();
                if !slabs.source().stuck.load(Relaxed) {
                    assert_eq!(slabs.trim(), 0, "the first took it all");
                }
                // What is left holds a block each.
                let state = slabs.lock();
                assert_eq!(state.spares(), 0);
                drop(state);
                if out.is_empty() {
                    assert_eq!(slabs.report().totals.mapped_bytes, 0);
                }
            }
            Op::Sweep => {
                slabs.sweep(true);
            }
            Op::Dry(on) => slabs.source().dry.store(on, Relaxed),
            Op::Stuck(on) => slabs.source().stuck.store(on, Relaxed),
        }
        slabs.lock().assert_sound();
        let totals = slabs.report().totals;
        assert_eq!(totals.live_blocks, out.len() as u64);
        let live: usize = out.iter().map(|o| o.block.len).sum();
        assert_eq!(totals.live_bytes, live as u64);
        assert_eq!(totals.mapped_bytes, slabs.source().out.load(Relaxed) as u64);
        assert_eq!(
            totals.live_bytes + totals.cached_bytes + totals.free_bytes,
            totals.mapped_bytes
        );
        let mut ranges: Vec<_> = out.iter().map(Out::range).collect();
        ranges.sort_unstable();
        assert!(
            ranges.windows(2).all(|w| w[0].1 <= w[1].0),
            "blocks overlap"
        );
    }
    for rest in out {
        rest.give(&slabs, 0);
    }
    slabs.trim();
    assert_eq!(slabs.source().out.load(Relaxed), 0);
}

/// Miri runs a hundred times slower.
const CASES: u32 = if cfg!(miri) { 4 } else { 256 };

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn blocks_are_apart_and_all_bytes_accounted_for(
        grain in prop::sample::select(vec![Grain::Page, Grain::Splits, Grain::Whole]),
        ops in prop::collection::vec(op(), 1..120),
    ) {
        run(grain, ops);
    }
}

fn take(slabs: &Slabs<Watched>, len: usize) -> Out {
    Out::new(slabs.allocate(len).expect("memory for the test"), 1)
}

#[test]
fn what_was_initialised_is_known_to_be() {
    let slabs = Slabs::new_in(Watched::new(Grain::Page));
    let first = take(&slabs, 16 * KIB);
    assert_eq!(first.block.init, 0);
    let start = first.block.ptr;
    first.give(&slabs, 10_000);
    let again = take(&slabs, 16 * KIB);
    assert_eq!((again.block.ptr, again.block.init), (start, 8192));
    again.give(&slabs, 16 * KIB);
    let held = take(&slabs, 4096);
    slabs.trim();
    let purged = take(&slabs, 4096);
    assert_eq!(
        purged.block.init, 4096,
        "purged memory is still initialised"
    );
    purged.give(&slabs, 0);
    let large = take(&slabs, 80 * KIB);
    large.give(&slabs, 66 * KIB);
    let again = take(&slabs, 80 * KIB);
    assert_eq!(again.block.init, 64 * KIB);
    again.give(&slabs, 0);
    held.give(&slabs, 0);
}

#[test]
fn low_addresses_are_taken_first_so_that_high_pieces_empty() {
    let slabs = Slabs::new_in(Watched::new(Grain::Page));
    let mut out: Vec<_> = (0..200).map(|_| take(&slabs, 8 * KIB)).collect();
    out.sort_by_key(Out::range);
    let low: Vec<_> = out.drain(..8).collect();
    let freed: Vec<_> = low.iter().map(Out::range).collect();
    for block in low {
        block.give(&slabs, 0);
    }
    let again: Vec<_> = (0..8).map(|_| take(&slabs, 8 * KIB)).collect();
    assert_eq!(again.iter().map(Out::range).collect::<Vec<_>>(), freed);
    for block in out.into_iter().chain(again) {
        block.give(&slabs, 0);
    }
}

#[test]
fn of_empty_pieces_one_stays_until_it_is_old_or_trimmed() {
    let slabs = Slabs::new_in(Watched::new(Grain::Page));
    let out: Vec<_> = (0..100).map(|_| take(&slabs, 8 * KIB)).collect();
    for block in out {
        block.give(&slabs, 0);
    }
    let mapped = || slabs.report().totals.mapped_bytes;
    assert_eq!(mapped(), 256 * KIB as u64);
    assert_eq!(slabs.sweep(true), 0, "it may be wanted again");
    assert_eq!(slabs.sweep(true), 256 * KIB, "it was not");
    assert_eq!(mapped(), 0);
    take(&slabs, 1).give(&slabs, 0);
    assert_eq!((slabs.trim(), mapped()), (256 * KIB, 0));
}

#[test]
fn only_what_was_free_all_the_time_is_old() {
    let slabs = Slabs::new_in(Watched::new(Grain::Page));
    let held = take(&slabs, 32 * KIB);
    take(&slabs, 32 * KIB).give(&slabs, 0);
    assert_eq!(slabs.sweep(true), 0);
    // The lower half of what was free is used in between.
    take(&slabs, 16 * KIB).give(&slabs, 0);
    assert_eq!(slabs.sweep(true), 16 * KIB);
    assert_eq!(slabs.sweep(true), 16 * KIB);
    assert_eq!(slabs.sweep(true), 0);
    held.give(&slabs, 0);
}

#[test]
fn calls_of_decay_that_are_close_are_one() {
    let slabs = Slabs::new_in(Watched::new(Grain::Page));
    take(&slabs, 1).give(&slabs, 0);
    let mut state = slabs.lock();
    let now = Instant::now() + DECAY;
    assert!(state.is_due(now, DECAY));
    assert!(!state.is_due(now + DECAY / 2, DECAY));
    assert!(state.is_due(now + DECAY, DECAY));
}

#[test]
fn large_pages_are_split_when_half_of_one_is_free() {
    let slabs = Slabs::new_in(Watched::new(Grain::Splits));
    let mut out: Vec<_> = (0..4).map(|_| take(&slabs, 64 * KIB)).collect();
    let rungs = || slabs.report().rungs.map(|rung| rung.pieces);
    out.pop().expect("four").give(&slabs, 0);
    assert_eq!((slabs.trim(), rungs()), (0, [0, 1, 0]));
    out.pop().expect("three").give(&slabs, 0);
    slabs.source().stuck.store(true, Relaxed);
    assert_eq!((slabs.trim(), rungs()), (0, [0, 1, 0]));
    slabs.source().stuck.store(false, Relaxed);
    assert_eq!((slabs.trim(), rungs()), (128 * KIB, [0, 0, 1]));
    // From now on it gives back by the page, and is no spare.
    out.pop().expect("two").give(&slabs, 0);
    assert_eq!((slabs.trim(), rungs()), (64 * KIB, [0, 0, 1]));
    out.pop().expect("one").give(&slabs, 0);
    assert_eq!(rungs(), [0, 0, 0]);
}

#[test]
fn a_forgotten_block_leaks_its_piece() {
    let slabs = Slabs::new_in(Watched::new(Grain::Page));
    let block = slabs.allocate(100).expect("memory for the test");
    let other = slabs.allocate(1 << 20).expect("memory for the test");
    drop(slabs);
    // SAFETY: nobody else has it. The pieces leak here, on purpose.
    unsafe { block.ptr.as_ptr().write_bytes(1, block.len) };
    // SAFETY: as above.
    unsafe { other.ptr.as_ptr().write_bytes(1, other.len) };
}
