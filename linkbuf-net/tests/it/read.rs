//! One read call, and the loop of them.

use std::{
    io::{self, ErrorKind, Read},
    num::NonZeroUsize,
};

use linkbuf_core::LinkBuffer;
use linkbuf_net::{Error, ReadOutcome, ReadStop, ReadTotal, read_at_most, read_from, read_some};

use crate::{
    choppy::{ALL, BLOCK, Choppy, INTERRUPT, Step, first},
    stream::{content, messages, pattern, small_nodes},
};

fn some(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

/// Fails the test when it is called.
struct Untouched;
impl Read for Untouched {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        panic!("the source was called");
    }
}

#[test]
fn five_bytes_then_the_end() {
    let mut buf = LinkBuffer::new();
    let mut source = &b"hello"[..];
    assert_eq!(
        read_from(&mut buf, &mut source).unwrap(),
        ReadOutcome::Data {
            bytes: 5,
            short: true
        }
    );
    assert_eq!(read_from(&mut buf, &mut source).unwrap(), ReadOutcome::End);
    assert_eq!(content(&buf), b"hello");
}

#[test]
fn the_end_comes_again_when_asked_again() {
    let mut buf = LinkBuffer::new();
    for _ in 0..3 {
        assert_eq!(
            read_from(&mut buf, &mut io::empty()).unwrap(),
            ReadOutcome::End
        );
    }
    assert!(buf.is_empty());
}

#[test]
fn a_stream_cut_at_every_border_arrives_whole() {
    let stream = messages();
    for border in 1..=stream.len() {
        let mut buf = LinkBuffer::new();
        let mut source = Choppy::new(&stream[..]).reads(first([Step::Cut(border)]));
        assert!(read_from(&mut buf, &mut source).is_ok());
        assert_eq!(content(&buf), &stream[..border]);
        while read_from(&mut buf, &mut source).unwrap() != ReadOutcome::End {}
        assert_eq!(content(&buf), stream, "border {border}");
    }
}

#[test]
fn a_stream_in_pieces_of_every_size_arrives_whole() {
    let stream = messages();
    for size in 1..=stream.len() {
        let mut buf = small_nodes();
        let mut source = Choppy::new(&stream[..]).reads(move |_| Step::Cut(size));
        let mut bytes = 0;
        while let ReadOutcome::Data { bytes: n, .. } = read_from(&mut buf, &mut source).unwrap() {
            assert!(n <= size);
            bytes += n;
        }
        assert_eq!(bytes, stream.len());
        assert_eq!(content(&buf), stream, "size {size}");
    }
}

#[test]
fn interruptions_between_book_and_ack_keep_the_booking() {
    let stream = messages();
    for border in 1..stream.len() {
        let mut buf = small_nodes();
        // After the border, and again after the call that follows it, signals arrive.
        let mut source = Choppy::new(&stream[..]).reads(first([
            Step::Cut(border),
            INTERRUPT,
            INTERRUPT,
            Step::Cut(1),
            INTERRUPT,
        ]));
        while read_from(&mut buf, &mut source).unwrap() != ReadOutcome::End {}
        assert_eq!(content(&buf), stream, "border {border}");
        let rooms = &source.rooms;
        assert_eq!(rooms[1], rooms[2], "the same room again");
        assert_eq!(rooms[2], rooms[3], "the same room again");
        assert_eq!(rooms[4], rooms[5], "the same room again");
    }
}

#[test]
fn would_block_changes_nothing() {
    let mut buf = small_nodes();
    let mut source = Choppy::new(&b"abcdef"[..]).reads(first([Step::Cut(3), BLOCK, BLOCK]));
    let data = ReadOutcome::Data {
        bytes: 3,
        short: true,
    };
    assert_eq!(read_from(&mut buf, &mut source).unwrap(), data);
    for _ in 0..2 {
        assert_eq!(
            read_from(&mut buf, &mut source).unwrap(),
            ReadOutcome::WouldBlock
        );
        assert_eq!(content(&buf), b"abc");
        assert!(buf.book_ack(1).is_err(), "no booking is left");
    }
    assert_eq!(read_from(&mut buf, &mut source).unwrap(), data);
    assert_eq!(content(&buf), b"abcdef");
}

