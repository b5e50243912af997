//! `Vec<u8>` on both sides: as input, memory with two cursors; as output, a vector that is appended to, and cleared when
//! it was sent.

use crate::contenders::vec::Queue;
use crate::scenarios::{
    Call, FanOut, HEADER, Head, LineServer, MESSAGE, OK, OUTPUTS, Outbound, Part, Proxy, Record,
    Rpc, Tls, Trickle, key,
};

/// Bytes that a read has room for at least.
const READ: usize = 4 * 1024;

/// Reads all of `arrived`.
#[inline]
fn read(input: &mut Queue, mut arrived: &[u8]) {
    while !arrived.is_empty() {
        input.reserve(READ);
        let room = input.room();
        let n = room.len().min(arrived.len());
        room[..n].copy_from_slice(&arrived[..n]);
        input.fill(n);
        arrived = &arrived[n..];
    }
}

/// Sends what there is, as far as it is taken.
#[inline]
fn send(output: &mut Vec<u8>, out: &mut Outbound) {
    let sent = out.send(output);
    if sent == output.len() {
        output.clear();
    } else {
        output.drain(..sent);
    }
}

pub(crate) struct Cursor {
    input: Queue,
    output: Vec<u8>,
}

impl Cursor {
    pub(crate) fn new() -> Self {
        Self {
            input: Queue::new(),
            output: Vec::new(),
        }
    }
}

impl Rpc for Cursor {
    fn send(&mut self, calls: &[Call], out: &mut Outbound) {
        for call in calls {
            self.output.reserve(Head::LEN + call.body.len());
            self.output.extend_from_slice(&call.len().to_be_bytes());
            self.output.extend_from_slice(&call.id.to_be_bytes());
            self.output.extend_from_slice(&call.method.to_be_bytes());
            self.output.extend_from_slice(&call.flags.to_be_bytes());
            self.output.extend_from_slice(&call.body);
        }
        send(&mut self.output, out);
    }

    fn receive(&mut self, arrived: &[u8], mut seen: impl FnMut(Part<'_>)) {
        read(&mut self.input, arrived);
        while let Some(head) = self.input.bytes().first_chunk() {
            let head = Head::parse(head);
            let len = Head::LEN + head.len;
            let Some(frame) = self.input.bytes().get(..len) else {
                self.input.reserve(len - self.input.len());
                break;
            };
            seen(Part::Head(head));
            seen(Part::Body(&frame[Head::LEN..]));
            self.input.consume(len);
        }
    }
}

impl LineServer for Cursor {
    fn serve(&mut self, arrived: &[u8], out: &mut Outbound) {
        read(&mut self.input, arrived);
        while let Some(end) = memchr::memchr(b'\n', self.input.bytes()) {
            self.output.extend_from_slice(OK);
            self.output
                .extend_from_slice(key(&self.input.bytes()[..end]));
            self.output.push(b'\n');
            self.input.consume(end + 1);
        }
        send(&mut self.output, out);
    }
}

impl Proxy for Cursor {
    fn pass(&mut self, arrived: &[u8], out: &mut Outbound) {
        read(&mut self.input, arrived);
        let sent = out.send(self.input.bytes());
        self.input.consume(sent);
    }
}

impl Tls for Cursor {
    fn forward(&mut self, arrived: &[u8], out: &mut Outbound) {
        const FROM: usize = Record::HEADER + Record::NONCE;
        read(&mut self.input, arrived);
        while let Some(header) = self.input.bytes().first_chunk() {
            let payload = Record::payload(header);
            let len = Record::len(payload);
            let Some(record) = self.input.bytes().get(..len) else {
                self.input.reserve(len - self.input.len());
                break;
            };
            self.output.extend_from_slice(&record[FROM..FROM + payload]);
            self.input.consume(len);
        }
        send(&mut self.output, out);
    }
}

impl Trickle for Cursor {
    #[inline]
    fn drip(&mut self, arrived: &[u8], seen: impl FnOnce(&[u8])) {
        read(&mut self.input, arrived);
        if self.input.len() >= MESSAGE {
            seen(&self.input.bytes()[..MESSAGE]);
            self.input.consume(MESSAGE);
        }
    }
}

/// A vector per output that header and payload are copied into.
pub(crate) struct Fan {
    input: Queue,
    outputs: Vec<Vec<u8>>,
}

impl Fan {
    pub(crate) fn new() -> Self {
        Self {
            input: Queue::new(),
            outputs: vec![Vec::new(); OUTPUTS],
        }
    }
}

impl FanOut for Fan {
    fn publish(&mut self, arrived: &[u8], header: impl Fn(usize) -> [u8; HEADER]) {
        read(&mut self.input, arrived);
        let payload = self.input.bytes();
        for (n, output) in self.outputs.iter_mut().enumerate() {
            output.reserve(HEADER + payload.len());
            output.extend_from_slice(&header(n));
            output.extend_from_slice(payload);
        }
        self.input.consume(self.input.len());
    }

    fn send(&mut self, n: usize, out: &mut Outbound) {
        send(&mut self.outputs[n], out);
    }
}
