//! Sequences that went wrong in this buffer once, found by review. A test for each.

use std::io::IoSliceMut;

use linkbuf_core::{Builder, Error, Heap, LinkBuffer, TailPolicy, testing::allocators::Failing};

/// A gather between a vectored booking and its acknowledgement took the booked spare.
#[test]
fn a_booked_spare_is_left_alone_by_a_gather() {
    let mut b = LinkBuffer::builder()
        .node_size(512)
        .tail_policy(TailPolicy::Keep(64 << 10))
        .build();
    for _ in 0..6 {
        b.malloc(512).unwrap().fill(b'S');
        b.flush();
    }
    b.skip(3072).unwrap();
    b.release();
    b.write_owned(vec![b'x'; 4096]).unwrap();
    b.write_owned(vec![b'y'; 4096]).unwrap();
    b.write_binary(&[b'w'; 100]).unwrap();
    b.flush();
    let mut bufs = [IoSliceMut::new(&mut []), IoSliceMut::new(&mut [])];
    assert_eq!(b.book_vectored(1, 812, &mut bufs).unwrap(), 2);
    let booked: usize = bufs.iter().map(|b| b.len()).sum();
    bufs.iter_mut().for_each(|b| b.fill(b'N'));
    b.skip(4090).unwrap();
    assert_eq!(b.peek(20).unwrap()[5..7], *b"xy");
    b.book_ack(booked).unwrap();
    b.skip(8292 - 4090).unwrap();
    assert_eq!(b.read_binary(booked).unwrap(), vec![b'N'; booked]);
}

/// A flush of nothing sealed booked room, and the second piece was published in place of the first.
#[test]
fn a_flush_of_nothing_leaves_a_booking_alone() {
    let mut a = LinkBuffer::builder().node_size(512).build();
    let mut o = LinkBuffer::builder()
        .node_size(8192)
        .tail_policy(TailPolicy::Keep(64 << 10))
        .build();
    o.write_binary(&[b'o'; 8000]).unwrap();
    o.flush();
    a.append(o).unwrap();
    let mut bufs = [IoSliceMut::new(&mut []), IoSliceMut::new(&mut [])];
    let n = a.book_vectored(1, 512, &mut bufs).unwrap();
    for (i, b) in bufs[..n].iter_mut().enumerate() {
        b.fill(b'1' + i as u8);
    }
    a.flush();
    a.book_ack(100).unwrap();
    a.skip(8000).unwrap();
    assert_eq!(a.next(100).unwrap(), [b'1'; 100]);
}

/// A refused call ended a booking.
#[test]
fn a_refused_call_leaves_a_booking_alone() {
    let mut b = LinkBuffer::new();
    b.book(1, 100).unwrap()[..3].copy_from_slice(b"abc");
    b.malloc_ack(5).unwrap_err();
    b.malloc(usize::MAX).unwrap_err();
    b.book_ack(3).unwrap();
    assert_eq!(b.next(3).unwrap(), b"abc");
}

/// A trimmed buffer remembered that it had searched for a long pattern, and took another's pattern for it.
#[test]
fn an_adopted_table_brings_no_search_along() {
    let mut a = LinkBuffer::new();
    a.write_binary(b"....PATTERN2PATTERN2........................")
        .unwrap();
    a.flush();
    a.until_bytes(b"nosuchpattern").unwrap_err();
    a.trim();
    let mut o = LinkBuffer::new();
    o.write_binary(b"zzzz").unwrap();
    o.flush();
    o.until_bytes(b"PATTERN2PATTERN2").unwrap_err();
    o.slot(4).unwrap();
    a.append(o).unwrap();
    assert_eq!(a.until_bytes(b"PATTERN2PATTERN2").unwrap().len(), 20);
}

/// Two chains see one block: the one that only views it touches no more than the count.
#[test]
fn two_chains_let_one_block_go_at_once() {
    for _ in 0..200 {
        let mut a = LinkBuffer::builder()
            .tail_policy(TailPolicy::Release)
            .build();
        a.write_binary(&[1; 8192]).unwrap();
        a.flush();
        let s = a.slice(8192).unwrap();
        let keep = s.clone();
        let mut b = LinkBuffer::new();
        b.append_slice(s).unwrap();
        b.flush();
        b.skip(8192).unwrap();
        let other = std::thread::spawn(move || b.release());
        a.release();
        other.join().unwrap();
        assert_eq!(keep, vec![1; 8192]);
    }
}

