//! Buffers in a process that forks: parent and child see what was there, and go their own ways.
#![expect(unsafe_code, reason = "forks")]

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use linkbuf_alloc::{AnyAllocator, Budget, Budgeted};
use linkbuf_core::{Heap, LinkBuffer, NodeAllocator, testing::contract};

use crate::alone::alone;

alone! {
    budgeted[]: forks(&Budgeted::new(Heap, Budget::new(1 << 30).child(1 << 30)));
    any[]: forks(&AnyAllocator::new(Heap));
    heap_slabs["pooled"]: forks(&linkbuf_alloc::HeapSlabs::new());
    pooled["pooled"]: forks(&<linkbuf_alloc::Pooled>::default());
    mmap["mmap"]: forks(&linkbuf_alloc::Mmap::new());
    pooled_mmap["pooled" "mmap"]: forks(&linkbuf_alloc::Pooled::new(linkbuf_alloc::Mmap::new()));
    transparent["hugepage"]: forks(&without_reserved());
    pooled_transparent["pooled" "hugepage"]: forks(&linkbuf_alloc::Pooled::new(without_reserved()));
    ladder["hugepage"]: forks_and_drops(&linkbuf_alloc::HugePage::new());
    pooled_ladder["pooled" "hugepage"]: forks_and_drops(&linkbuf_alloc::Pooled::new(linkbuf_alloc::HugePage::new()));
    mimalloc["mimalloc"]: forks(&linkbuf_alloc::Mimalloc);
    pooled_mimalloc["pooled" "mimalloc"]: forks(&linkbuf_alloc::Pooled::new(linkbuf_alloc::Mimalloc));
    busy_budgeted[]: forks_while_busy(&Budgeted::new(Heap, Budget::new(1 << 30).child(1 << 30)));
    busy_heap_slabs["pooled"]: forks_while_busy(&linkbuf_alloc::HeapSlabs::new());
    busy_pooled["pooled"]: forks_while_busy(&linkbuf_alloc::Process::<linkbuf_alloc::Pooled>::new());
    busy_pooled_own["pooled"]: forks_while_busy(&linkbuf_alloc::Pooled::new(linkbuf_alloc::HeapSlabs::new()));
    busy_pooled_small["pooled"]: forks_while_busy(&linkbuf_alloc::Pooled::with_limits(
        linkbuf_alloc::HeapSlabs::new(),
        linkbuf_alloc::PoolLimits::new().max_cached(1 << 20).magazine(8 << 10),
    ));
    busy_pooled_twice["pooled"]: forks_while_busy(&linkbuf_alloc::Pooled::new(
        linkbuf_alloc::Pooled::new(linkbuf_alloc::HeapSlabs::new()),
    ));
    busy_mmap["mmap"]: forks_while_busy(&linkbuf_alloc::Mmap::new());
    busy_pooled_mmap["pooled" "mmap"]: forks_while_busy(&linkbuf_alloc::Process::<linkbuf_alloc::Pooled<linkbuf_alloc::Mmap>>::new());
    busy_plain["hugepage"]: forks_while_busy(&linkbuf_alloc::HugePage::builder().require(linkbuf_alloc::Rung::Plain).build().expect("memory"));
    busy_ladder["hugepage"]: {
        let _reserved = crate::reserved::Reserved::pages(4);
        forks_while_busy(&linkbuf_alloc::HugePage::new());
    };
    busy_pooled_ladder["pooled" "hugepage"]: {
        let _reserved = crate::reserved::Reserved::pages(4);
        forks_while_busy(&linkbuf_alloc::Process::<linkbuf_alloc::Pooled<linkbuf_alloc::HugePage>>::new());
    };
    trimmer["pooled"]: a_child_has_no_trimmer();
}

#[cfg(feature = "hugepage")]
fn without_reserved() -> linkbuf_alloc::HugePage {
    let builder = linkbuf_alloc::HugePage::builder().forbid(linkbuf_alloc::Rung::HugeTlb);
    builder.build().expect("a rung is left")
}

/// Bytes in the buffer when the process forks.
const HELD: usize = 6 << 20;

