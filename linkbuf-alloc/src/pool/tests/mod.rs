//! The pool, looked at from outside: what it keeps, gives, and gives back.
#![expect(unsafe_code, reason = "returns blocks to the pool under test")]

mod bounds;
mod ends;
mod model;

use linkbuf_core::{
    Heap, NodeAllocator, RawBlock,
    testing::{
        allocators::{Failing, Odd, Tracking},
        contract,
    },
};

use super::{PoolLimits, Pooled, class};
use crate::{Figures, HeapSlabs, Process};

const KIB: usize = 1024;

/// Blocks that are out. Any thread may give them back.
#[derive(Default)]
struct Out(Vec<RawBlock>);

// SAFETY: the contract of `NodeAllocator` lets any thread return a block.
unsafe impl Send for Out {}

impl Out {
    fn of<A: NodeAllocator>(alloc: &A, size: usize, count: usize) -> Self {
        let mut out = Out::default();
        out.take(alloc, size, count);
        out
    }

    fn take<A: NodeAllocator>(&mut self, alloc: &A, size: usize, count: usize) {
        for _ in 0..count {
            self.0
                .push(alloc.allocate(size).expect("memory for the test"));
        }
    }

    fn give_back<A: NodeAllocator>(self, alloc: &A) {
        for block in self.0 {
            // SAFETY: `alloc` gave it, it is out of the list from here on, and nobody wrote to it.
            unsafe { alloc.deallocate(block) };
        }
    }
}

/// A pool and the books of what lies behind it.
fn tracked(limits: PoolLimits) -> (Pooled<Tracking<Heap>>, Tracking<Heap>) {
    let tracking = Tracking::new(Heap);
    (Pooled::with_limits(tracking.clone(), limits), tracking)
}

/// What the pool says it keeps is what the books say is out.
#[track_caller]
fn assert_cached(pool: &Pooled<Tracking<Heap>>, bytes: usize) {
    let figures = pool.figures();
    assert_eq!((figures.live_blocks, figures.live_bytes), (0, 0));
    assert_eq!(figures.cached_bytes, bytes as u64);
    assert_eq!(pool.inner().live_bytes(), bytes);
}

#[test]
fn the_contract_over_the_heap() {
    contract::check(|| Pooled::new(Heap));
}

#[test]
fn the_contract_over_slabs() {
    contract::check(|| Pooled::new(HeapSlabs::new()));
}

#[test]
fn the_contract_over_blocks_of_any_length() {
    contract::check(|| Pooled::new(Odd::new()));
}

#[test]
fn the_contract_over_a_pool() {
    contract::check(|| Pooled::new(Pooled::new(Heap)));
}

#[test]
fn the_contract_without_caches_and_without_a_depot() {
    contract::check(|| Pooled::with_limits(Heap, PoolLimits::new().magazine(0)));
    contract::check(|| Pooled::with_limits(Heap, PoolLimits::new().max_cached(0)));
}

#[test]
fn a_request_gets_a_whole_class_and_the_same_block_again() {
    let (pool, tracking) = tracked(PoolLimits::new());
    for (min, len) in [
        (1, 4096),
        (4096, 4096),
        (4097, 8192),
        (65_536, 65_536),
        (65_537, 131_072),
        (1 << 20, 1 << 20),
    ] {
        let first = pool.allocate(min).unwrap();
        assert_eq!((first.len, pool.good_size(min)), (len, len));
        // SAFETY: given just now; nobody wrote to it.
        unsafe { pool.deallocate(first) };
        let again = pool.allocate(min).unwrap();
        assert_eq!(again.ptr, first.ptr);
        // SAFETY: as above.
        unsafe { pool.deallocate(again) };
    }
    assert_eq!(
        tracking.allocations(),
        5,
        "one for each class that was asked for"
    );
}

#[test]
fn what_is_larger_than_all_classes_is_never_kept() {
    let (pool, tracking) = tracked(PoolLimits::new());
    let large = (1 << 20) + 1;
    assert_eq!(pool.good_size(large), large);
    Out::of(&pool, large, 3).give_back(&pool);
    assert_cached(&pool, 0);
    tracking.assert_balanced();
}

#[test]
fn what_is_known_to_be_initialised_stays_known() {
    let (pool, _) = tracked(PoolLimits::new());
    for size in [4096, 65_536, 1 << 20] {
        let mut block = pool.allocate(size).unwrap();
        let fresh = block.init;
        // SAFETY: the block has more than 100 bytes and is ours.
        unsafe { block.ptr.write_bytes(7, 100) };
        block.init = fresh.max(100);
        // SAFETY: given just now, initialised as far as it says.
        unsafe { pool.deallocate(block) };
        let again = pool.allocate(size).unwrap();
        assert_eq!((again.ptr, again.init), (block.ptr, fresh.max(100)));
        // SAFETY: given just now; nobody wrote to it.
        unsafe { pool.deallocate(again) };
    }
}

