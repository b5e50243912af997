//! Bounds in bytes: what an idle buffer keeps, what slices pin, and that the figures are true.
//!
//! Bytes are counted where they are taken: on the heap of this thread (nodes, headers, tables: all told), or in a
//! tracking allocator.

use std::sync::Arc;

use linkbuf_core::{
    Builder, Heap, LinkBuffer, NodeAllocator, TailPolicy,
    testing::{
        allocators::{FailingGlobal, Tracking},
        model::pattern,
    },
};

use crate::support::{content, heap_calls, heap_live};

const MIB: usize = 1 << 20;

/// Passes more than 1 MiB through, by every way in and out, and leaves the buffer drained and released.
fn pass_through<A: NodeAllocator>(buf: &mut LinkBuffer<A>) {
    let block = pattern(1, MIB);
    let shared: Arc<[u8]> = pattern(2, 20_000).into();
    for chunk in block.chunks(4096) {
        buf.write_binary(chunk).unwrap();
    }
    buf.malloc(100_000).unwrap().fill(1);
    buf.malloc_ack(MIB + 10).unwrap();
    buf.write_owned(Arc::clone(&shared)).unwrap();
    buf.write_direct(Arc::clone(&shared), 5000).unwrap();
    let slot = buf.slot(9000).unwrap();
    let mut appender = buf.appender(100).unwrap();
    for _ in 0..1000 {
        appender.put_be(7_u64).unwrap();
    }
    appender.commit();
    buf.fill(&slot, &[1; 9000]).unwrap();
    buf.flush();
    for _ in 0..50 {
        let n = buf.book(1, 64 << 10).unwrap().len();
        buf.book_ack(n).unwrap();
    }
    let mut other = LinkBuffer::builder().node_size(100).build();
    other.write_binary(&pattern(3, 30_000)).unwrap();
    buf.append_foreign(other).unwrap();
    buf.flush();

    buf.peek(50_000).unwrap();
    buf.next(50_000).unwrap();
    buf.release();
    drop(buf.slice(70_000).unwrap());
    buf.read_binary(1234).unwrap();
    assert!(buf.until_bytes(b"not there, I think").is_err());
    while buf.len() > 10_000 {
        buf.skip(9999).unwrap();
        buf.release();
    }
    buf.skip(buf.len()).unwrap();
    buf.release();
    assert_eq!(Arc::strong_count(&shared), 1);
}

/// What a drained buffer keeps on the heap, all told.
fn kept(
    policy: Option<TailPolicy>,
    node_size: Option<usize>,
    drain: impl Fn(&mut LinkBuffer),
) -> usize {
    let (_, before) = heap_live();
    let mut builder = LinkBuffer::builder();
    if let Some(policy) = policy {
        builder = builder.tail_policy(policy);
    }
    if let Some(bytes) = node_size {
        builder = builder.node_size(bytes);
    }
    let mut buf = builder.build();
    for _ in 0..3 {
        drain(&mut buf);
    }
    let (_, after) = heap_live();
    let figures = buf.memory();
    drop(buf);
    assert_eq!(heap_live().1, before, "bytes left by the buffer's drop");
    let kept = usize::try_from(after - before).unwrap();
    assert_eq!(
        kept,
        figures.total(),
        "the buffer's own figures: {figures:?}"
    );
    kept
}

#[test]
fn release_keeps_nothing() {
    assert_eq!(kept(Some(TailPolicy::Release), None, pass_through), 0);
    assert_eq!(kept(Some(TailPolicy::Keep(0)), None, pass_through), 0);
}

#[test]
fn the_default_keeps_a_page_at_most_all_told() {
    assert!(kept(None, None, pass_through) <= 4096);
    assert!(kept(Some(TailPolicy::Page), None, pass_through) <= 4096);
}

#[test]
fn keep_keeps_at_most_what_it_says() {
    for n in [1, 127, 128, 1000, 4095, 5000, 1 << 16, MIB, 3 * MIB] {
        for node_size in [64, 1000, 4096, 1 << 16] {
            let kept = kept(Some(TailPolicy::Keep(n)), Some(node_size), pass_through);
            assert!(kept <= n, "Keep({n}), nodes of {node_size}: {kept} bytes");
        }
    }
}

