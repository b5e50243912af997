//! linkbuf: booked reads, slices and sessions on the way in, an appender and attached slices on the way out.

use std::io::IoSlice;

use linkbuf_alloc::{HugePage, Mimalloc, Mmap, Pooled, Process};
use linkbuf_core::{LinkBuffer, NodeAllocator};

use super::IOVECS;
use crate::contenders::linkbuf::{HEAP, KEEP};
use crate::scenarios::{
    ATTACH_FROM, Call, FanOut, HEADER, Head, LineServer, MESSAGE, OK, OUTPUTS, Outbound, Part,
    Proxy, Record, Rpc, Tls, Trickle, key,
};

/// Bytes that one read takes at least, and at most.
const READ: (usize, usize) = (512, 64 * 1024);

/// As it comes, on the heap.
pub(crate) fn heap() -> LinkBuffer {
    LinkBuffer::new()
}

/// As `linkbuf_alloc` gives it: over the process's pool.
pub(crate) fn pooled() -> LinkBuffer<Process<Pooled>> {
    LinkBuffer::default()
}

/// Keeps what it ever had, as a `BytesMut` does.
pub(crate) fn keeping() -> LinkBuffer {
    LinkBuffer::builder().tail_policy(KEEP).build()
}

/// Over a pool of mapped memory.
pub(crate) fn mmap() -> LinkBuffer<Process<Pooled<Mmap>>> {
    LinkBuffer::default()
}

/// Over a pool of huge pages, as far as there are any.
pub(crate) fn huge_page() -> LinkBuffer<Process<Pooled<HugePage>>> {
    LinkBuffer::default()
}

/// Over mimalloc, which is a pool itself.
pub(crate) fn mimalloc() -> LinkBuffer<Mimalloc> {
    LinkBuffer::default()
}

/// Reads all of `arrived`.
#[inline]
fn read<A: NodeAllocator>(buffer: &mut LinkBuffer<A>, mut arrived: &[u8]) {
    while !arrived.is_empty() {
        let room = buffer.book(READ.0, READ.1).expect(HEAP);
        let n = room.len().min(arrived.len());
        room[..n].copy_from_slice(&arrived[..n]);
        buffer.book_ack(n).expect(HEAP);
        arrived = &arrived[n..];
    }
}

/// Sends what is readable, as far as it is taken.
#[inline]
fn send<A: NodeAllocator>(buffer: &mut LinkBuffer<A>, out: &mut Outbound) {
    while let Some(first) = buffer.chunks().next() {
        let sent = if first.len() == buffer.len() {
            out.send(first)
        } else {
            let mut iovecs = [IoSlice::new(&[]); IOVECS];
            let n = buffer.io_slices(&mut iovecs);
            out.send_vectored(&iovecs[..n])
        };
        if sent == 0 {
            break;
        }
        buffer.skip(sent).expect(HEAP);
    }
    buffer.release();
}

/// The two buffers of a connection, and where its parser stands.
pub(crate) struct Link<A: NodeAllocator> {
    input: LinkBuffer<A>,
    output: LinkBuffer<A>,
    /// Of a frame whose body isn't whole.
    head: Option<Head>,
    /// Of a record whose payload, of so many bytes, isn't whole.
    payload: Option<usize>,
}

impl<A: NodeAllocator> Link<A> {
    pub(crate) fn new(buffer: fn() -> LinkBuffer<A>) -> Self {
        Self {
            input: buffer(),
            output: buffer(),
            head: None,
            payload: None,
        }
    }
}

impl<A: NodeAllocator> Rpc for Link<A> {
    fn send(&mut self, calls: &[Call], out: &mut Outbound) {
        let mut frames = self.output.appender(Head::LEN).expect(HEAP);
        for call in calls {
            frames.put_be(call.len()).expect(HEAP);
            frames.put_be(call.id).expect(HEAP);
            frames.put_be(call.method).expect(HEAP);
            frames.put_be(call.flags).expect(HEAP);
            frames.put(&call.body).expect(HEAP);
        }
        frames.commit();
        self.output.flush();
        send(&mut self.output, out);
    }

