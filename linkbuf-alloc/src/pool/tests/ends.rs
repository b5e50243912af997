//! Threads that end, pools that end, in every order.

use std::{cell::RefCell, sync::mpsc, thread};

use super::*;

/// More than a thread's table has places for.
const MANY: usize = 3 * super::super::local::WAYS;

#[test]
fn a_thread_that_ends_leaves_its_blocks_to_the_depot() {
    let (pool, tracking) = tracked(PoolLimits::new());
    let worker = pool.clone();
    let taken = thread::spawn(move || {
        let out = Out::of(&worker, 4096, 45);
        let taken = out.0.len();
        out.give_back(&worker);
        taken
    });
    let taken = taken.join().unwrap();
    assert_cached(&pool, taken * 4096);
    // They serve this thread.
    Out::of(&pool, 4096, taken).give_back(&pool);
    assert_eq!(tracking.allocations(), taken as u64);
    assert_eq!(pool.report().classes[0].hits, taken as u64);
}

#[test]
fn a_thread_that_ends_gives_the_rest_to_what_is_behind() {
    let (pool, tracking) = tracked(PoolLimits::new().max_cached(0));
    let worker = pool.clone();
    thread::spawn(move || Out::of(&worker, 4096, 45).give_back(&worker))
        .join()
        .unwrap();
    assert_cached(&pool, 0);
    tracking.assert_balanced();
}

#[test]
fn a_pool_that_ends_empties_the_caches_of_threads_that_go_on() {
    let (pool, tracking) = tracked(PoolLimits::new());
    let (to, from) = mpsc::channel::<Pooled<Tracking<Heap>>>();
    let (ready, is_ready) = mpsc::channel();
    let worker = thread::spawn(move || {
        for pool in from {
            for size in [4096, 16 * KIB, 64 * KIB] {
                Out::of(&pool, size, 3).give_back(&pool);
            }
            drop(pool);
            ready.send(()).unwrap();
        }
    });
    to.send(pool.clone()).unwrap();
    is_ready.recv().unwrap();
    assert_eq!(tracking.live_blocks(), 9, "the worker has them");
    drop(pool);
    tracking.assert_balanced();
    // The worker goes on with others, at the same address or not.
    for _ in 0..MANY {
        let (pool, tracking) = tracked(PoolLimits::new());
        to.send(pool.clone()).unwrap();
        is_ready.recv().unwrap();
        drop(pool);
        tracking.assert_balanced();
    }
    drop(to);
    worker.join().unwrap();
}

#[test]
fn a_block_outlives_all_handles_but_its_own() {
    let (pool, tracking) = tracked(PoolLimits::new());
    let mut buf = linkbuf_core::LinkBuffer::new_in(pool);
    buf.write_binary(&[9; 20_000]).unwrap();
    buf.flush();
    let slice = buf.slice(20_000).unwrap();
    drop(buf);
    assert!(tracking.live_bytes() >= 20_000);
    thread::spawn(move || drop(slice)).join().unwrap();
    tracking.assert_balanced();
}

#[test]
fn many_pools_in_one_thread() {
    let pools: Vec<_> = (0..MANY).map(|_| tracked(PoolLimits::new())).collect();
    for _ in 0..10 {
        for (pool, _) in &pools {
            Out::of(pool, 4096, 3).give_back(pool);
        }
    }
    for (pool, tracking) in &pools {
        // Each found its own blocks again.
        assert_eq!(tracking.allocations(), 3);
        assert_eq!(pool.report().classes[0].hits, 27);
    }
    for (pool, tracking) in pools {
        drop(pool);
        tracking.assert_balanced();
    }
}

#[test]
fn pools_and_threads_end_at_the_same_time() {
    for _ in 0..200 {
        let (pool, tracking) = tracked(PoolLimits::new());
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let pool = pool.clone();
                thread::spawn(move || Out::of(&pool, 4096, 10).give_back(&pool))
            })
            .collect();
        drop(pool);
        for worker in workers {
            worker.join().unwrap();
        }
        // A thread is joined after its destructors have run.
        tracking.assert_balanced();
    }
}

/// Gives its blocks back when its thread ends, takes one more, and gives that back too.
struct AtExit(Option<(Pooled<Tracking<Heap>>, Out)>);

impl Drop for AtExit {
    fn drop(&mut self) {
        if let Some((pool, out)) = self.0.take() {
            out.give_back(&pool);
            Out::of(&pool, 8192, 1).give_back(&pool);
        }
    }
}

thread_local! {
    static AT_EXIT: RefCell<AtExit> = const { RefCell::new(AtExit(None)) };
}

#[test]
fn blocks_that_go_back_while_a_thread_ends() {
    // Destructors of thread-locals run in an order that depends on which was touched first: try both.
    for touched_first in [false, true] {
        let (pool, tracking) = tracked(PoolLimits::new());
        let worker = pool.clone();
        thread::spawn(move || {
            if touched_first {
                AT_EXIT.with(|_| ());
            }
            let out = Out::of(&worker, 4096, 50);
            Out::of(&worker, 4096, 50).give_back(&worker);
            AT_EXIT.with(|at_exit| at_exit.borrow_mut().0 = Some((worker, out)));
        })
        .join()
        .unwrap();
        assert_cached(&pool, 100 * 4096 + 8192);
        drop(pool);
        tracking.assert_balanced();
    }
}

#[test]
fn the_last_handle_may_go_while_a_thread_ends() {
    let (pool, tracking) = tracked(PoolLimits::new());
    thread::spawn(move || {
        AT_EXIT.with(|_| ());
        let out = Out::of(&pool, 4096, 50);
        AT_EXIT.with(|at_exit| at_exit.borrow_mut().0 = Some((pool, out)));
    })
    .join()
    .unwrap();
    tracking.assert_balanced();
}
