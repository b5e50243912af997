//! Clauses about lives: of threads, of handles, of what outlasts them.

use std::{
    sync::{Arc, Barrier, mpsc},
    thread,
};

use super::{Parcel, SIZES, live};
use crate::{
    Builder, LinkBuffer, NodeAllocator, Slice,
    testing::model::{difference, pattern},
};

/// Blocks that one thread took go back on another, through another handle, while all of them allocate.
///
/// # Panics
/// When a block is not what it was.
pub fn threads<A: NodeAllocator>(alloc: &A) {
    const THREADS: usize = 4;
    let before = live(alloc);
    let start = Barrier::new(THREADS);
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..THREADS).map(|_| mpsc::channel::<Parcel>()).unzip();
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for (me, inbox) in receivers.into_iter().enumerate() {
            let neighbour = senders[(me + 1) % THREADS].clone();
            let (alloc, start) = (alloc.clone(), &start);
            workers.push(scope.spawn(move || {
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
            }));
        }
        drop(senders);
        // A scope does not wait for the destructors of a thread's caches, a join does.
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
    assert_eq!(live(alloc), before, "figures after all blocks came back");
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

/// Threads that end with whatever their caches hold, after they took blocks and gave them back, or gave back what
/// another thread took. Nothing is lost by it, and nothing is given twice.
///
/// # Panics
/// When a block is not what it was, or figures do not come back to where they were.
pub fn exits<A: NodeAllocator>(alloc: &A) {
    let sizes = [alloc.node_size(), 4096, 8192, 65_536, 100_000];
    let take = move |alloc: &A, seed: u8| -> Vec<Parcel> {
        let each = |i: usize| Parcel::take(alloc, sizes[i % sizes.len()], seed);
        (0..150).map(each).collect()
    };
    let before = live(alloc);
    for round in 0..3 {
        // Its own blocks, all of them back before it ends.
        let own = thread::spawn({
            let alloc = alloc.clone();
            move || give_all_back(&alloc, take(&alloc, round))
        });
        // What this thread took goes back there, and what that one took goes back here.
        let here = take(alloc, round + 10);
        let swap = thread::spawn({
            let alloc = alloc.clone();
            move || {
                let there = take(&alloc, round + 20);
                give_all_back(&alloc, here);
                there
            }
        });
        join(own);
        give_all_back(alloc, join(swap));
        assert_eq!(live(alloc), before, "figures after the threads ended");
    }
}

/// Buffers and slices that are the last to hold the allocator: every handle is gone, some of the threads that used it
/// are gone, others are about to end, and the slices' blocks come back one by one, on other threads.
///
/// # Panics
/// When a slice changes.
pub fn outlives<A: NodeAllocator>(make: impl FnOnce() -> A) {
    let alloc = make();
    let content: Arc<[u8]> = pattern(5, 40_000).into();
    let (done, wait) = mpsc::channel::<()>();
    // Has a cache, and ends after the allocator's last handle and block are gone.
    let survivor = {
        let (alloc, ready) = (alloc.clone(), Arc::new(Barrier::new(2)));
        let there = Arc::clone(&ready);
        let survivor = thread::spawn(move || {
            let size = alloc.node_size();
            let parcels = (0..50).map(|seed| Parcel::take(&alloc, size, seed));
            give_all_back(&alloc, parcels.collect());
            drop(alloc);
            there.wait();
            // An error is the other side's end, which is as good.
            let _ = wait.recv();
        });
        ready.wait();
        survivor
    };
    let slice = {
        let mut buffer = LinkBuffer::new_in(alloc);
        for piece in content.chunks(1500) {
            buffer.write_binary(piece).expect("memory for the test");
        }
        buffer.flush();
        buffer.slice(content.len()).expect("all of it is readable")
    };
    let (front, back) = {
        let mut back = slice;
        let front = back.split_to(17_000).expect("there is more");
        (front, back)
    };
    let last = thread::spawn({
        let content = Arc::clone(&content);
        move || assert_eq!(difference(front.chunks(), &content[..17_000]), None)
    });
    join(last);
    assert_eq!(difference(back.chunks(), &content[17_000..]), None);
    drop(back);
    drop(done);
    join(survivor);
}

fn give_all_back<A: NodeAllocator>(alloc: &A, parcels: Vec<Parcel>) {
    for parcel in parcels {
        parcel.check();
        parcel.give_back(alloc);
    }
}

fn join<T>(worker: thread::JoinHandle<T>) -> T {
    worker
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