    fn receive(&mut self, arrived: &[u8], mut seen: impl FnMut(Part<'_>)) {
        read(&mut self.input, arrived);
        let mut frames = self.input.session();
        loop {
            let head = match self.head.take() {
                Some(head) => head,
                None if frames.len() < Head::LEN => break,
                None => {
                    let mut bytes = [0; Head::LEN];
                    frames.read_into(&mut bytes).expect(HEAP);
                    let head = Head::parse(&bytes);
                    seen(Part::Head(head));
                    head
                }
            };
            if frames.len() < head.len {
                self.head = Some(head);
                break;
            }
            let mut left = head.len;
            for piece in frames.chunks() {
                let n = left.min(piece.len());
                seen(Part::Body(&piece[..n]));
                left -= n;
                if left == 0 {
                    break;
                }
            }
            frames.skip(head.len).expect(HEAP);
        }
        self.input.release();
    }
}

impl<A: NodeAllocator> LineServer for Link<A> {
    fn serve(&mut self, arrived: &[u8], out: &mut Outbound) {
        // What the answers to one chunk rarely exceed; it grows by itself.
        const RUN: usize = 512;
        read(&mut self.input, arrived);
        let mut lines = self.input.session();
        let mut answers = self.output.appender(RUN).expect(HEAP);
        while let Ok(line) = lines.until(b'\n') {
            answers.put(OK).expect(HEAP);
            answers.put(key(line)).expect(HEAP);
            answers.put_u8(b'\n').expect(HEAP);
        }
        answers.commit();
        self.output.flush();
        send(&mut self.output, out);
        self.input.release();
    }
}

impl<A: NodeAllocator> Proxy for Link<A> {
    fn pass(&mut self, arrived: &[u8], out: &mut Outbound) {
        read(&mut self.input, arrived);
        send(&mut self.input, out);
    }
}

impl<A: NodeAllocator> Tls for Link<A> {
    fn forward(&mut self, arrived: &[u8], out: &mut Outbound) {
        read(&mut self.input, arrived);
        let mut records = self.input.session();
        loop {
            let payload = match self.payload.take() {
                Some(payload) => payload,
                None if records.len() < Record::HEADER => break,
                None => {
                    let mut header = [0; Record::HEADER];
                    records.read_into(&mut header).expect(HEAP);
                    Record::payload(&header)
                }
            };
            if records.len() < Record::NONCE + payload + Record::TAG {
                self.payload = Some(payload);
                break;
            }
            records.skip(Record::NONCE).expect(HEAP);
            let bytes = records.slice(payload).expect(HEAP);
            records.skip(Record::TAG).expect(HEAP);
            self.output.append_slice(bytes).expect(HEAP);
        }
        self.output.flush();
        // The output first: it lets go of the slices that the input's nodes are seen by.
        send(&mut self.output, out);
        self.input.release();
    }
}

impl<A: NodeAllocator> Trickle for Link<A> {
    #[inline]
    fn drip(&mut self, arrived: &[u8], seen: impl FnOnce(&[u8])) {
        read(&mut self.input, arrived);
        if self.input.len() >= MESSAGE {
            seen(self.input.next(MESSAGE).expect(HEAP));
            self.input.release();
        }
    }
}

/// An input and the outputs that it is sent to.
pub(crate) struct Links<A: NodeAllocator> {
    input: LinkBuffer<A>,
    outputs: Vec<LinkBuffer<A>>,
}

impl<A: NodeAllocator> Links<A> {
    pub(crate) fn new(buffer: fn() -> LinkBuffer<A>) -> Self {
        Self {
            input: buffer(),
            outputs: (0..OUTPUTS).map(|_| buffer()).collect(),
        }
    }
}

impl<A: NodeAllocator> FanOut for Links<A> {
    fn publish(&mut self, arrived: &[u8], header: impl Fn(usize) -> [u8; HEADER]) {
        // The outputs have let go of the last payload.
        self.input.release();
        read(&mut self.input, arrived);
        if arrived.len() < ATTACH_FROM {
            let payload = self.input.next(arrived.len()).expect(HEAP);
            for (n, output) in self.outputs.iter_mut().enumerate() {
                let mut message = output.appender(HEADER + payload.len()).expect(HEAP);
                message.put(&header(n)).expect(HEAP);
                message.put(payload).expect(HEAP);
                message.commit();
                output.flush();
            }
        } else {
            let payload = self.input.slice(arrived.len()).expect(HEAP);
            for (n, output) in self.outputs.iter_mut().enumerate() {
                output.write_binary(&header(n)).expect(HEAP);
                output.append_slice(payload.clone()).expect(HEAP);
                output.flush();
            }
        }
    }

    fn send(&mut self, n: usize, out: &mut Outbound) {
        send(&mut self.outputs[n], out);
    }
}
