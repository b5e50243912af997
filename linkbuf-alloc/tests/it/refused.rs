//! Where the global heap refuses, at the moment when a thread or a backend needs its first memory: an error.
#![expect(unsafe_code, reason = "returns blocks")]

use std::{io, thread, time::Duration};

use linkbuf_alloc::{AnyAllocator, Budget, Budgeted, Trimmer};
use linkbuf_core::{Heap, NodeAllocator, testing::allocators::FailingGlobal};

/// On a thread that has not used it yet, with every call of the heap refused after the first few.
fn refuses<A: NodeAllocator>(alloc: &A) {
    for after in 0..12 {
        let alloc = alloc.clone();
        let worker = thread::spawn(move || {
            FailingGlobal::arm(after, true);
            let first = alloc.allocate(5000);
            let second = alloc.allocate(5000);
            for block in [first, second].into_iter().flatten() {
                // SAFETY: `alloc` gave it just now, and nobody wrote to it.
                unsafe { alloc.deallocate(block) };
            }
            alloc.decay();
            alloc.trim();
            FailingGlobal::disarm();
            // And then it works.
            let block = alloc.allocate(5000).expect("memory for the test");
            // SAFETY: as above.
            unsafe { alloc.deallocate(block) };
        });
        worker.join().expect("a refusal is an error");
    }
    alloc.trim();
    let live = alloc.figures().map(|figures| figures.live_blocks);
    assert!(live.is_none_or(|blocks| blocks == 0));
}

#[test]
fn decorators() {
    refuses(&Budgeted::new(Heap, Budget::new(1 << 20)));
    refuses(&AnyAllocator::new(Heap));
}

#[cfg(feature = "pooled")]
#[test]
fn pools() {
    refuses(&linkbuf_alloc::Pooled::new(Heap));
    refuses(&linkbuf_alloc::Pooled::new(linkbuf_alloc::HeapSlabs::new()));
    #[cfg(feature = "mmap")]
    refuses(&linkbuf_alloc::Pooled::new(linkbuf_alloc::Mmap::new()));
    #[cfg(feature = "hugepage")]
    refuses(&linkbuf_alloc::Pooled::new(linkbuf_alloc::HugePage::new()));
}

#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
#[test]
fn slabs() {
    refuses(&linkbuf_alloc::HeapSlabs::new());
    #[cfg(feature = "mmap")]
    refuses(&linkbuf_alloc::Mmap::new());
    #[cfg(feature = "hugepage")]
    refuses(&linkbuf_alloc::HugePage::new());
}

#[test]
fn a_trimmer_says_that_it_can_not_watch() {
    let trimmer = Trimmer::start(Duration::from_millis(1)).expect("a thread");
    for after in [0, 1] {
        // A value that takes room, so that noting it takes two calls of the heap.
        let alloc = AnyAllocator::new(Heap);
        FailingGlobal::arm(after, true);
        let watched = trimmer.watch(alloc);
        FailingGlobal::disarm();
        let refused = watched.expect_err("there is no memory").kind();
        assert_eq!(refused, io::ErrorKind::OutOfMemory);
        assert_eq!(trimmer.watched(), 0);
    }
    trimmer.watch(Heap).expect("memory for the test");
    assert_eq!(trimmer.watched(), 1);
}
