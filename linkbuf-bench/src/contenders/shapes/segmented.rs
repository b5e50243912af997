//! Lists of `Bytes`: a `VecDeque`, `bytes_utils::SegmentedBuf`, `buf_list::BufList`. What is read is a segment each
//! time, cut off a `BytesMut`; what is passed on is moved from list to list. The two crates' frames of W3 are here, too.

use std::collections::VecDeque;
use std::io::IoSlice;

use buf_list::BufList;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use bytes_utils::SegmentedBuf;

use super::IOVECS;
use super::bytes_mut::{encode, input, read};
use crate::scenarios::{
    self, ATTACH_FROM, Call, FanOut, Frame, FrameQueue, HEADER, Head, OUTPUTS, Outbound, Part,
    Proxy, Record, Rpc, Tls,
};

/// A list of segments that is read as one.
pub(crate) trait List: Buf + Default {
    /// Appends a segment, which isn't empty.
    fn append(&mut self, segment: Bytes);
}

/// `bytes_utils`.
pub(crate) type Segmented = SegmentedBuf<Bytes>;

impl List for Segmented {
    #[inline]
    fn append(&mut self, segment: Bytes) {
        self.push(segment);
    }
}

/// `buf_list`.
pub(crate) type BufLists = BufList;

impl List for BufLists {
    #[inline]
    fn append(&mut self, segment: Bytes) {
        self.push_chunk(segment);
    }
}

/// A deque, and the sum of its lengths.
#[derive(Default)]
pub(crate) struct Deque {
    segments: VecDeque<Bytes>,
    len: usize,
}

impl List for Deque {
    #[inline]
    fn append(&mut self, segment: Bytes) {
        self.len += segment.len();
        self.segments.push_back(segment);
    }
}

impl Buf for Deque {
    #[inline]
    fn remaining(&self) -> usize {
        self.len
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.segments.front().map(|first| &first[..]).unwrap_or(&[])
    }

    #[inline]
    fn advance(&mut self, mut n: usize) {
        self.len -= n;
        while let Some(first) = self.segments.front_mut().filter(|_| n > 0) {
            if n < first.len() {
                first.advance(n);
                break;
            }
            n -= first.len();
            self.segments.pop_front();
        }
    }

    #[inline]
    fn chunks_vectored<'a>(&'a self, iovecs: &mut [IoSlice<'a>]) -> usize {
        let mut n = 0;
        for (iovec, segment) in iovecs.iter_mut().zip(&self.segments) {
            *iovec = IoSlice::new(segment);
            n += 1;
        }
        n
    }
}

/// Sends what there is, as far as it is taken.
#[inline]
fn send(list: &mut impl List, out: &mut Outbound) {
    while !list.chunk().is_empty() {
        let sent = if list.chunk().len() == list.remaining() {
            out.send(list.chunk())
        } else {
            let mut iovecs = [IoSlice::new(&[]); IOVECS];
            let n = list.chunks_vectored(&mut iovecs);
            out.send_vectored(&iovecs[..n])
        };
        if sent == 0 {
            break;
        }
        list.advance(sent);
    }
}

/// Segments on both sides.
pub(crate) struct Segments<L> {
    /// What is read into.
    room: BytesMut,
    input: L,
    /// Bytes of the input: not every list knows them at once.
    len: usize,
    output: L,
    /// What is encoded: it needn't be cut off to be sent.
    encoded: BytesMut,
    /// Of a frame whose body isn't whole.
    head: Option<Head>,
    /// Of a record whose payload, of so many bytes, isn't whole.
    payload: Option<usize>,
}

impl<L: List> Segments<L> {
    pub(crate) fn new() -> Self {
        Self {
            room: input(),
            input: L::default(),
            len: 0,
            output: L::default(),
            encoded: BytesMut::new(),
            head: None,
            payload: None,
        }
    }

    #[inline]
    fn read(&mut self, arrived: &[u8]) {
        if arrived.is_empty() {
            return;
        }
        read(&mut self.room, arrived);
        self.len += self.room.len();
        self.input.append(self.room.split().freeze());
    }

    /// The next `N` bytes, consumed, if there are as many.
    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.len = self.len.checked_sub(N)?;
        self.input.copy_to_slice(&mut bytes);
        Some(bytes)
    }

    #[inline]
    fn skip(&mut self, n: usize) {
        self.len -= n;
        self.input.advance(n);
    }
}

