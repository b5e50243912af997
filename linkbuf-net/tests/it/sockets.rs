//! Real sockets: every outcome as the system gives it.

use std::{
    io::{Read, Write},
    net::{self, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use linkbuf_core::LinkBuffer;
use linkbuf_net::{
    Connection, Error, ReadOutcome, ReadStop, ReadTotal, WriteStop, read_from, read_some,
    write_some,
};
use socket2::SockRef;

use crate::{
    choppy::{Choppy, INTERRUPT, Step, first},
    stream::{content, messages, pattern, small_nodes, write_pieces},
};

/// Two ends of one TCP connection.
pub(crate) fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (other, address) = listener.accept().unwrap();
    assert_eq!(
        address,
        one.local_addr().unwrap(),
        "somebody else connected"
    );
    one.set_nodelay(true).unwrap();
    other.set_nodelay(true).unwrap();
    (one, other)
}

/// Ends the connection the hard way: the peer sees a reset.
fn reset(stream: TcpStream) {
    SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(stream);
}

#[test]
fn a_stream_cut_at_every_border_crosses_a_socket_whole() {
    let stream = messages();
    let (one, other) = tcp_pair();
    let mut buf = small_nodes();
    let mut source = Choppy::new(other);
    let mut output = small_nodes();
    let mut sink = Choppy::new(one);
    for border in 1..stream.len() {
        // Cut there on the way out, and one byte further on the way in.
        let sent = sink.offers.len();
        sink = sink.writes(move |call| match call - sent {
            0 => Step::Cut(border),
            1 => INTERRUPT,
            _ => Step::Cut(usize::MAX),
        });
        write_pieces(&mut output, &stream);
        let total = write_some(&mut output, &mut sink, usize::MAX).unwrap();
        assert_eq!((total.bytes, total.stop), (stream.len(), WriteStop::Empty));

        let read = source.rooms.len();
        source = source.reads(move |call| match call - read {
            0 => Step::Cut(border + 1),
            1 => INTERRUPT,
            _ => Step::Cut(usize::MAX),
        });
        while buf.len() < stream.len() {
            assert!(matches!(
                read_from(&mut buf, &mut source).unwrap(),
                ReadOutcome::Data { .. }
            ));
        }
        assert_eq!(content(&buf), stream, "border {border}");
        buf.clear();
    }
}

#[test]
fn a_peer_that_sends_byte_by_byte_is_understood() {
    let stream = messages();
    let (mut one, other) = tcp_pair();
    let sent = stream.clone();
    let peer = thread::spawn(move || {
        for byte in sent {
            one.write_all(&[byte]).unwrap();
        }
    });
    let mut conn = Connection::with_buffers(other, small_nodes(), small_nodes());
    while conn.fill().unwrap() != ReadOutcome::End {}
    assert_eq!(content(conn.input()), stream);
    peer.join().unwrap();
}

#[test]
fn five_bytes_then_the_end_of_a_socket() {
    let (mut one, mut other) = tcp_pair();
    one.write_all(b"hello").unwrap();
    drop(one);
    let mut buf = LinkBuffer::new();
    assert_eq!(
        read_from(&mut buf, &mut other).unwrap(),
        ReadOutcome::Data {
            bytes: 5,
            short: true
        }
    );
    assert_eq!(read_from(&mut buf, &mut other).unwrap(), ReadOutcome::End);
    assert_eq!(content(&buf), b"hello");
}

#[test]
fn an_empty_socket_would_block() {
    let (_one, mut other) = tcp_pair();
    other.set_nonblocking(true).unwrap();
    let mut buf = LinkBuffer::new();
    assert_eq!(
        read_from(&mut buf, &mut other).unwrap(),
        ReadOutcome::WouldBlock
    );
    assert_eq!(
        read_some(&mut buf, &mut other, 100).unwrap(),
        ReadTotal {
            bytes: 0,
            stop: ReadStop::WouldBlock
        }
    );
    assert!(buf.is_empty());
}

#[test]
fn a_read_timeout_of_a_blocking_socket_would_block() {
    let (mut one, other) = tcp_pair();
    other
        .set_read_timeout(Some(Duration::from_millis(1)))
        .unwrap();
    let mut conn = Connection::new(other);
    assert_eq!(conn.fill().unwrap(), ReadOutcome::WouldBlock);
    assert!(!conn.is_ended());
    one.write_all(b"late").unwrap();
    while conn.fill().unwrap() == ReadOutcome::WouldBlock {}
    assert_eq!(content(conn.input()), b"late");
}

#[test]
fn a_full_socket_would_block_and_takes_the_rest_later() {
    let (mut one, mut other) = tcp_pair();
    one.set_nonblocking(true).unwrap();
    let bytes = pattern(16 << 20);
    let mut buf = LinkBuffer::new();
    buf.write_owned(bytes.clone()).unwrap();
    buf.flush();
    // The kernel may still move bytes to the peer's side and make room again, so the end of room is waited for.
    let mut total = 0;
    loop {
        let some = write_some(&mut buf, &mut one, usize::MAX).unwrap();
        assert_eq!(some.stop, WriteStop::WouldBlock);
        total += some.bytes;
        if some.bytes == 0 {
            break;
        }
    }
    assert!(total > 0);
    assert_eq!(buf.len(), bytes.len() - total);

    let reader = thread::spawn(move || {
        let mut got = Vec::new();
        other.read_to_end(&mut got).unwrap();
        got
    });
    while write_some(&mut buf, &mut one, usize::MAX).unwrap().stop != WriteStop::Empty {
        thread::yield_now();
    }
    drop(one);
    assert_eq!(reader.join().unwrap(), bytes);
}

#[test]
fn a_reset_while_reading_is_not_the_end() {
    let (mut one, other) = tcp_pair();
    one.write_all(b"abc").unwrap();
    let mut conn = Connection::new(other);
    assert!(conn.fill().is_ok());
    reset(one);
    match conn.fill().unwrap_err() {
        Error::Reset(e) => assert_eq!(e.kind(), std::io::ErrorKind::ConnectionReset),
        other => panic!("{other:?}"),
    }
    assert_eq!(content(conn.input()), b"abc");
    assert!(!conn.is_ended());
}

#[test]
fn a_reset_while_writing_is_told() {
    let (one, other) = tcp_pair();
    reset(one);
    let mut conn = Connection::new(other);
    // The first writes may be taken before the system has noticed.
    let error = loop {
        conn.output_mut().write_binary(&[7; 10_000]).unwrap();
        match conn.flush() {
            Ok(_) => {}
            Err(e) => break e,
        }
    };
    assert!(matches!(error, Error::Reset(_)), "{error:?}");
    assert!(!conn.output().is_empty());
}

#[test]
fn finish_ends_one_direction_only() {
    let (one, other) = tcp_pair();
    let (mut client, mut server) = (Connection::new(one), Connection::new(other));
    client.output_mut().write_string("request").unwrap();
    assert_eq!(client.finish().unwrap().stop, WriteStop::Empty);

    while server.fill().unwrap() != ReadOutcome::End {}
    assert_eq!(content(server.input()), b"request");
    server.output_mut().write_string("answer").unwrap();
    assert_eq!(server.finish().unwrap().stop, WriteStop::Empty);

    while client.fill().unwrap() != ReadOutcome::End {}
    assert_eq!(content(client.input()), b"answer");
}

#[test]
fn finish_does_not_end_before_all_is_sent() {
    let (one, mut other) = tcp_pair();
    one.set_nonblocking(true).unwrap();
    let bytes = pattern(16 << 20);
    let mut conn = Connection::new(one);
    conn.output_mut().write_owned(bytes.clone()).unwrap();
    assert_eq!(conn.finish().unwrap().stop, WriteStop::WouldBlock);
    let reader = thread::spawn(move || {
        let mut got = Vec::new();
        other.read_to_end(&mut got).unwrap();
        got
    });
    while conn.finish().unwrap().stop != WriteStop::Empty {
        thread::yield_now();
    }
    assert_eq!(reader.join().unwrap(), bytes);
}

#[test]
fn shutdown_of_both_directions_ends_the_peer() {
    let (one, other) = tcp_pair();
    let mut conn = Connection::new(&one);
    conn.shutdown(net::Shutdown::Both).unwrap();
    assert_eq!(conn.fill().unwrap(), ReadOutcome::End);
    let mut peer = Connection::new(other);
    assert_eq!(peer.fill().unwrap(), ReadOutcome::End);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn short_reads_and_writes_on_a_socket_pair() {
        let stream = messages();
        for size in 1..=stream.len() {
            let (one, other) = UnixStream::pair().unwrap();
            let one = Choppy::new(one).writes(move |_| Step::Cut(size));
            let other = Choppy::new(other).reads(move |_| Step::Cut(stream_cut(size)));
            let mut client = Connection::with_buffers(one, small_nodes(), small_nodes());
            let mut server = Connection::with_buffers(other, small_nodes(), small_nodes());
            client.output_mut().write_binary(&stream).unwrap();
            assert_eq!(client.finish().unwrap().stop, WriteStop::Empty);
            while server.fill().unwrap() != ReadOutcome::End {}
            assert_eq!(content(server.input()), stream, "size {size}");
        }
    }

    /// Another size for the way in, so that the borders differ.
    fn stream_cut(size: usize) -> usize {
        1 + size * 7 % 61
    }

    #[test]
    fn interruptions_on_a_socket_pair() {
        let (one, other) = UnixStream::pair().unwrap();
        let one = Choppy::new(one).writes(first([INTERRUPT, Step::Cut(1), INTERRUPT]));
        let other = Choppy::new(other).reads(first([INTERRUPT, Step::Cut(2), INTERRUPT]));
        let (mut client, mut server) = (Connection::new(one), Connection::new(other));
        client.output_mut().write_binary(b"hello").unwrap();
        assert_eq!(client.finish().unwrap().bytes, 5);
        while server.fill().unwrap() != ReadOutcome::End {}
        assert_eq!(content(server.input()), b"hello");
    }

    #[test]
    fn a_closed_peer_breaks_the_pipe() {
        let (one, other) = UnixStream::pair().unwrap();
        drop(one);
        let mut conn = Connection::new(other);
        conn.output_mut().write_binary(b"hello").unwrap();
        match conn.flush().unwrap_err() {
            Error::Reset(e) => assert_eq!(e.kind(), std::io::ErrorKind::BrokenPipe),
            other => panic!("{other:?}"),
        }
        assert_eq!(content(conn.output()), b"hello");
    }
}