#[test]
fn a_generous_policy_keeps_something() {
    let kept = kept(Some(TailPolicy::Keep(4 * MIB)), None, pass_through);
    assert!(kept >= MIB, "{kept} bytes");
}

#[test]
fn clear_keeps_what_the_policy_allows() {
    let fill = |buf: &mut LinkBuffer| {
        for _ in 0..10 {
            buf.write_binary(&pattern(1, 100_000)).unwrap();
            buf.flush();
            buf.write_owned(pattern(2, 100_000)).unwrap();
        }
        buf.clear();
        assert_eq!((buf.len(), buf.malloc_len()), (0, 0));
    };
    assert_eq!(kept(Some(TailPolicy::Release), None, fill), 0);
    assert!(kept(None, None, fill) <= 4096);
    assert!(kept(Some(TailPolicy::Keep(50_000)), None, fill) <= 50_000);
}

/// The drained tail, a node that came with another buffer, and their headers: together they are more than a page.
#[test]
fn nodes_of_a_foreign_buffer_count_too() {
    let cleared = |buf: &mut LinkBuffer| {
        buf.book(16, 29).unwrap();
        buf.book_ack(16).unwrap();
        let mut other = LinkBuffer::builder().node_size(200).build();
        for piece in pattern(1, 294).chunks(150) {
            other.write_binary(piece).unwrap();
        }
        buf.append_foreign(other).unwrap();
        buf.clear();
        let memory = buf.memory();
        assert!(memory.total() <= 4096, "{memory:?}");
    };
    assert!(kept(Some(TailPolicy::Page), Some(3584), cleared) <= 4096);
}

#[test]
fn preallocated_room_lasts_until_a_flush_unless_the_policy_keeps_as_much() {
    let fill = |buf: &mut LinkBuffer| {
        heap_calls(|| {
            for _ in 0..10 {
                buf.write_binary(&[7; 1000]).unwrap();
                buf.malloc(900).unwrap();
                buf.write_byte(1).unwrap();
            }
            buf.appender(99).unwrap().put(&[1; 99]).unwrap();
        })
    };
    let n = 10 * 1901 + 99;
    let mut buf = LinkBuffer::with_capacity(n).unwrap();
    assert_eq!(fill(&mut buf), 0);
    assert_eq!(buf.malloc_len(), n);

    let write_flush_write = |mut buf: LinkBuffer| {
        buf.preallocate(n).unwrap();
        let calls = heap_calls(|| buf.write_byte(1).unwrap());
        buf.flush();
        (calls, heap_calls(|| buf.write_binary(&[7; 1000]).unwrap()))
    };
    let (before, after) = write_flush_write(LinkBuffer::new());
    assert!(before == 0 && after > 0, "the flush has sealed the node");
    let keeping = LinkBuffer::builder().tail_policy(TailPolicy::Keep(32 << 10));
    assert_eq!(write_flush_write(keeping.build()), (0, 0));
}

#[test]
fn trim_gives_back_what_the_policy_kept() {
    let trimmed = |buf: &mut LinkBuffer| {
        pass_through(buf);
        buf.trim();
        assert_eq!(buf.memory().spare, 0);
    };
    let kept = kept(Some(TailPolicy::Keep(4 * MIB)), None, trimmed);
    assert!(kept <= 4096, "{kept} bytes after trim");
}

#[test]
fn trim_leaves_content_alone() {
    let mut buf = LinkBuffer::builder()
        .tail_policy(TailPolicy::Keep(MIB))
        .build();
    buf.write_binary(&pattern(1, 50_000)).unwrap();
    buf.flush();
    buf.skip(40_000).unwrap();
    buf.write_binary(b"pending").unwrap();
    buf.release();
    buf.trim();
    assert_eq!(content(&buf), &pattern(1, 50_000)[40_000..]);
    buf.flush();
    assert_eq!(buf.len(), 10_007);
}

