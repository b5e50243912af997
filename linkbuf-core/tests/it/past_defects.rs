//! Sequences that went wrong in this buffer once, found by review. A test for each.

use std::io::IoSliceMut;

use linkbuf_core::{LinkBuffer, TailPolicy};

/// A gather between a vectored booking and its acknowledgement took the booked spare.
#[test]
fn a_booked_spare_is_left_alone_by_a_gather() {
    let mut b = LinkBuffer::builder()
        .node_size(512)
        .tail_policy(TailPolicy::Keep(64 << 10))
        .build();
    for _ in 0..6 {
        b.malloc(512).unwrap().fill(b'S');
    }
    b.flush();
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
