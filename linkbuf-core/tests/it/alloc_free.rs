//! The steady state of what network programs do asks the heap for nothing.
//!
//! `FailingGlobal` counts every call for a new or a resized block: nodes, headers and tables alike.

use bytes::Bytes;
use linkbuf_core::{LinkBuffer, TailPolicy, testing::model::pattern};

use crate::support::heap_calls;

/// Asserts that `round` calls the heap no more once it is warm.
#[track_caller]
fn assert_steady(mut round: impl FnMut()) {
    for _ in 0..50 {
        round();
    }
    let calls = heap_calls(|| {
        for _ in 0..500 {
            round();
        }
    });
    assert_eq!(calls, 0, "heap calls in 500 rounds");
}

/// W1: append 64 B, flush, consume 64 B, release.
#[test]
fn small_writes_and_reads() {
    let mut buf = LinkBuffer::new();
    assert_steady(|| {
        buf.write_binary(&[7; 64]).unwrap();
        buf.flush();
        assert_eq!(buf.next(64).unwrap(), [7; 64]);
        buf.release();
    });
}

/// W2: reserve 128, fill and keep 70, consume, release.
#[test]
fn reserving_more_than_is_kept() {
    let mut buf = LinkBuffer::new();
    assert_steady(|| {
        buf.malloc(128).unwrap()[..70].fill(7);
        buf.malloc_ack(70).unwrap();
        buf.flush();
        assert_eq!(buf.next(70).unwrap(), [7; 70]);
        buf.release();
    });
}

/// A header slot, 32 fields of 12 bytes through an appender, and `payload`; exported and drained.
fn frame(buf: &mut LinkBuffer, payload: impl FnOnce(&mut LinkBuffer)) {
    let header = buf.slot_be::<u32>().unwrap();
    let mut fields = buf.appender(32 * 12).unwrap();
    for i in 0..32_u32 {
        fields.put_be(i).unwrap();
        fields.put(&[7; 8]).unwrap();
    }
    fields.commit();
    payload(buf);
    let len = buf.malloc_len() as u32;
    buf.fill_int(&header, len).unwrap();
    buf.flush();
    let mut out = [std::io::IoSlice::new(&[]); 64];
    let n = buf.io_slices(&mut out);
    let written: usize = out[..n].iter().map(|s| s.len()).sum();
    assert_eq!(written, len as usize);
    buf.skip(written).unwrap();
    buf.release();
}

/// W3: a frame whose payload is attached.
#[test]
fn frames_with_an_attached_payload() {
    let payload = Bytes::from(pattern(1, 16 << 10));
    let mut buf = LinkBuffer::new();
    assert_steady(|| {
        let value = payload.clone();
        frame(&mut buf, |buf| buf.write_owned(value).unwrap());
    });
}

/// The same with a payload in the middle of the fields, which are split for it.
#[test]
fn frames_with_an_inserted_payload() {
    let payload = Bytes::from(pattern(1, 16 << 10));
    let mut buf = LinkBuffer::new();
    assert_steady(|| {
        let value = payload.clone();
        frame(&mut buf, |buf| buf.write_direct(value, 100).unwrap());
    });
}

/// W4: a frame whose payload is copied.
#[test]
fn frames_with_a_copied_payload() {
    let payload = pattern(1, 16 << 10);
    let mut buf = LinkBuffer::builder()
        .tail_policy(TailPolicy::Keep(64 << 10))
        .build();
    assert_steady(|| frame(&mut buf, |buf| buf.write_binary(&payload).unwrap()));
}

/// W6: a slice cut and dropped.
#[test]
fn slices_of_one_node() {
    let mut buf = LinkBuffer::builder()
        .tail_policy(TailPolicy::Keep(64 << 10))
        .build();
    let content = pattern(1, 8 << 10);
    assert_steady(|| {
        buf.write_binary(&content).unwrap();
        buf.flush();
        while !buf.is_empty() {
            let slice = buf.slice(1024).unwrap();
            let part = slice.slice(100..200).unwrap();
            assert_eq!(part.clone().len(), 100);
        }
        buf.release();
    });
}