#[test]
fn a_buffer_that_is_not_drained_keeps_little_beside_its_content() {
    let alloc = Tracking::new(Heap);
    let mut buf = LinkBuffer::new_in(alloc.clone());
    for round in 0..200 {
        buf.write_binary(&pattern(round, 30_000)).unwrap();
        buf.flush();
        buf.skip(30_000 - usize::from(round % 7)).unwrap();
        buf.release();
        let (len, held) = (buf.len(), alloc.live_bytes());
        assert!(buf.memory().spare <= 4096);
        // The block of the last bytes, at most 64 KiB however they were written, and a page.
        assert!(held <= len + (64 << 10) + 8192, "{held} bytes for {len}");
    }
}

#[test]
fn the_figures_are_true() {
    let alloc = Tracking::new(Heap);
    let mut buf = Builder::new_in(alloc.clone()).node_size(1000).build();
    let mut slices = Vec::new();
    let mut rounds = 0;
    let mut compare = |buf: &LinkBuffer<Tracking>| {
        let m = buf.memory();
        assert_eq!(m.live + m.spare + m.pinned, alloc.live_bytes(), "{m:?}");
        rounds += 1;
    };
    compare(&buf);
    for i in 0..60_u8 {
        buf.write_binary(&pattern(i, 700)).unwrap();
        compare(&buf);
        buf.write_direct(pattern(i, 50), 300).unwrap();
        compare(&buf);
        buf.flush();
        buf.peek(720).unwrap();
        compare(&buf);
        slices.push(buf.slice(600).unwrap());
        compare(&buf);
        buf.skip(100).unwrap();
        buf.release();
        compare(&buf);
        if i % 3 == 0 {
            slices.remove(slices.len() / 2);
            compare(&buf);
        }
    }
    buf.clear();
    compare(&buf);
    let pinned = buf.memory().pinned;
    assert!(pinned > 0);
    slices.clear();
    compare(&buf);
    assert_eq!(buf.memory().pinned, 0);
    buf.trim();
    compare(&buf);
    assert!(rounds > 300);
    drop(buf);
    alloc.assert_balanced();
}

#[test]
fn attached_bytes_are_told_apart() {
    let mut buf = LinkBuffer::new();
    buf.write_owned(pattern(1, 10_000)).unwrap();
    buf.write_direct(pattern(1, 500), 400).unwrap();
    assert_eq!(buf.memory().foreign, 10_500);
    assert_eq!(buf.memory().nodes, 3);
    buf.flush();
    buf.skip(10_500).unwrap();
    buf.release();
    assert_eq!(buf.memory().foreign, 0);
    buf.write_owned(pattern(1, 4095)).unwrap();
    assert_eq!(buf.memory().foreign, 0, "below the threshold it is copied");
}

#[test]
fn a_slice_pins_its_block_and_says_so() {
    let alloc = Tracking::new(Heap);
    let mut buf = LinkBuffer::new_in(alloc.clone());
    buf.malloc(50_000).unwrap().fill(1);
    buf.flush();
    buf.skip(20_000).unwrap();
    let slice = buf.slice(10).unwrap();
    assert!(slice.pinned() >= 50_000);
    buf.skip(buf.len()).unwrap();
    buf.release();
    assert!(buf.memory().pinned >= 50_000);
    let mut own = slice.clone();
    own.detach().unwrap();
    assert!(own.pinned() < 1000, "{} bytes", own.pinned());
    assert!(buf.memory().pinned >= 50_000);
    drop(slice);
    assert_eq!(buf.memory().pinned, 0);
    assert!(alloc.live_bytes() <= 8192);
    assert_eq!(own, [1_u8; 10][..]);
}

#[test]
fn small_slices_of_large_blocks_are_copied_out_on_request() {
    let alloc = Tracking::new(Heap);
    let mut buf = Builder::new_in(alloc.clone()).detach_below(64).build();
    buf.malloc(50_000).unwrap().fill(1);
    buf.flush();
    let small: Vec<_> = (0..100).map(|_| buf.slice(63).unwrap()).collect();
    let large = buf.slice(64).unwrap();
    assert!(large.pinned() >= 50_000);
    drop(large);
    buf.skip(buf.len()).unwrap();
    buf.release();
    assert_eq!(buf.memory().pinned, 0);
    for slice in small {
        assert!(slice.pinned() < 1000);
        assert_eq!(slice, [1_u8; 63][..]);
    }
}

