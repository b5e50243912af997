//! `BytesMut` on both sides, flat: what is sent is copied into one block. What is read is consumed by `advance`, or cut
//! off by `split_to` and frozen, as a program does that hands it on.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::IOVECS;
use crate::scenarios::{
    Call, FanOut, HEADER, Head, LineServer, MESSAGE, OK, OUTPUTS, Outbound, Part, Proxy, Record,
    Rpc, Tls, Trickle, key,
};

/// Bytes that a read has room for at least, and what is reserved if it hasn't.
const READ: (usize, usize) = (4 * 1024, 64 * 1024);
/// Bytes that an output starts with.
const START: usize = 8 * 1024;

pub(super) fn input() -> BytesMut {
    BytesMut::with_capacity(READ.1)
}

/// Reads all of `arrived`.
#[inline]
pub(super) fn read(buffer: &mut BytesMut, mut arrived: &[u8]) {
    while !arrived.is_empty() {
        if buffer.capacity() - buffer.len() < READ.0 {
            buffer.reserve(READ.1);
        }
        let n = (buffer.capacity() - buffer.len()).min(arrived.len());
        buffer.put_slice(&arrived[..n]);
        arrived = &arrived[n..];
    }
}

/// Sends what there is, as far as it is taken.
#[inline]
fn send(buffer: &mut BytesMut, out: &mut Outbound) {
    let sent = out.send(buffer);
    if sent == buffer.len() {
        buffer.clear();
    } else {
        buffer.advance(sent);
    }
}

/// Encodes `calls`.
#[inline]
pub(super) fn encode(calls: &[Call], output: &mut BytesMut) {
    for call in calls {
        output.reserve(Head::LEN + call.body.len());
        output.put_u32(call.len());
        output.put_u64(call.id);
        output.put_u16(call.method);
        output.put_u16(call.flags);
        output.put_slice(&call.body);
    }
}

/// Answers the request `line`.
#[inline]
fn answer(line: &[u8], output: &mut BytesMut) {
    output.put_slice(OK);
    output.put_slice(key(line));
    output.put_u8(b'\n');
}

/// Bytes of the frame at the front of `input`, and its head, if it is whole; else makes room for what is missing.
#[inline]
fn frame(input: &mut BytesMut) -> Option<(usize, Head)> {
    let head = Head::parse(input.first_chunk()?);
    let len = Head::LEN + head.len;
    if input.len() < len {
        // As codecs do, so that a frame never grows twice.
        input.reserve(len - input.len());
        return None;
    }
    Some((len, head))
}

/// Bytes of the payload at the front of `input`, if its record is whole; else makes room for what is missing.
#[inline]
pub(super) fn record(input: &mut BytesMut) -> Option<usize> {
    let payload = Record::payload(input.first_chunk()?);
    let len = Record::len(payload);
    if input.len() < len {
        input.reserve(len - input.len());
        return None;
    }
    Some(payload)
}

/// Consumes with `advance`.
pub(crate) struct Advance {
    input: BytesMut,
    output: BytesMut,
}

impl Advance {
    pub(crate) fn new() -> Self {
        Self {
            input: input(),
            output: BytesMut::with_capacity(START),
        }
    }
}

impl Rpc for Advance {
    fn send(&mut self, calls: &[Call], out: &mut Outbound) {
        encode(calls, &mut self.output);
        send(&mut self.output, out);
    }

