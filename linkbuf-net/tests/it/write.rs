//! One write call, and the loop of them.

use std::io::{self, ErrorKind, IoSlice, Write};

use linkbuf_core::LinkBuffer;
use linkbuf_net::{Error, MAX_PIECES, WriteOutcome, WriteStop, WriteTotal, write_some, write_to};

use crate::{
    choppy::{ALL, BLOCK, Choppy, INTERRUPT, Step, first},
    stream::{content, messages, pattern, small_nodes, write_pieces},
};

/// A buffer of many nodes that holds `bytes`.
fn pieces_of(bytes: &[u8]) -> LinkBuffer {
    let mut buf = small_nodes();
    write_pieces(&mut buf, bytes);
    buf
}

/// Fails the test when it is called.
struct Untouched;
impl Write for Untouched {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("the sink was called");
    }
    fn write_vectored(&mut self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        panic!("the sink was called");
    }
    fn flush(&mut self) -> io::Result<()> {
        panic!("the sink was flushed");
    }
}

#[test]
fn an_empty_buffer_makes_no_call() {
    let mut buf = LinkBuffer::new();
    assert_eq!(
        write_to(&mut buf, &mut Untouched).unwrap(),
        WriteOutcome::Empty
    );
    let total = write_some(&mut buf, &mut Untouched, 0).unwrap();
    assert_eq!(
        total,
        WriteTotal {
            bytes: 0,
            stop: WriteStop::Empty
        }
    );
}

#[test]
fn pending_bytes_are_not_written() {
    let mut buf = LinkBuffer::new();
    buf.write_binary(b"published").unwrap();
    buf.flush();
    buf.write_binary(b" pending").unwrap();
    let mut sink = Vec::new();
    assert_eq!(
        write_some(&mut buf, &mut sink, usize::MAX).unwrap().bytes,
        9
    );
    assert_eq!(sink, b"published");
    assert_eq!(buf.malloc_len(), 8);
    assert_eq!(write_to(&mut buf, &mut sink).unwrap(), WriteOutcome::Empty);
    buf.flush();
    assert!(write_to(&mut buf, &mut sink).is_ok());
    assert_eq!(sink, b"published pending");
}