#[test]
fn an_idle_steady_state_stays_in_one_node() {
    let mut buf = LinkBuffer::new();
    for _ in 0..10_000 {
        buf.write_binary(&[1; 100]).unwrap();
        buf.flush();
        buf.next(100).unwrap();
        buf.release();
        assert!(buf.memory().nodes <= 1);
        assert!(buf.memory().total() <= 4096);
    }
}

#[test]
fn booked_reads_grow_and_shrink_again() {
    let mut buf = LinkBuffer::new();
    let mut read = |take: fn(usize) -> usize| {
        let booked = buf.book(1, 1 << 30).unwrap().len();
        buf.book_ack(take(booked)).unwrap();
        buf.skip(buf.len()).unwrap();
        buf.release();
        booked
    };
    let first = read(|_| 100);
    // One large packet: reads that come back full.
    for _ in 0..20 {
        read(|booked| booked);
    }
    let large = read(|booked| booked);
    assert!(
        large >= 2 * first && large >= 32 << 10,
        "{first}, then {large}"
    );
    assert!(large <= 64 << 10, "{large}");
    // Then small ones.
    for _ in 0..50 {
        read(|_| 10);
    }
    let small = read(|_| 10);
    assert!(small <= first, "{first}, then {large}, then {small}");
}

#[test]
fn booked_reads_stay_within_their_bounds() {
    // What the tail has left may be more than that, so the nodes are small.
    let mut buf = LinkBuffer::builder()
        .node_size(64)
        .book_sizes(256, 1024)
        .build();
    for take_all in [
        true, true, true, true, true, false, false, false, false, false,
    ] {
        let booked = buf.book(1, usize::MAX).unwrap().len();
        assert!(booked <= 1024, "{booked}");
        buf.book_ack(if take_all { booked } else { 1 }).unwrap();
    }
    assert!(
        buf.book(5000, 6000).unwrap().len() >= 5000,
        "the caller's bounds come first"
    );
    assert!(buf.book(1, 7).unwrap().len() <= 7);
}

#[test]
fn one_byte_reads_share_a_node() {
    let mut buf = LinkBuffer::new();
    for i in 0..2000_u32 {
        buf.book(1, 4096).unwrap()[0] = i.to_le_bytes()[0];
        buf.book_ack(1).unwrap();
    }
    assert_eq!(buf.len(), 2000);
    let memory = buf.memory();
    assert!(memory.total() <= 16_384, "{memory:?}");
}

#[test]
fn growing_peeks_copy_each_byte_a_few_times_at_most() {
    let all = pattern(1, 40_000);
    let mut buf = LinkBuffer::builder().node_size(256).build();
    for piece in all.chunks(200) {
        buf.write_binary(piece).unwrap();
        buf.flush();
        buf.skip(0).unwrap();
    }
    let before = FailingGlobal::figures().asked_bytes;
    let mut session = buf.session();
    let held: Vec<&[u8]> = (1..=200).map(|i| session.peek(i * 200).unwrap()).collect();
    let asked = FailingGlobal::figures().asked_bytes - before;
    // Every peek of its own would take 4 MB. (The vector takes some, too.)
    assert!(asked <= 10 * 40_000, "{asked} bytes");
    for (i, piece) in held.iter().enumerate() {
        assert_eq!(*piece, &all[..(i + 1) * 200]);
    }
}

#[test]
fn gathered_bytes_are_given_back_by_release() {
    let alloc = Tracking::new(Heap);
    let mut buf = Builder::new_in(alloc.clone()).node_size(256).build();
    for piece in pattern(1, 100_000).chunks(200) {
        buf.write_binary(piece).unwrap();
    }
    buf.flush();
    buf.release();
    let before = alloc.live_bytes();
    for n in [300, 5000, 50_000, 400] {
        buf.peek(n).unwrap();
        buf.release();
        assert!(alloc.live_bytes() <= before + 4096, "after peek({n})");
    }
    assert_eq!(content(&buf), pattern(1, 100_000));
}