impl<L: List> Rpc for Segments<L> {
    fn send(&mut self, calls: &[Call], out: &mut Outbound) {
        encode(calls, &mut self.encoded);
        let sent = out.send(&self.encoded);
        if sent == self.encoded.len() {
            self.encoded.clear();
        } else {
            self.encoded.advance(sent);
        }
    }

    fn receive(&mut self, arrived: &[u8], mut seen: impl FnMut(Part<'_>)) {
        self.read(arrived);
        loop {
            let head = match self.head.take() {
                Some(head) => head,
                None => {
                    let Some(bytes) = self.array() else { break };
                    let head = Head::parse(&bytes);
                    seen(Part::Head(head));
                    head
                }
            };
            if self.len < head.len {
                self.head = Some(head);
                break;
            }
            let mut left = head.len;
            while left > 0 {
                let piece = self.input.chunk();
                let n = left.min(piece.len());
                seen(Part::Body(&piece[..n]));
                left -= n;
                self.skip(n);
            }
        }
    }
}

impl<L: List> Proxy for Segments<L> {
    fn pass(&mut self, arrived: &[u8], out: &mut Outbound) {
        self.read(arrived);
        send(&mut self.input, out);
    }
}

impl<L: List> Tls for Segments<L> {
    fn forward(&mut self, arrived: &[u8], out: &mut Outbound) {
        self.read(arrived);
        loop {
            let payload = match self.payload.take() {
                Some(payload) => payload,
                None => {
                    let Some(header) = self.array() else { break };
                    Record::payload(&header)
                }
            };
            if self.len < Record::NONCE + payload + Record::TAG {
                self.payload = Some(payload);
                break;
            }
            self.skip(Record::NONCE);
            let mut left = payload;
            while left > 0 {
                // Of one segment: shared, not copied.
                let n = left.min(self.input.chunk().len());
                self.output.append(self.input.copy_to_bytes(n));
                self.len -= n;
                left -= n;
            }
            self.skip(Record::TAG);
        }
        send(&mut self.output, out);
    }
}

/// A list per output; headers are cut off one block.
pub(crate) struct Fan<L> {
    room: BytesMut,
    headers: BytesMut,
    outputs: Vec<L>,
}

impl<L: List> Fan<L> {
    pub(crate) fn new() -> Self {
        Self {
            room: input(),
            headers: BytesMut::new(),
            outputs: (0..OUTPUTS).map(|_| L::default()).collect(),
        }
    }
}

impl<L: List> FanOut for Fan<L> {
    fn publish(&mut self, arrived: &[u8], header: impl Fn(usize) -> [u8; HEADER]) {
        read(&mut self.room, arrived);
        let payload = self.room.split().freeze();
        let copied = if payload.len() < ATTACH_FROM {
            payload.len()
        } else {
            0
        };
        // Before the first is cut off: the outputs have let go of the last ones, so this allocates nothing.
        self.headers.reserve(OUTPUTS * (HEADER + copied));
        for (n, output) in self.outputs.iter_mut().enumerate() {
            self.headers.put_slice(&header(n));
            self.headers.put_slice(&payload[..copied]);
            output.append(self.headers.split().freeze());
            if copied == 0 {
                output.append(payload.clone());
            }
        }
    }

    fn send(&mut self, n: usize, out: &mut Outbound) {
        send(&mut self.outputs[n], out);
    }
}

/// A block that the head is written to, and the list that it and the payload go to.
pub(crate) struct Frames<L> {
    head: BytesMut,
    list: L,
}

impl<L: List> Frames<L> {
    pub(crate) fn new() -> Self {
        Self {
            head: BytesMut::with_capacity(8192),
            list: L::default(),
        }
    }
}

impl<L: List> FrameQueue for Frames<L> {
    #[inline]
    fn send(&mut self, frame: &Frame, mut seen: impl FnMut(&[IoSlice<'_>])) {
        self.head.reserve(Frame::HEAD);
        self.head
            .put_u32(Frame::header(Frame::HEAD + frame.payload.len()));
        for field in &frame.fields {
            self.head.put_slice(field);
        }
        self.list.append(self.head.split().freeze());
        self.list.append(frame.payload.clone());
        let mut iovecs = [IoSlice::new(&[]); scenarios::IOVECS];
        let n = self.list.chunks_vectored(&mut iovecs);
        seen(&iovecs[..n]);
        self.list.advance(Frame::LEN);
    }
}