#[test]
fn odd_blocks_go_back_as_long_as_they_came() {
    let tracking = Tracking::new(Odd::new());
    let pool = Pooled::new(tracking.clone());
    for _ in 0..3 {
        for size in [1, 4096, 5000, 70_000, 1 << 20] {
            Out::of(&pool, size, 20).give_back(&pool);
        }
    }
    let figures = pool.figures();
    assert_eq!(figures.cached_bytes, tracking.live_bytes() as u64);
    drop(pool);
    tracking.assert_balanced();
}

#[test]
fn hits_misses_and_what_is_kept_are_counted_by_class() {
    let (pool, _) = tracked(PoolLimits::new());
    Out::of(&pool, 8192, 100).give_back(&pool);
    Out::of(&pool, 8192, 60).give_back(&pool);
    let figures: Figures = pool.report();
    let class = figures.classes[1];
    assert_eq!(
        (class.cached_blocks, class.hits, class.misses),
        (100, 60, 100)
    );
    let others = figures.classes.iter().map(|c| c.hits + c.misses);
    assert_eq!(others.sum::<u64>(), 160);
    assert_eq!(figures.remote_frees, 0);
    // Of a class that threads do not cache, too.
    Out::of(&pool, 1 << 20, 3).give_back(&pool);
    Out::of(&pool, 1 << 20, 2).give_back(&pool);
    let class = pool.report().classes[8];
    assert_eq!((class.cached_blocks, class.hits, class.misses), (3, 2, 3));
}

#[test]
fn over_slabs_the_figures_add_up() {
    let pool = Pooled::new(HeapSlabs::new());
    let check = |live: u64| {
        let figures = pool.report();
        let totals = figures.totals;
        let sum = totals.live_bytes + totals.cached_bytes + totals.free_bytes;
        assert_eq!(sum, totals.mapped_bytes, "{figures}");
        assert_eq!(totals.live_bytes, live);
        assert!(
            figures.peak_mapped_bytes >= totals.mapped_bytes,
            "{figures}"
        );
    };
    let some = Out::of(&pool, 4096, 500);
    check(500 * 4096);
    let large = Out::of(&pool, 3 << 20, 2);
    check(500 * 4096 + (6 << 20));
    some.give_back(&pool);
    check(6 << 20);
    large.give_back(&pool);
    check(0);
    assert!(pool.trim() > 0);
    assert_eq!(pool.figures().mapped_bytes, 0);
}

#[test]
fn a_refusal_empties_the_pool_first() {
    let failing = Failing::new(Tracking::new(Heap));
    let pool = Pooled::new(failing.clone());
    Out::of(&pool, 4096, 100).give_back(&pool);
    // Refused once: what is kept goes back, and the second try succeeds.
    failing.plan().arm(0, false);
    let block = pool.allocate(8192).unwrap();
    assert_eq!(pool.figures().cached_bytes, 0);
    // Refused for good: an error that names the request, and nothing is lost.
    failing.plan().arm(0, true);
    assert_eq!(pool.allocate(5000).unwrap_err().size, 5000);
    failing.plan().disarm();
    assert_eq!(pool.figures().live_blocks, 1);
    // SAFETY: given above; nobody wrote to it.
    unsafe { pool.deallocate(block) };
}

#[test]
fn the_bound_of_an_idle_buffer_fits_a_node_of_a_class() {
    let over_slabs = Pooled::new(HeapSlabs::new());
    assert_eq!(
        (over_slabs.page_size(), over_slabs.node_size()),
        (8192, 4096)
    );
    let over_heap = Pooled::new(Heap);
    assert_eq!((over_heap.page_size(), over_heap.node_size()), (8192, 4096));
    let mut buf = linkbuf_core::LinkBuffer::new_in(over_slabs);
    for _ in 0..100 {
        buf.write_binary(&[1; 1000]).unwrap();
    }
    buf.flush();
    buf.skip(100_000).unwrap();
    buf.release();
    let kept = buf.memory().total();
    assert!((4096..=8192).contains(&kept), "{kept}");
}

#[test]
fn the_process_wide_pool_is_one_and_has_no_size() {
    let process = Process::<Pooled>::new();
    assert_eq!(size_of_val(&process), 0);
    let default = <Pooled>::default();
    // Of a class that no other test takes from this pool.
    let block = process.allocate(32 * KIB).unwrap();
    // SAFETY: given just now by what is the same pool; nobody wrote to it.
    unsafe { default.deallocate(block) };
    assert_eq!(default.allocate(32 * KIB).unwrap().ptr, block.ptr);
    // SAFETY: given just now; nobody wrote to it.
    unsafe { process.deallocate(block) };
}

#[test]
fn a_pool_that_leaks_is_the_same_pool() {
    let (pool, tracking) = tracked(PoolLimits::new());
    Out::of(&pool, 4096, 5).give_back(&pool);
    let leaked = pool.clone().leak();
    assert_eq!(leaked.figures(), pool.figures());
    drop(pool);
    Out::of(&leaked, 4096, 5).give_back(&leaked);
    assert_eq!(tracking.allocations(), 5);
    leaked.trim();
    tracking.assert_balanced();
}