/// W7: find and consume lines of 100 B, some of them across nodes.
#[test]
fn scanning_lines() {
    let mut buf = LinkBuffer::builder()
        .node_size(8 << 10)
        .tail_policy(TailPolicy::Keep(256 << 10))
        .build();
    let mut line = [b'x'; 100];
    line[99] = b'\n';
    let lines = line.repeat(200);
    let mut round = || {
        // In two parts, so that nodes end within lines.
        buf.write_binary(&lines[..9050]).unwrap();
        buf.write_binary(&lines[9050..]).unwrap();
        buf.flush();
        for _ in 0..200 {
            assert_eq!(buf.until(b'\n').unwrap(), line);
            buf.release();
        }
        assert!(buf.is_empty());
    };
    assert_steady(&mut round);
}

/// W7 as it is measured: a long buffer that is only read, with the default policy.
#[test]
fn scanning_a_long_buffer() {
    let mut buf = LinkBuffer::builder().node_size(8 << 10).build();
    let mut line = [b'x'; 100];
    line[99] = b'\n';
    for part in line.repeat(6000).chunks(8 << 10) {
        buf.malloc(part.len()).unwrap().copy_from_slice(part);
    }
    buf.flush();
    let mut scan = |lines: usize| {
        for _ in 0..lines {
            assert_eq!(buf.until(b'\n').unwrap(), line);
            buf.release();
        }
    };
    scan(1000);
    assert_eq!(heap_calls(|| scan(4900)), 0);
}

/// W8: 1 MiB in by copies of 4 KiB, then out.
#[test]
fn bulk_in_and_out() {
    let piece = pattern(1, 4096);
    let mut dst = vec![0; 4096];
    let mut buf = LinkBuffer::builder()
        .tail_policy(TailPolicy::Keep(4 << 20))
        .build();
    let mut round = || {
        for _ in 0..256 {
            buf.write_binary(&piece).unwrap();
        }
        buf.flush();
        for _ in 0..256 {
            buf.read_into(&mut dst).unwrap();
            assert_eq!(dst, piece);
        }
        buf.release();
    };
    for _ in 0..3 {
        round();
    }
    let calls = heap_calls(|| {
        for _ in 0..10 {
            round();
        }
    });
    assert_eq!(calls, 0);
}

/// A socket's way: book, publish, read a message, answer.
#[test]
fn booked_reads() {
    let mut buf = LinkBuffer::new();
    assert_steady(|| {
        buf.book(512, 2048).unwrap()[..300].fill(7);
        buf.book_ack(300).unwrap();
        assert_eq!(buf.next(300).unwrap(), [7; 300]);
        buf.release();
    });
}

/// Reads that are gathered from several nodes.
#[test]
fn peeks_across_nodes() {
    let mut buf = LinkBuffer::builder()
        .node_size(256)
        .tail_policy(TailPolicy::Keep(16 << 10))
        .build();
    let content = pattern(1, 1000);
    assert_steady(|| {
        for piece in content.chunks(100) {
            buf.write_binary(piece).unwrap();
        }
        buf.flush();
        assert_eq!(buf.peek(300).unwrap(), &content[..300]);
        assert_eq!(buf.peek(900).unwrap(), &content[..900]);
        assert_eq!(buf.next(1000).unwrap(), content);
        buf.release();
    });
}

/// Each message is built apart, with a slot, and goes behind others.
#[test]
fn messages_from_a_staging_buffer() {
    let (mut out, mut message) = (LinkBuffer::new(), LinkBuffer::new());
    assert_steady(|| {
        let length = message.slot_be::<u32>().unwrap();
        message.write_binary(&[7; 100]).unwrap();
        message.fill_int(&length, 100).unwrap();
        out.append_from(&mut message).unwrap();
        out.flush();
        assert_eq!(out.next(104).unwrap()[..4], [0, 0, 0, 100]);
        out.release();
    });
}
