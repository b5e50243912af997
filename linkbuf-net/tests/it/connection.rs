//! A connection: what it holds, what it refuses, how it ends.

use std::io::{self, ErrorKind, Read, Write};

use linkbuf_core::LinkBuffer;
use linkbuf_net::{
    Connection, Error, Limits, ReadOutcome, ReadStop, ReadTotal, WriteStop, WriteTotal,
};

use crate::{
    choppy::{BLOCK, Choppy, INTERRUPT, Step, first},
    stream::{content, pattern, small_nodes},
};

/// Reads from one place, writes to another, and says when it was flushed.
#[derive(Debug, Default)]
struct Ends {
    source: io::Cursor<Vec<u8>>,
    sink: Vec<u8>,
    /// What the next flushes say; then they succeed.
    flushes: Vec<ErrorKind>,
    flushed: usize,
}

impl Ends {
    fn with(source: &[u8]) -> Self {
        Ends {
            source: io::Cursor::new(source.to_vec()),
            ..Ends::default()
        }
    }
}

impl Read for Ends {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.source.read(room)
    }
}

impl Write for Ends {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        if let Some(kind) = self.flushes.pop() {
            return Err(kind.into());
        }
        self.flushed = self.sink.len();
        Ok(())
    }
}

#[test]
fn the_end_is_remembered_and_not_asked_for_again() {
    let mut conn = Connection::new(Choppy::new(Ends::with(b"abc")));
    assert!(conn.wants_read());
    assert!(matches!(conn.fill().unwrap(), ReadOutcome::Data { .. }));
    assert!(!conn.is_ended());
    assert_eq!(conn.fill().unwrap(), ReadOutcome::End);
    assert!(conn.is_ended());
    assert!(!conn.wants_read());
    let calls = conn.stream().rooms.len();
    assert_eq!(conn.fill().unwrap(), ReadOutcome::End);
    let ended = ReadTotal {
        bytes: 0,
        stop: ReadStop::End,
    };
    assert_eq!(conn.fill_some(100).unwrap(), ended);
    assert_eq!(conn.stream().rooms.len(), calls);
    assert_eq!(content(conn.input()), b"abc");
}

#[test]
fn would_block_is_not_the_end() {
    let stream = Choppy::new(Ends::with(b"abc")).reads(first([BLOCK, BLOCK]));
    let mut conn = Connection::new(stream);
    assert_eq!(conn.fill().unwrap(), ReadOutcome::WouldBlock);
    assert_eq!(
        conn.fill_some(10).unwrap(),
        ReadTotal {
            bytes: 0,
            stop: ReadStop::WouldBlock
        }
    );
    assert!(!conn.is_ended());
    assert!(conn.wants_read());
    assert!(conn.fill().is_ok());
    assert_eq!(content(conn.input()), b"abc");
}

