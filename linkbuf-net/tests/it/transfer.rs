//! Much data both ways at once, through small socket buffers, with everything that can go wrong going wrong.

use std::{
    io::{ErrorKind, Read, Write},
    thread,
};

use linkbuf_net::{Connection, Limits, ReadStop, Shutdown, WriteStop};
use socket2::SockRef;

use crate::{
    choppy::{BLOCK, Choppy, INTERRUPT, Step},
    sockets::tcp_pair,
    stream::pattern,
};

/// Most bytes that one side may move before the other has its turn.
const BUDGET: usize = 10_000;
/// Bytes that are written to the output at a time, some of them attached and not copied.
const WRITE: usize = 5000;

/// A number from a number, without a pattern to the eye.
fn mix(n: usize) -> usize {
    let n = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (n ^ (n >> 29)) as usize
}

/// Cuts, interrupts and blocks; which, the number of the call decides.
fn trouble(seed: usize) -> impl FnMut(usize) -> Step {
    move |call| match mix(call ^ seed << 32) % 10 {
        0 => INTERRUPT,
        1 => BLOCK,
        2 => Step::Cut(1),
        3 => Step::Cut(mix(call) % 100 + 1),
        4..7 => Step::Cut(mix(call) % 5000 + 1),
        _ => Step::Cut(usize::MAX),
    }
}

/// One end of the transfer: sends `out`, and gets what the other end sends.
struct End<S> {
    conn: Connection<S>,
    out: Vec<u8>,
    written: usize,
    got: Vec<u8>,
    finished: bool,
}

impl<S: Read + Write + Shutdown> End<S> {
    fn new(stream: S, out: Vec<u8>) -> Self {
        let limits = Limits::new().max_input(BUDGET).max_output(4 * BUDGET);
        End {
            conn: Connection::new(stream).with_limits(limits),
            out,
            written: 0,
            got: Vec::new(),
            finished: false,
        }
    }

    /// One turn of a readiness loop, as if the socket were always ready. True when both directions are done.
    fn turn(&mut self) -> bool {
        while self.written < self.out.len() && self.conn.output().len() < 3 * BUDGET {
            let end = self.out.len().min(self.written + WRITE + self.written % 7);
            let piece = &self.out[self.written..end];
            let output = self.conn.output_mut();
            if self.written.is_multiple_of(2) {
                output.write_binary(piece).unwrap();
            } else {
                output.write_owned(piece.to_vec()).unwrap();
            }
            output.flush();
            self.written = end;
        }
        let sent = self.conn.flush_some(BUDGET).unwrap();
        assert!(sent.bytes <= BUDGET);
        if sent.stop == WriteStop::Empty && self.written == self.out.len() && !self.finished {
            self.finished = self.conn.finish().unwrap().stop == WriteStop::Empty;
        }
        if self.conn.wants_read() {
            let came = self.conn.fill_some(BUDGET).unwrap();
            assert!(came.bytes <= BUDGET);
            assert!(came.stop != ReadStop::End || self.conn.is_ended());
            let input = self.conn.input_mut();
            self.got.extend(input.chunks().flatten());
            input.clear();
        }
        self.finished && self.conn.is_ended()
    }
}

/// Sends so many bytes there and back over the two streams at once, in trouble chosen by the seed.
fn exchange<S>(one: S, other: S, lengths: [usize; 2], seed: usize)
where
    S: Read + Write + Shutdown,
{
    let (there, back) = (pattern(lengths[0]), pattern(lengths[1]));
    let mut one = End::new(
        Choppy::new(one)
            .reads(trouble(seed))
            .writes(trouble(seed + 10)),
        there.clone(),
    );
    let mut other = End::new(
        Choppy::new(other)
            .reads(trouble(seed + 20))
            .writes(trouble(seed + 30)),
        back.clone(),
    );
    while !(one.turn() & other.turn()) {
        thread::yield_now();
    }
    assert!(other.got == there, "seed {seed}");
    assert!(one.got == back, "seed {seed}");
}

/// Small buffers, so that both ends run full all the time.
fn shrink(socket: SockRef<'_>) {
    socket.set_send_buffer_size(4096).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_nonblocking(true).unwrap();
}

#[cfg(unix)]
#[test]
fn both_directions_at_once_through_small_socket_buffers() {
    for seed in 0..5 {
        let (one, other) = std::os::unix::net::UnixStream::pair().unwrap();
        shrink(SockRef::from(&one));
        shrink(SockRef::from(&other));
        exchange(one, other, [400_000, 300_001], seed);
    }
}

/// Less data: with such buffers TCP sends a few kB for every delayed acknowledgement.
#[test]
fn both_directions_at_once_through_small_tcp_buffers() {
    let (one, other) = tcp_pair();
    shrink(SockRef::from(&one));
    shrink(SockRef::from(&other));
    exchange(one, other, [40_000, 30_001], 7);
}

#[test]
fn a_blocking_transfer_both_ways() {
    let (one, other) = tcp_pair();
    let bytes = pattern(5_000_000);
    let expected = bytes.clone();
    // One thread sends while another reads, over two handles of the same socket.
    let reader = one.try_clone().unwrap();
    let sender = thread::spawn(move || {
        let mut conn = Connection::new(one);
        conn.output_mut().write_owned(bytes).unwrap();
        assert_eq!(conn.finish().unwrap().stop, WriteStop::Empty);
    });
    let echo = thread::spawn(move || crate::echo::connection(other).unwrap());
    let mut conn = Connection::new(reader);
    let mut got: Vec<u8> = Vec::new();
    loop {
        match conn.fill().map_err(std::io::Error::from) {
            Ok(linkbuf_net::ReadOutcome::End) => break,
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::TimedOut => panic!("the echo fell silent"),
            Err(e) => panic!("{e}"),
        }
        let input = conn.input_mut();
        got.extend(input.chunks().flatten());
        input.clear();
    }
    sender.join().unwrap();
    echo.join().unwrap();
    assert!(got == expected);
}