fn forks<A: NodeAllocator>(alloc: &A) {
    let mut buf = LinkBuffer::new_in(alloc.clone());
    write(&mut buf, 1, HELD);
    let slice = buf.slice(HELD / 3).expect("it was written");
    // Something in every cache.
    let mut other = LinkBuffer::new_in(alloc.clone());
    write(&mut other, 9, HELD);
    drop(other);

    in_both(|child| {
        let seed = if child { 2 } else { 3 };
        assert!(slice.chunks().flatten().all(|byte| *byte == 1));
        // Both write over what they shared, and take new memory, and give back old.
        write(&mut buf, seed, HELD);
        read(&mut buf, 1, HELD - HELD / 3);
        read(&mut buf, seed, HELD);
        drop(slice);
        write(&mut buf, seed, HELD);
        read(&mut buf, seed, HELD);
        drop(buf);
        contract::blocks(alloc);
        contract::threads(alloc);
        alloc.decay();
        alloc.trim();
        write(&mut LinkBuffer::new_in(alloc.clone()), seed, HELD);
    });
}

/// As [`forks`], where a child must not look into inherited buffers: pages that are reserved are not inherited. It may
/// drop them, and use the allocator; with those that the system has few of, both run out of them, and neither dies.
#[cfg(feature = "hugepage")]
fn forks_and_drops<A: NodeAllocator>(alloc: &A) {
    let _reserved = crate::reserved::Reserved::pages(4);
    let mut buf = LinkBuffer::new_in(alloc.clone());
    write(&mut buf, 1, HELD);
    let slice = buf.slice(HELD / 3).expect("it was written");
    in_both(|child| {
        if child {
            drop(slice);
        } else {
            assert!(slice.chunks().flatten().all(|byte| *byte == 1));
            write(&mut buf, 3, HELD);
            read(&mut buf, 1, HELD - HELD / 3);
            read(&mut buf, 3, HELD);
        }
        drop(buf);
        let mut new = LinkBuffer::new_in(alloc.clone());
        write(&mut new, 4, 2 * HELD);
        read(&mut new, 4, 2 * HELD);
        drop(new);
        contract::blocks(alloc);
        alloc.trim();
        write(&mut LinkBuffer::new_in(alloc.clone()), 5, HELD);
    });
}

/// Forks while other threads are inside the allocator, at any point of it. The child, which has none of them, uses it,
/// drops it, and ends.
///
/// None of the others begins or ends meanwhile: the standard library holds a lock then that it doesn't take over a fork,
/// and the child's first thread would wait for it for ever.
fn forks_while_busy<A: NodeAllocator>(alloc: &A) {
    const THREADS: usize = 3;
    const FORKS: usize = 60;
    /// Seconds until a child that hangs is ended, which is seen as its end.
    const HANGS: u32 = 120;
    /// Also when the test fails, for the scope waits for the threads.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let done = AtomicBool::new(false);
    let busy = AtomicUsize::new(0);
    thread::scope(|scope| {
        let _done = Done(&done);
        for _ in 0..THREADS {
            let alloc = alloc.clone();
            let (done, busy) = (&done, &busy);
            scope.spawn(move || {
                busy.fetch_add(1, Ordering::Relaxed);
                let mut size = 1;
                while !done.load(Ordering::Relaxed) {
                    let mut buf = LinkBuffer::new_in(alloc.clone());
                    for _ in 0..20 {
                        // Where the reserved pages are gone and memory is short: not of interest here.
                        let _ = buf.write_binary(&[7; 70_000][..size]);
                        size = (size + 997) % 70_000;
                    }
                    drop(buf);
                    alloc.decay();
                    if size % 7 == 0 {
                        alloc.trim();
                    }
                }
            });
        }
        while busy.load(Ordering::Relaxed) < THREADS {
            thread::yield_now();
        }
        let mine = LinkBuffer::new_in(alloc.clone());
        for _ in 0..FORKS {
            // The parent forks and uses the allocator in turn.
            write(&mut LinkBuffer::new_in(alloc.clone()), 1, 100 << 10);
            // SAFETY: the child uses nothing but the heap, which is the C library's, this crate, and its own thread.
            let child = unsafe { libc::fork() };
            assert!(child >= 0, "{}", std::io::Error::last_os_error());
            if child == 0 {
                // SAFETY: has no conditions.
                unsafe { libc::alarm(HANGS) };
                drop(mine);
                let mut buf = LinkBuffer::new_in(alloc.clone());
                write(&mut buf, 5, 300 << 10);
                read(&mut buf, 5, 300 << 10);
                let there = alloc.clone();
                let other = thread::spawn(move || {
                    write(&mut LinkBuffer::new_in(there), 6, 300 << 10);
                    drop(buf);
                });
                let ended = other.join();
                alloc.decay();
                alloc.trim();
                let _ = alloc.figures();
                // SAFETY: has no conditions. The harness of this copy of the process must not go on.
                unsafe { libc::_exit(i32::from(ended.is_err())) };
            }
            let mut ended = 0;
            // SAFETY: `ended` is an `i32` to write to.
            let waited = unsafe { libc::waitpid(child, &raw mut ended, 0) };
            assert_eq!((waited, ended), (child, 0), "how the child ended");
        }
    });
}