#[test]
fn no_more_unread_bytes_are_held_than_the_limit() {
    let stream = pattern(500);
    for limit in 1..200 {
        let mut conn = Connection::with_buffers(Ends::with(&stream), small_nodes(), small_nodes())
            .with_limits(Limits::new().max_input(limit));
        while conn.wants_read() {
            assert!(conn.fill_some(usize::MAX).is_ok());
            assert!(conn.input().len() <= limit);
        }
        let before = content(conn.input());
        assert_eq!(before, &stream[..limit]);
        for _ in 0..2 {
            match conn.fill().unwrap_err() {
                Error::InputFull { held, limit: l } => assert_eq!((held, l), (limit, limit)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(content(conn.input()), before);

        // Consuming makes room again, for exactly as much.
        conn.input_mut().skip(1).unwrap();
        assert!(conn.wants_read());
        assert_eq!(
            conn.fill().unwrap(),
            ReadOutcome::Data {
                bytes: 1,
                short: false
            }
        );
        assert_eq!(content(conn.input()), &stream[1..=limit]);
    }
}

#[test]
fn input_that_is_over_the_limit_from_the_start_is_refused_too() {
    let mut input = LinkBuffer::new();
    input.write_binary(&[1; 100]).unwrap();
    input.flush();
    let mut conn = Connection::with_buffers(Ends::default(), input, LinkBuffer::new())
        .with_limits(Limits::new().max_input(10));
    let error = conn.fill().unwrap_err();
    assert!(matches!(
        error,
        Error::InputFull {
            held: 100,
            limit: 10
        }
    ));
}

#[test]
fn unsent_output_stops_the_reading() {
    let stream = Choppy::new(Ends::with(b"request")).writes(first([Step::Cut(60), BLOCK]));
    let mut conn = Connection::new(stream).with_limits(Limits::new().max_output(100));
    conn.output_mut().write_binary(&[1; 99]).unwrap();
    assert!(conn.wants_read());
    // Pending bytes count as well, and the limit itself is too much.
    conn.output_mut().write_byte(2).unwrap();
    assert!(!conn.wants_read());
    conn.output_mut().write_binary(&[2; 59]).unwrap();
    assert!(!conn.wants_read());
    let error = conn.fill().unwrap_err();
    assert!(matches!(
        error,
        Error::OutputFull {
            held: 159,
            limit: 100
        }
    ));
    assert!(conn.input().is_empty());

    assert_eq!(conn.flush().unwrap().stop, WriteStop::WouldBlock);
    assert!(conn.wants_write());
    assert!(conn.wants_read(), "99 are left");
    assert!(conn.fill().is_ok());
    assert_eq!(content(conn.input()), b"request");
}

#[test]
fn memory_that_slices_hold_counts() {
    let stream = pattern(1 << 20);
    let mut conn =
        Connection::new(Ends::with(&stream)).with_limits(Limits::new().max_memory(256 << 10));
    let mut kept = Vec::new();
    let error = loop {
        match conn.fill() {
            Ok(ReadOutcome::Data { .. }) => {
                let input = conn.input_mut();
                kept.push(input.slice(input.len()).unwrap());
            }
            Ok(other) => panic!("no limit before {other:?}"),
            Err(e) => break e,
        }
    };
    match error {
        Error::MemoryFull { held, limit } => {
            assert_eq!(limit, 256 << 10);
            assert!(held >= limit);
            assert!(held < 2 * limit, "{held}");
        }
        other => panic!("{other:?}"),
    }
    assert!(conn.input().is_empty());
    assert!(!conn.wants_read());

    drop(kept);
    assert!(conn.fill().is_ok(), "nothing is pinned any more");
}

#[test]
fn what_was_read_is_given_back_at_the_next_fill() {
    let mut conn = Connection::new(Ends::with(&pattern(1 << 20)));
    let mut most = 0;
    while let ReadOutcome::Data { .. } = conn.fill().unwrap() {
        let input = conn.input_mut();
        input.skip(input.len()).unwrap();
        most = most.max(input.memory().total());
    }
    assert!(most <= 256 << 10, "{most} bytes held of a drained stream");
}

#[test]
fn a_flush_publishes_and_sends_all() {
    let mut conn = Connection::new(Ends::default());
    conn.output_mut().write_binary(b"abc").unwrap();
    assert!(!conn.wants_write(), "nothing is published");
    let total = conn.flush().unwrap();
    assert_eq!(
        total,
        WriteTotal {
            bytes: 3,
            stop: WriteStop::Empty
        }
    );
    assert!(!conn.wants_write());
    assert_eq!(conn.stream().sink, b"abc");
    assert_eq!(conn.stream().flushed, 3);
}

#[test]
fn a_flush_with_a_budget_goes_on_where_it_stopped() {
    let bytes = pattern(1000);
    for budget in [1, 7, 64, 999, 1000, 1001] {
        let mut conn = Connection::with_buffers(Ends::default(), small_nodes(), small_nodes());
        conn.output_mut().write_binary(&bytes).unwrap();
        let mut calls = 0;
        loop {
            let total = conn.flush_some(budget).unwrap();
            assert!(total.bytes <= budget);
            calls += 1;
            if total.stop == WriteStop::Empty {
                break;
            }
            assert_eq!(total.stop, WriteStop::Budget);
            assert!(conn.wants_write());
        }
        assert_eq!(calls, 1000_usize.div_ceil(budget));
        assert_eq!(conn.stream().sink, bytes);
    }
}

#[test]
fn a_stream_that_buffers_is_flushed_until_it_has_sent_all() {
    let mut conn = Connection::new(Ends {
        flushes: vec![ErrorKind::WouldBlock, ErrorKind::Interrupted],
        ..Ends::default()
    });
    conn.output_mut().write_binary(b"abc").unwrap();
    assert_eq!(conn.flush().unwrap().stop, WriteStop::WouldBlock);
    assert!(conn.output().is_empty());
    assert!(conn.wants_write(), "the stream itself still holds bytes");
    assert_eq!(conn.flush().unwrap().stop, WriteStop::Empty);
    assert!(!conn.wants_write());
    assert_eq!(conn.stream().flushed, 3);
}

#[test]
fn errors_keep_the_connection_and_its_bytes() {
    let stream = Choppy::new(Ends::with(b"abcdef"))
        .reads(first([
            Step::Cut(3),
            Step::Fail(ErrorKind::ConnectionReset),
            INTERRUPT,
        ]))
        .writes(first([Step::Cut(2), Step::Fail(ErrorKind::BrokenPipe)]));
    let mut conn = Connection::new(stream);
    assert!(conn.fill().is_ok());
    assert!(matches!(conn.fill(), Err(Error::Reset(_))));
    assert_eq!(content(conn.input()), b"abc");
    assert!(!conn.is_ended());

    conn.output_mut().write_binary(b"answer").unwrap();
    assert!(matches!(conn.flush(), Err(Error::Reset(_))));
    assert_eq!(content(conn.output()), b"swer");
    let (stream, input, output) = conn.into_parts();
    assert_eq!(stream.inner.sink, b"an");
    assert_eq!((input.len(), output.len()), (3, 4));
}

#[test]
fn its_debug_form_shows_lengths_and_not_bytes() {
    let mut conn = Connection::new(());
    conn.output_mut().write_binary(b"password").unwrap();
    let shown = format!("{conn:?}");
    assert!(!shown.contains("password"), "{shown}");
    conn.output_mut().flush();
    assert!(format!("{conn:?}").contains("unsent: 8"));
}

#[test]
fn errors_become_io_errors_that_keep_kind_and_cause() {
    let reset = Error::Reset(ErrorKind::ConnectionReset.into());
    assert_eq!(io::Error::from(reset).kind(), ErrorKind::ConnectionReset);
    let full = Error::InputFull { held: 9, limit: 8 };
    let text = full.to_string();
    assert!(text.contains('9') && text.contains('8'), "{text}");
    let full = io::Error::from(full);
    assert_eq!(full.to_string(), text);
    let inner = full.get_ref().unwrap().downcast_ref::<Error>();
    assert!(matches!(
        inner,
        Some(Error::InputFull { held: 9, limit: 8 })
    ));
    assert_eq!(
        io::Error::from(Error::WriteZero { offered: 1 }).kind(),
        ErrorKind::WriteZero
    );
}
