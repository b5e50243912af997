//! The bounds in bytes, and what goes when.

use std::{sync::mpsc, thread, time::Duration};

use super::*;

/// Blocks of each class that `flood` takes: more than any cache holds, and no magazine of these tests is left half full.
const FLOOD: usize = 320;

fn flood<A: NodeAllocator>(pool: &A) -> Vec<Out> {
    (0..class::THREAD_CLASSES)
        .map(|c| Out::of(pool, class::size(c), FLOOD))
        .collect()
}

#[test]
fn a_thread_keeps_what_the_formula_says() {
    for magazine in [0, 4 * KIB, 20 * KIB, 64 * KIB, 128 * KIB] {
        let limits = PoolLimits::new().max_cached(0).magazine(magazine);
        let (pool, _) = tracked(limits);
        for out in flood(&pool) {
            out.give_back(&pool);
            assert!(pool.figures().cached_bytes <= limits.thread_cap() as u64);
        }
        // All of it is used, so the formula is not just an upper bound.
        assert_cached(&pool, limits.thread_cap());
    }
}

#[test]
fn the_depot_keeps_no_more_than_it_may() {
    const MAX: usize = 3 << 20;
    let limits = PoolLimits::new().max_cached(MAX);
    let (pool, _) = tracked(limits);
    Out::of(&pool, 1 << 20, 20).give_back(&pool);
    assert_cached(&pool, MAX);
    for out in flood(&pool) {
        out.give_back(&pool);
        assert!(pool.figures().cached_bytes <= (MAX + limits.thread_cap()) as u64);
    }
    assert_cached(&pool, MAX + limits.thread_cap());
}

#[test]
fn threads_that_only_free_stay_within_the_bound() {
    const THREADS: usize = 3;
    const MAX: usize = 1 << 20;
    let limits = PoolLimits::new().max_cached(MAX);
    let (pool, _) = tracked(limits);
    let (done, all_done) = mpsc::channel();
    thread::scope(|scope| {
        let mut holds = Vec::new();
        let mut workers = Vec::new();
        // All is taken before anything is given back, so this thread's cache stays empty.
        let outs: Vec<_> = (0..THREADS).map(|_| flood(&pool)).collect();
        for outs in outs {
            let (hold, held) = mpsc::channel::<()>();
            holds.push(hold);
            let (pool, done) = (&pool, done.clone());
            workers.push(scope.spawn(move || {
                outs.into_iter().for_each(|out| out.give_back(pool));
                done.send(()).unwrap();
                let _ = held.recv(); // until the count is taken
            }));
        }
        for _ in 0..THREADS {
            all_done.recv().unwrap();
        }
        assert_cached(&pool, MAX + THREADS * limits.thread_cap());
        let figures = pool.report();
        assert_eq!(figures.remote_frees, (THREADS * 5 * FLOOD) as u64);
        drop(holds);
        for worker in workers {
            worker.join().unwrap(); // the scope alone would not wait for the ends of the threads
        }
    });
    // The threads have ended: the depot has what it may have.
    assert_cached(&pool, MAX);
    assert_eq!(pool.report().remote_frees, (THREADS * 5 * FLOOD) as u64);
}

#[test]
fn blocks_that_another_thread_frees_come_round() {
    let (pool, tracking) = tracked(PoolLimits::new());
    let (to, from) = mpsc::sync_channel::<Out>(2);
    let freeing = pool.clone();
    let other = thread::spawn(move || from.into_iter().for_each(|out| out.give_back(&freeing)));
    for _ in 0..500 {
        to.send(Out::of(&pool, 4096, 32)).unwrap();
    }
    drop(to);
    other.join().unwrap();
    // At most five batches were out at once, a thread keeps four of them, and the depot hands the rest out again.
    assert!(
        tracking.peak_bytes() <= (5 + 4) * 32 * 4096,
        "{} bytes",
        tracking.peak_bytes()
    );
}

#[test]
fn trim_leaves_nothing_of_this_thread_and_the_depot() {
    let (pool, tracking) = tracked(PoolLimits::new());
    for out in flood(&pool) {
        out.give_back(&pool);
    }
    Out::of(&pool, 1 << 20, 5).give_back(&pool);
    let kept = tracking.live_bytes();
    assert!(kept > 5 << 20);
    assert_eq!(pool.trim(), kept);
    assert_cached(&pool, 0);
    tracking.assert_balanced();
    assert_eq!(pool.trim(), 0);
}

#[test]
fn the_pools_own_tables_are_counted() {
    let (pool, _) = tracked(PoolLimits::new());
    let own = || pool.report().own_bytes as usize;
    assert_eq!(own(), 0);
    let magazine = size_of::<super::super::magazine::Magazine>();
    Out::of(&pool, 4096, 1).give_back(&pool);
    let one = own();
    assert!(one > magazine);
    // Two with the thread, eight in the depot, some of them empty.
    let out = Out::of(&pool, 4096, 320);
    assert!(own() <= one + magazine);
    out.give_back(&pool);
    assert!((one + 9 * magazine..one + 10 * magazine).contains(&own()));
    Out::of(&pool, 4096, 256).give_back(&pool);
    assert!(own() >= one + 9 * magazine);
    pool.trim();
    assert!(own() < one, "the magazines are gone");
}

#[test]
fn decay_takes_what_was_not_needed_and_leaves_what_was() {
    let (pool, tracking) = tracked(PoolLimits::new().decay_interval(Duration::ZERO).magazine(0));
    // Few enough that the pool does not look at the clock by itself.
    Out::of(&pool, 4096, 12).give_back(&pool);
    pool.decay(); // from here on, 12 are there
    Out::of(&pool, 4096, 5).give_back(&pool);
    assert_eq!(tracking.allocations(), 12, "5 of them were needed");
    assert_eq!(pool.decay(), 7 * 4096);
    assert_cached(&pool, 5 * 4096);
    assert_eq!(pool.decay(), 5 * 4096);
    tracking.assert_balanced();
}

#[test]
fn decay_takes_whole_magazines() {
    let limits = PoolLimits::new().decay_interval(Duration::ZERO);
    let (pool, _) = tracked(limits);
    Out::of(&pool, 4096, 1024).give_back(&pool);
    pool.decay();
    pool.decay();
    // Two magazines stay with the thread.
    assert_cached(&pool, 2 * 32 * 4096);
}

#[test]
fn decay_does_nothing_before_the_interval_is_over() {
    let (pool, _) = tracked(PoolLimits::new().decay_interval(Duration::MAX));
    Out::of(&pool, 4096, 1000).give_back(&pool);
    assert_eq!((pool.decay(), pool.decay(), pool.decay()), (0, 0, 0));
    assert_cached(&pool, 1000 * 4096);
}

#[test]
fn a_busy_pool_decays_by_itself() {
    let limits = PoolLimits::new()
        .decay_interval(Duration::ZERO)
        .magazine(4096);
    let (pool, tracking) = tracked(limits);
    Out::of(&pool, 1 << 20, 10).give_back(&pool);
    // Enough exchanges of another class to look at the clock twice.
    for _ in 0..200 {
        Out::of(&pool, 4096, 4).give_back(&pool);
    }
    assert!(tracking.live_bytes() < 1 << 20, "{}", pool.report());
}