#[test]
fn a_peer_that_is_gone_is_told_from_other_errors() {
    for kind in [
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::BrokenPipe,
    ] {
        let mut buf = LinkBuffer::new();
        let mut source = Choppy::new(&b"abc"[..]).reads(first([ALL, Step::Fail(kind)]));
        assert!(read_from(&mut buf, &mut source).is_ok());
        match read_from(&mut buf, &mut source).unwrap_err() {
            Error::Reset(e) => assert_eq!(e.kind(), kind),
            other => panic!("{other:?}"),
        }
        assert_eq!(content(&buf), b"abc");
    }
    for kind in [
        ErrorKind::TimedOut,
        ErrorKind::NotConnected,
        ErrorKind::OutOfMemory,
        ErrorKind::Other,
    ] {
        let mut buf = LinkBuffer::new();
        let mut source = Choppy::new(&b"abc"[..]).reads(move |_| Step::Fail(kind));
        match read_from(&mut buf, &mut source).unwrap_err() {
            Error::Io(e) => assert_eq!(e.kind(), kind),
            other => panic!("{other:?}"),
        }
        assert!(buf.is_empty());
    }
}

#[test]
fn a_source_that_claims_more_than_its_room_is_an_error() {
    for more in [1, usize::MAX / 2] {
        let mut buf = LinkBuffer::new();
        let mut source = Choppy::new(&b"abcdef"[..]).reads(first([Step::Cut(3), Step::Lie(more)]));
        assert!(read_from(&mut buf, &mut source).is_ok());
        match read_from(&mut buf, &mut source).unwrap_err() {
            Error::Overrun { claimed, offered } => {
                assert_eq!(offered, source.rooms[1].1);
                assert_eq!(claimed, offered + more);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(content(&buf), b"abc");
        assert!(read_from(&mut buf, &mut source).is_ok());
        assert_eq!(content(&buf), b"abcdef");
    }
}

#[test]
fn a_read_is_refused_while_pending_bytes_are_in_the_way() {
    let mut buf = LinkBuffer::new();
    buf.write_binary(b"pending").unwrap();
    let error = read_from(&mut buf, &mut Untouched).unwrap_err();
    assert!(matches!(
        error,
        Error::Buffer(linkbuf_core::Error::PendingInTheWay { pending: 7 })
    ));
    buf.flush();
    assert_eq!(content(&buf), b"pending");
}

#[test]
fn a_limited_read_takes_no_byte_more() {
    let stream = messages();
    for max in 1..=stream.len() {
        let mut buf = small_nodes();
        let mut source = Choppy::new(&stream[..]);
        let outcome = read_at_most(&mut buf, &mut source, some(max)).unwrap();
        let ReadOutcome::Data { bytes, .. } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(bytes <= max);
        assert_eq!(source.inner, &stream[bytes..]);
        assert_eq!(content(&buf), &stream[..bytes]);
    }
}

#[test]
fn a_room_is_not_so_small_that_it_wastes_a_call() {
    let stream = pattern(100_000);
    let mut buf = LinkBuffer::new();
    let mut source = Choppy::new(&stream[..]);
    while read_from(&mut buf, &mut source).unwrap() != ReadOutcome::End {}
    assert_eq!(content(&buf), stream);
    let least = source.room_lengths().into_iter().min().unwrap();
    assert!(least >= 1024, "{least}");
}

#[test]
fn a_short_read_saves_the_call_that_would_find_nothing() {
    let mut buf = LinkBuffer::new();
    let mut source = Choppy::new(&b"hello"[..]);
    let total = read_some(&mut buf, &mut source, 65_536).unwrap();
    assert_eq!(
        total,
        ReadTotal {
            bytes: 5,
            stop: ReadStop::Short
        }
    );
    assert_eq!(source.rooms.len(), 1);
}

#[test]
fn full_rooms_are_followed_by_more_calls() {
    let stream = pattern(10_000);
    let mut buf = small_nodes();
    let mut source = Choppy::new(&stream[..]);
    let total = read_some(&mut buf, &mut source, usize::MAX).unwrap();
    assert_eq!(total.bytes, 10_000);
    assert_eq!(content(&buf), stream);
    assert!(source.rooms.len() >= 10_000 / 128);
    assert!(matches!(total.stop, ReadStop::Short | ReadStop::End));
}

#[test]
fn the_budget_is_kept_to_the_byte() {
    let stream = pattern(3000);
    for budget in (0..=3000).step_by(50) {
        let mut buf = small_nodes();
        let mut source = Choppy::new(&stream[..]);
        let total = read_some(&mut buf, &mut source, budget).unwrap();
        assert_eq!(
            total,
            ReadTotal {
                bytes: budget,
                stop: ReadStop::Budget
            }
        );
        assert_eq!(source.inner.len(), 3000 - budget);
        assert_eq!(content(&buf), &stream[..budget]);
    }
}

#[test]
fn no_budget_means_no_call() {
    let total = read_some(&mut LinkBuffer::new(), &mut Untouched, 0).unwrap();
    assert_eq!(
        total,
        ReadTotal {
            bytes: 0,
            stop: ReadStop::Budget
        }
    );
}

#[test]
fn the_loop_names_what_stopped_it_and_keeps_what_came() {
    let stream = pattern(10_000);
    // The first call fills its room, the second meets the step.
    let stops = [
        (BLOCK, Some(ReadStop::WouldBlock)),
        (Step::Cut(0), Some(ReadStop::End)),
        (Step::Cut(1), Some(ReadStop::Short)),
        (Step::Fail(ErrorKind::ConnectionReset), None),
        (Step::Lie(1), None),
    ];
    for (step, expected) in stops {
        let mut buf = small_nodes();
        let mut source = Choppy::new(&stream[..]).reads(first([ALL, step]));
        let result = read_some(&mut buf, &mut source, usize::MAX);
        assert_eq!(result.as_ref().ok().map(|t| t.stop), expected, "{step:?}");
        let read = 10_000 - source.inner.len();
        assert!(read >= 32);
        assert_eq!(content(&buf), &stream[..read]);
        if let Ok(total) = result {
            assert_eq!(total.bytes, read);
        }
    }
}

#[test]
fn rooms_grow_with_the_reads_and_shrink_again() {
    let mut buf = LinkBuffer::new();
    let mut source = Choppy::new(io::repeat(7)).reads(|call| match call {
        0..=9 => ALL,
        _ => Step::Cut(10),
    });
    for _ in 0..40 {
        assert!(read_from(&mut buf, &mut source).is_ok());
        buf.clear();
    }
    let rooms = source.room_lengths();
    assert!(rooms[9] >= 2 * rooms[0], "grown: {rooms:?}");
    assert!(rooms[39] <= rooms[0], "shrunk: {rooms:?}");
}

#[test]
fn full_reads_of_a_limited_room_do_not_make_later_rooms_small() {
    let mut buf = LinkBuffer::new();
    let mut source = Choppy::new(io::repeat(7));
    for _ in 0..20 {
        assert!(read_from(&mut buf, &mut source).is_ok());
        buf.clear();
    }
    for _ in 0..20 {
        assert!(read_at_most(&mut buf, &mut source, some(10)).is_ok());
        buf.clear();
    }
    assert!(read_from(&mut buf, &mut source).is_ok());
    let rooms = source.room_lengths();
    assert!(rooms[40] >= rooms[19], "{rooms:?}");
}