#[test]
fn one_node_goes_out_by_a_plain_write() {
    /// Knows no vectored writes.
    struct Plain(Vec<u8>);
    impl Write for Plain {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }
        fn write_vectored(&mut self, _: &[IoSlice<'_>]) -> io::Result<usize> {
            panic!("one piece needs no array");
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut buf = LinkBuffer::new();
    buf.write_binary(b"one node").unwrap();
    buf.flush();
    let mut sink = Plain(Vec::new());
    assert!(write_to(&mut buf, &mut sink).is_ok());
    assert_eq!(sink.0, b"one node");
}

#[test]
fn several_nodes_go_out_in_one_call_and_in_order() {
    let stream = messages();
    let mut buf = pieces_of(&stream);
    let mut sink = Choppy::new(Vec::new());
    assert_eq!(
        write_to(&mut buf, &mut sink).unwrap(),
        WriteOutcome::Data {
            bytes: stream.len(),
            short: false
        }
    );
    assert_eq!(sink.inner, stream);
    assert_eq!(sink.offers.len(), 1);
    assert!(sink.offers[0].len() > 1);
}

#[test]
fn more_pieces_than_one_call_takes_go_out_in_several() {
    let stream = pattern(10_000);
    let mut buf = pieces_of(&stream);
    let nodes = buf.chunks().count();
    assert!(nodes > 2 * MAX_PIECES);
    let mut sink = Choppy::new(Vec::new());
    assert_eq!(
        write_some(&mut buf, &mut sink, usize::MAX).unwrap(),
        WriteTotal {
            bytes: stream.len(),
            stop: WriteStop::Empty
        }
    );
    assert_eq!(sink.inner, stream);
    assert!(sink.offers.iter().all(|offer| offer.len() <= MAX_PIECES));
    assert_eq!(sink.offers.len(), nodes.div_ceil(MAX_PIECES));
}

#[test]
fn a_short_write_at_every_border_loses_nothing() {
    let stream = messages();
    for border in 1..stream.len() {
        let mut buf = pieces_of(&stream);
        let mut sink = Choppy::new(Vec::new()).writes(first([Step::Cut(border)]));
        assert_eq!(
            write_to(&mut buf, &mut sink).unwrap(),
            WriteOutcome::Data {
                bytes: border,
                short: true
            }
        );
        assert_eq!(sink.inner, &stream[..border]);
        assert_eq!(content(&buf), &stream[border..]);
        assert!(write_some(&mut buf, &mut sink, usize::MAX).is_ok());
        assert_eq!(sink.inner, stream);
        assert!(buf.is_empty());
    }
}

#[test]
fn a_sink_that_takes_pieces_of_any_size_gets_everything() {
    let stream = messages();
    for size in 1..=stream.len() {
        let mut buf = pieces_of(&stream);
        let mut sink = Choppy::new(Vec::new()).writes(move |_| Step::Cut(size));
        let total = write_some(&mut buf, &mut sink, usize::MAX).unwrap();
        assert_eq!(
            total,
            WriteTotal {
                bytes: stream.len(),
                stop: WriteStop::Empty
            }
        );
        assert_eq!(sink.inner, stream, "size {size}");
    }
}

#[test]
fn interruptions_repeat_the_same_offer() {
    let stream = messages();
    for border in 1..stream.len() {
        let mut buf = pieces_of(&stream);
        let mut sink = Choppy::new(Vec::new()).writes(first([
            INTERRUPT,
            INTERRUPT,
            Step::Cut(border),
            INTERRUPT,
        ]));
        assert!(write_some(&mut buf, &mut sink, usize::MAX).is_ok());
        assert_eq!(sink.inner, stream, "border {border}");
        let offers = &sink.offers;
        assert_eq!(offers[0], offers[1]);
        assert_eq!(offers[1], offers[2]);
        assert_eq!(offers[3], offers[4]);
    }
}

#[test]
fn what_is_refused_stays_in_the_buffer() {
    let stream = messages();
    let offered = stream.len();
    let steps = [
        BLOCK,
        Step::Cut(0),
        Step::Lie(1),
        Step::Lie(usize::MAX / 2),
        Step::Fail(ErrorKind::BrokenPipe),
        Step::Fail(ErrorKind::ConnectionReset),
        Step::Fail(ErrorKind::ConnectionAborted),
        Step::Fail(ErrorKind::PermissionDenied),
    ];
    for step in steps {
        let mut buf = pieces_of(&stream);
        let mut sink = Choppy::new(Vec::new()).writes(first([step]));
        let result = write_to(&mut buf, &mut sink);
        match (step, &result) {
            (Step::Fail(ErrorKind::WouldBlock), Ok(WriteOutcome::WouldBlock)) => {}
            (Step::Cut(_), Err(Error::WriteZero { offered: n })) => assert_eq!(*n, offered),
            (
                Step::Lie(more),
                Err(Error::Overrun {
                    claimed,
                    offered: n,
                }),
            ) => {
                assert_eq!((*claimed, *n), (offered + more, offered));
            }
            (Step::Fail(kind @ ErrorKind::PermissionDenied), Err(Error::Io(e)))
            | (Step::Fail(kind), Err(Error::Reset(e))) => assert_eq!(e.kind(), kind),
            _ => panic!("{step:?}: {result:?}"),
        }
        assert_eq!(content(&buf), stream, "{step:?}");
        assert!(write_some(&mut buf, &mut sink, usize::MAX).is_ok());
        assert_eq!(sink.inner, stream, "{step:?}");
    }
}

#[test]
fn the_loop_stops_at_would_block_and_goes_on_later() {
    let stream = messages();
    for border in 1..stream.len() {
        let mut buf = pieces_of(&stream);
        let mut sink = Choppy::new(Vec::new()).writes(first([Step::Cut(border), BLOCK]));
        assert_eq!(
            write_some(&mut buf, &mut sink, usize::MAX).unwrap(),
            WriteTotal {
                bytes: border,
                stop: WriteStop::WouldBlock
            }
        );
        assert_eq!(content(&buf), &stream[border..]);
        assert_eq!(
            write_some(&mut buf, &mut sink, usize::MAX).unwrap().stop,
            WriteStop::Empty
        );
        assert_eq!(sink.inner, stream);
    }
}

#[test]
fn an_error_after_some_bytes_keeps_the_rest() {
    let stream = messages();
    let mut buf = pieces_of(&stream);
    let broken = Step::Fail(ErrorKind::BrokenPipe);
    let mut sink = Choppy::new(Vec::new()).writes(first([Step::Cut(77), broken]));
    let error = write_some(&mut buf, &mut sink, usize::MAX).unwrap_err();
    assert!(matches!(error, Error::Reset(_)));
    assert_eq!(content(&buf), &stream[77..]);
}

#[test]
fn the_budget_is_kept_to_the_byte() {
    let stream = messages();
    for budget in 0..stream.len() {
        let mut buf = pieces_of(&stream);
        let mut sink = Choppy::new(Vec::new());
        assert_eq!(
            write_some(&mut buf, &mut sink, budget).unwrap(),
            WriteTotal {
                bytes: budget,
                stop: WriteStop::Budget
            }
        );
        assert_eq!(sink.inner, &stream[..budget]);
        assert_eq!(content(&buf), &stream[budget..]);
    }
}

#[test]
fn attached_bytes_are_dropped_once_they_are_written() {
    use std::sync::Arc;
    let owner: Arc<[u8]> = pattern(100_000).into();
    let mut buf = LinkBuffer::new();
    buf.write_owned(Arc::clone(&owner)).unwrap();
    buf.flush();
    assert_eq!(Arc::strong_count(&owner), 2);

    let mut sink = Choppy::new(Vec::new()).writes(first([Step::Cut(99_999), ALL]));
    assert!(write_to(&mut buf, &mut sink).is_ok());
    assert_eq!(Arc::strong_count(&owner), 2, "one byte is still to be sent");
    assert!(write_to(&mut buf, &mut sink).is_ok());
    assert_eq!(Arc::strong_count(&owner), 1);
    assert_eq!(sink.inner, &owner[..]);
}
