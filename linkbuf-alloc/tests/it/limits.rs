//! All memory gone: in a process whose address space is limited, every allocator refuses, recovers, and loses nothing.
#![expect(unsafe_code, reason = "limits the process's address space")]

use linkbuf_alloc::{AnyAllocator, Budget, Budgeted};
use linkbuf_core::{Heap, NodeAllocator, testing::contract};

use crate::alone::{alone, status};

alone! {
    heap[]: exhausts(|| Heap);
    budgeted[]: exhausts(|| Budgeted::new(Heap, Budget::new(usize::MAX)));
    any[]: exhausts(|| AnyAllocator::new(Heap));
    heap_slabs["pooled"]: exhausts(linkbuf_alloc::HeapSlabs::new);
    pooled["pooled"]: exhausts(<linkbuf_alloc::Pooled>::default);
    pooled_heap["pooled"]: exhausts(|| linkbuf_alloc::Pooled::new(Heap));
    mmap["mmap"]: exhausts(linkbuf_alloc::Mmap::new);
    pooled_mmap["pooled" "mmap"]: exhausts(|| linkbuf_alloc::Pooled::new(linkbuf_alloc::Mmap::new()));
    hugepage["hugepage"]: exhausts(linkbuf_alloc::HugePage::new);
    pooled_hugepage["pooled" "hugepage"]: exhausts(|| linkbuf_alloc::Pooled::new(linkbuf_alloc::HugePage::new()));
    mimalloc["mimalloc"]: exhausts(|| linkbuf_alloc::Mimalloc);
    pooled_mimalloc["pooled" "mimalloc"]: exhausts(|| linkbuf_alloc::Pooled::new(linkbuf_alloc::Mimalloc));
}

/// Bytes of addresses that are left to take.
const ROOM: usize = 48 << 20;

fn exhausts<A: NodeAllocator>(make: impl FnOnce() -> A) {
    // Before the first block: mimalloc takes a whole GiB of addresses with it, if it can.
    limit(status("VmSize") + ROOM);
    let alloc = make();
    contract::refusals(&alloc);
    for _ in 0..2 {
        contract::exhaustion(&alloc, 2 << 30);
        alloc.trim();
    }
    contract::blocks(&alloc);
}

fn limit(bytes: usize) {
    let limit = libc::rlimit {
        rlim_cur: bytes as libc::rlim_t,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: `limit` is what the call reads.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) };
    assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
}
