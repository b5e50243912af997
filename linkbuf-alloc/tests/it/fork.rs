//! Buffers in a process that forks: parent and child see what was there, and go their own ways.
#![expect(unsafe_code, reason = "forks")]

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