/// A discard went back into an appended node, and the scrubbed buffer then showed what the other one had left there.
#[test]
fn a_discard_into_an_appended_node_shows_a_scrubbed_buffer_nothing_old() {
    let mut used = LinkBuffer::new();
    used.write_binary(&b"SECRET".repeat(400)).unwrap();
    used.flush();
    used.skip(2400).unwrap();
    used.release();
    used.write_binary(b"0123456789").unwrap();
    used.write_owned(vec![0u8; 5000]).unwrap();
    let mut scrubbed = LinkBuffer::builder().scrub(true).build();
    scrubbed.append(used).unwrap();
    scrubbed.malloc_ack(5).unwrap();
    let room = scrubbed.malloc(600).unwrap();
    assert!(!room.windows(6).any(|w| w == b"SECRET"));
}

/// What a discarded write had opened again behind a published attached node was lost, and counted as pinned.
#[test]
fn room_behind_a_published_attached_node_survives_a_discard() {
    let alloc = Failing::new(Heap);
    let mut b = Builder::new_in(alloc.clone()).build();
    b.write_binary(b"head").unwrap();
    b.write_owned(vec![1; 5000]).unwrap();
    b.flush();
    alloc.plan().arm(0, true);
    assert!(matches!(
        b.write_binary(&[1; 100_000]),
        Err(Error::Alloc(_))
    ));
    b.write_byte(1).unwrap();
    b.malloc_ack(0).unwrap();
    assert_eq!(b.memory().pinned, 0);
    b.write_binary(&[2; 100]).unwrap();
    b.flush();
    assert_eq!(b.next(4).unwrap(), b"head");
    assert_eq!(b.next(5000).unwrap(), vec![1; 5000]);
    assert_eq!(b.next(100).unwrap(), [2; 100]);
}

/// A write that was refused had overwritten the booked room before.
#[test]
fn a_refused_write_leaves_what_was_booked() {
    let alloc = Failing::new(Heap);
    let mut b = Builder::new_in(alloc.clone()).build();
    b.book(10, 100).unwrap()[..10].fill(b'N');
    alloc.plan().arm(0, true);
    b.write_binary(&[b'w'; 100_000]).unwrap_err();
    alloc.plan().disarm();
    b.book_ack(10).unwrap();
    assert_eq!(b.next(10).unwrap(), [b'N'; 10]);
}

/// Discarding nothing ended a booking in a chain of one node, and not in others.
#[test]
fn a_discard_of_nothing_leaves_a_booking_alone() {
    for attached in [0, 5000] {
        let mut b = LinkBuffer::new();
        b.write_owned(vec![b'x'; attached]).unwrap();
        b.flush();
        b.book(10, 100).unwrap().fill(b'N');
        b.malloc_ack(0).unwrap();
        b.book_ack(5).unwrap();
        b.skip(attached).unwrap();
        assert_eq!(b.next(5).unwrap(), b"NNNNN");
    }
}

/// A large node with room, appended to a buffer with a smaller bound, was written to after a flush.
#[test]
fn a_large_node_before_an_appended_tail_is_sealed() {
    let mut large = LinkBuffer::builder()
        .node_size(64 << 10)
        .tail_policy(TailPolicy::Keep(1 << 20))
        .build();
    large.write_binary(b"head").unwrap();
    large.write_owned(vec![1; 5000]).unwrap();
    large.flush();
    let mut b = LinkBuffer::new();
    b.append(large).unwrap();
    let before = b.memory().live;
    b.write_owned(vec![1; 5000]).unwrap();
    b.flush();
    b.write_byte(2).unwrap();
    assert!(b.memory().live > before, "the byte is in a node of its own");
}

/// A message that was built apart cost two allocations, and four with a slot.
#[test]
fn a_staging_buffer_gets_a_node_for_the_one_it_gave() {
    for keep in [TailPolicy::Page, TailPolicy::Keep(64 << 10)] {
        let mut out = LinkBuffer::builder().tail_policy(keep).build();
        let mut message = LinkBuffer::builder().tail_policy(keep).build();
        for round in 0..20_u8 {
            let length = message.slot_be::<u16>().unwrap();
            message.write_binary(&[round; 100]).unwrap();
            message.fill_int(&length, 100).unwrap();
            out.append_from(&mut message).unwrap();
            out.flush();
            assert_eq!(out.next(2).unwrap(), [0, 100]);
            assert_eq!(out.next(100).unwrap(), [round; 100]);
            out.release();
            assert_eq!(message.memory().spare, if round == 0 { 0 } else { 3072 });
            assert!(out.memory().total() <= 64 << 10);
        }
    }
}

/// A booking without a minimum came back empty where the node was full: a read into it looks like the end of the stream.
#[test]
fn a_booking_is_never_empty_unless_asked_for() {
    let mut buf = LinkBuffer::builder().book_sizes(1, 1).build();
    for n in 0..20_000_u32 {
        let room = buf.book(0, 1).unwrap();
        assert_eq!(room.len(), 1, "booking {n}");
        room[0] = n.to_le_bytes()[0];
        buf.book_ack(1).unwrap();
    }
    assert_eq!(buf.len(), 20_000);
    assert_eq!(buf.book(0, 0).unwrap(), []);
}