    fn receive(&mut self, arrived: &[u8], mut seen: impl FnMut(Part<'_>)) {
        read(&mut self.input, arrived);
        while let Some((len, head)) = frame(&mut self.input) {
            seen(Part::Head(head));
            seen(Part::Body(&self.input[Head::LEN..len]));
            self.input.advance(len);
        }
    }
}

impl LineServer for Advance {
    fn serve(&mut self, arrived: &[u8], out: &mut Outbound) {
        read(&mut self.input, arrived);
        while let Some(end) = memchr::memchr(b'\n', &self.input) {
            answer(&self.input[..end], &mut self.output);
            self.input.advance(end + 1);
        }
        send(&mut self.output, out);
    }
}

impl Proxy for Advance {
    fn pass(&mut self, arrived: &[u8], out: &mut Outbound) {
        read(&mut self.input, arrived);
        send(&mut self.input, out);
    }
}

impl Tls for Advance {
    fn forward(&mut self, arrived: &[u8], out: &mut Outbound) {
        const FROM: usize = Record::HEADER + Record::NONCE;
        read(&mut self.input, arrived);
        while let Some(payload) = record(&mut self.input) {
            self.output.put_slice(&self.input[FROM..FROM + payload]);
            self.input.advance(Record::len(payload));
        }
        send(&mut self.output, out);
    }
}

impl Trickle for Advance {
    #[inline]
    fn drip(&mut self, arrived: &[u8], seen: impl FnOnce(&[u8])) {
        read(&mut self.input, arrived);
        if self.input.len() >= MESSAGE {
            seen(&self.input[..MESSAGE]);
            self.input.advance(MESSAGE);
        }
    }
}

/// Consumes with `split_to` and `freeze`; attaches what is passed on.
pub(crate) struct SplitTo {
    input: BytesMut,
    output: BytesMut,
    ready: VecDeque<Bytes>,
}

impl SplitTo {
    pub(crate) fn new() -> Self {
        Self {
            input: input(),
            output: BytesMut::with_capacity(START),
            ready: VecDeque::new(),
        }
    }
}

impl Rpc for SplitTo {
    fn send(&mut self, calls: &[Call], out: &mut Outbound) {
        encode(calls, &mut self.output);
        send(&mut self.output, out);
    }

    fn receive(&mut self, arrived: &[u8], mut seen: impl FnMut(Part<'_>)) {
        read(&mut self.input, arrived);
        while let Some((len, head)) = frame(&mut self.input) {
            let frame = self.input.split_to(len).freeze();
            seen(Part::Head(head));
            seen(Part::Body(&frame[Head::LEN..]));
        }
    }
}

impl LineServer for SplitTo {
    fn serve(&mut self, arrived: &[u8], out: &mut Outbound) {
        read(&mut self.input, arrived);
        while let Some(end) = memchr::memchr(b'\n', &self.input) {
            let line = self.input.split_to(end + 1);
            answer(&line, &mut self.output);
        }
        send(&mut self.output, out);
    }
}

impl Tls for SplitTo {
    fn forward(&mut self, arrived: &[u8], out: &mut Outbound) {
        read(&mut self.input, arrived);
        while let Some(payload) = record(&mut self.input) {
            self.input.advance(Record::HEADER + Record::NONCE);
            self.ready.push_back(self.input.split_to(payload).freeze());
            self.input.advance(Record::TAG);
        }
        while !self.ready.is_empty() {
            let mut iovecs = [IoSlice::new(&[]); IOVECS];
            let mut n = 0;
            for (iovec, payload) in iovecs.iter_mut().zip(&self.ready) {
                *iovec = IoSlice::new(payload);
                n += 1;
            }
            let mut sent = out.send_vectored(&iovecs[..n]);
            if sent == 0 {
                break;
            }
            while let Some(first) = self.ready.front_mut().filter(|_| sent > 0) {
                if sent < first.len() {
                    first.advance(sent);
                    break;
                }
                sent -= first.len();
                self.ready.pop_front();
            }
        }
    }
}

impl Trickle for SplitTo {
    #[inline]
    fn drip(&mut self, arrived: &[u8], seen: impl FnOnce(&[u8])) {
        read(&mut self.input, arrived);
        if self.input.len() >= MESSAGE {
            seen(&self.input.split_to(MESSAGE));
        }
    }
}

/// A block per output that header and payload are copied into.
pub(crate) struct Fan {
    input: BytesMut,
    outputs: Vec<BytesMut>,
}

impl Fan {
    pub(crate) fn new() -> Self {
        Self {
            input: input(),
            outputs: (0..OUTPUTS).map(|_| BytesMut::new()).collect(),
        }
    }
}

impl FanOut for Fan {
    fn publish(&mut self, arrived: &[u8], header: impl Fn(usize) -> [u8; HEADER]) {
        read(&mut self.input, arrived);
        for (n, output) in self.outputs.iter_mut().enumerate() {
            output.reserve(HEADER + self.input.len());
            output.put_slice(&header(n));
            output.put_slice(&self.input);
        }
        self.input.clear();
    }

    fn send(&mut self, n: usize, out: &mut Outbound) {
        send(&mut self.outputs[n], out);
    }
}