/// Its drop does not wait for a thread that the child has not, and a new one works there.
#[cfg(feature = "pooled")]
fn a_child_has_no_trimmer() {
    use linkbuf_alloc::Trimmer;
    use linkbuf_core::{AllocError, RawBlock};
    use std::{sync::Arc, time::Duration};

    /// The heap, which tells that it was asked to decay.
    #[derive(Clone)]
    struct Asked(Arc<AtomicBool>);

    // SAFETY: the blocks are the heap's.
    unsafe impl NodeAllocator for Asked {
        fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
            Heap.allocate(min)
        }

        unsafe fn deallocate(&self, block: RawBlock) {
            // SAFETY: the caller's promise.
            unsafe { Heap.deallocate(block) };
        }

        fn decay(&self) -> usize {
            self.0.store(true, Ordering::Relaxed);
            Heap.decay()
        }
    }

    let pool = linkbuf_alloc::Pooled::new(Heap);
    // Forks know of it from its first block on.
    write(&mut LinkBuffer::new_in(pool.clone()), 1, HELD);
    let trimmer = Trimmer::start(Duration::from_millis(1)).expect("a thread");
    trimmer.watch_pool(&pool).expect("memory for the test");
    let asked = Asked(Arc::default());
    trimmer.watch(asked.clone()).expect("memory for the test");
    // No fork while a thread begins: see `forks_while_busy`.
    while !asked.0.load(Ordering::Relaxed) {
        thread::yield_now();
    }
    for _ in 0..50 {
        let trimmer = &trimmer;
        // SAFETY: the child uses nothing but the heap, which is the C library's, and this crate.
        let child = unsafe { libc::fork() };
        assert!(child >= 0, "{}", std::io::Error::last_os_error());
        if child == 0 {
            // SAFETY: has no conditions.
            unsafe { libc::alarm(120) };
            // SAFETY: the child ends without dropping it once more.
            let inherited = unsafe { std::ptr::read(trimmer) };
            assert_eq!(inherited.watched(), 0);
            let refused = inherited.watch(Heap).is_err();
            drop(inherited);
            let another = Trimmer::start(Duration::from_millis(1)).expect("a thread");
            another.watch_pool(&pool).expect("memory for the test");
            drop(another);
            // SAFETY: has no conditions.
            unsafe { libc::_exit(i32::from(!refused)) };
        }
        let mut ended = 0;
        // SAFETY: `ended` is an `i32` to write to.
        let waited = unsafe { libc::waitpid(child, &raw mut ended, 0) };
        assert_eq!((waited, ended), (child, 0), "how the child ended");
    }
}

/// Forks, and does `work` in both processes, with `true` in the child. The parent waits for the child and sees that all
/// went well there.
fn in_both(work: impl FnOnce(bool)) {
    // SAFETY: the only other thread waits for this one and holds no lock, so the child may do all that the parent may.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "{}", std::io::Error::last_os_error());
    if child == 0 {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(true)));
        // SAFETY: has no conditions. The harness of this copy of the process must not go on.
        unsafe { libc::_exit(i32::from(done.is_err())) };
    }
    work(false);
    let mut ended = 0;
    // SAFETY: `ended` is an `i32` to write to.
    let waited = unsafe { libc::waitpid(child, &raw mut ended, 0) };
    assert_eq!((waited, ended), (child, 0), "how the child ended");
}

fn write<A: NodeAllocator>(buf: &mut LinkBuffer<A>, seed: u8, bytes: usize) {
    for _ in 0..bytes / 4096 {
        buf.write_binary(&[seed; 4096])
            .expect("memory for the test");
    }
    buf.flush();
}

fn read<A: NodeAllocator>(buf: &mut LinkBuffer<A>, seed: u8, bytes: usize) {
    let mut left = bytes;
    while left > 0 {
        let n = left.min(4096);
        let piece = buf.next(n).expect("it was written");
        assert!(piece.iter().all(|byte| *byte == seed));
        left -= n;
        buf.release();
    }
}
