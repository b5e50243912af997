//! Buffers of linkbuf and of others, as users of each would write it: a message comes in, and goes out again.

use std::collections::VecDeque;
use std::hint::black_box;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use linkbuf_core::{LinkBuffer, NodeAllocator, Slice};
use linkedbytes::LinkedBytes;
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

use crate::block::MEMORY;
use crate::contenders::linked_bytes::Sink;

/// Bytes that come in or go out at once.
const CHUNK: usize = 4096;

/// A buffer that messages pass through.
pub(crate) trait Passing: Send {
    /// What lives on of a message when it has been cut out.
    type Cut: Send;

    /// As how many buffers it counts.
    const COUNTS: usize = 1;

    /// A message of so many bytes comes in, by copies.
    fn fill(&mut self, len: usize);

    /// All that came in goes out, by copies.
    fn drain(&mut self);

    /// Cuts the next so many bytes out, to be kept; `None` where there is no such thing.
    fn cut(&mut self, len: usize) -> Option<Self::Cut>;

    /// A message in, and out again.
    fn pass(&mut self, len: usize) {
        self.fill(len);
        self.drain();
    }
}

/// The chunks of a message.
fn chunks(len: usize) -> impl Iterator<Item = &'static [u8]> {
    static CONTENT: [u8; CHUNK] = [b'x'; CHUNK];
    let starts = (0..len).step_by(CHUNK);
    starts.map(move |start| &CONTENT[..CHUNK.min(len - start)])
}

/// Takes all out of a buffer that knows its length.
fn copy_out(buffer: &mut impl Buf) {
    let mut out = [0; CHUNK];
    while buffer.has_remaining() {
        let n = buffer.remaining().min(CHUNK);
        buffer.copy_to_slice(&mut out[..n]);
        black_box(&out);
    }
}

impl<A: NodeAllocator> Passing for LinkBuffer<A> {
    type Cut = Slice;

    fn fill(&mut self, len: usize) {
        for chunk in chunks(len) {
            self.write_binary(chunk).expect(MEMORY);
        }
        self.flush();
    }

    fn drain(&mut self) {
        let mut out = [0; CHUNK];
        while !self.is_empty() {
            let n = self.len().min(CHUNK);
            self.read_into(&mut out[..n]).expect("so many are there");
            self.release();
            black_box(&out);
        }
    }

    fn cut(&mut self, len: usize) -> Option<Slice> {
        let slice = self.slice(len).expect("so many are there");
        self.release();
        Some(slice)
    }
}

impl Passing for BytesMut {
    type Cut = Bytes;

    fn fill(&mut self, len: usize) {
        for chunk in chunks(len) {
            self.put_slice(chunk);
        }
    }

    fn drain(&mut self) {
        copy_out(self);
    }

    fn cut(&mut self, len: usize) -> Option<Bytes> {
        Some(self.split_to(len).freeze())
    }
}

/// Written out whole, then emptied, as one does with a `Vec` of a connection.
impl Passing for Vec<u8> {
    type Cut = Vec<u8>;

    fn fill(&mut self, len: usize) {
        for chunk in chunks(len) {
            self.extend_from_slice(chunk);
        }
    }

    fn drain(&mut self) {
        copy_out(&mut &self[..]);
        self.clear();
    }

    fn cut(&mut self, len: usize) -> Option<Vec<u8>> {
        // From its end: a program would walk on with an index.
        Some(self.split_off(self.len() - len))
    }
}

/// It has a writing side only: it is written to, sent, and reset.
impl Passing for LinkedBytes {
    type Cut = ();

    fn fill(&mut self, len: usize) {
        for chunk in chunks(len) {
            self.bytes_mut().put_slice(chunk);
        }
    }

    fn drain(&mut self) {
        let send = |pieces: &[std::io::IoSlice<'_>]| {
            for mut piece in pieces.iter().map(|piece| &piece[..]) {
                copy_out(&mut piece);
            }
        };
        self.sync_write_all_vectored(&mut Sink(send))
            .expect("the sink takes all");
        self.reset();
    }

    fn cut(&mut self, _: usize) -> Option<()> {
        None
    }
}

/// What tokio-util's `Framed` holds and does, with its codec for length-delimited frames, without a runtime: it reads
/// into the room that its input buffer has, decodes, and gives frames away; an answer is encoded into its output
/// buffer, which is written out.
pub(crate) struct Codec {
    codec: LengthDelimitedCodec,
    input: BytesMut,
    frames: VecDeque<BytesMut>,
    output: BytesMut,
}

impl Codec {
    pub(crate) fn new() -> Self {
        // `Framed` starts with two of 8 KiB, which fit any small message.
        const START: usize = 8192;
        Self {
            codec: LengthDelimitedCodec::new(),
            input: BytesMut::with_capacity(START),
            frames: VecDeque::new(),
            output: BytesMut::with_capacity(START),
        }
    }

    fn arrive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.input.reserve(1);
            let room = self.input.capacity() - self.input.len();
            let (read, rest) = bytes.split_at(room.min(bytes.len()));
            self.input.put_slice(read);
            bytes = rest;
            let decoded = self.codec.decode(&mut self.input);
            self.frames.extend(decoded.expect("the frame is whole"));
        }
    }
}

impl Passing for Codec {
    type Cut = BytesMut;

    const COUNTS: usize = 2;

    fn fill(&mut self, len: usize) {
        let head = u32::try_from(len).expect("messages are short");
        self.arrive(&head.to_be_bytes());
        for chunk in chunks(len) {
            self.arrive(chunk);
        }
    }

    fn drain(&mut self) {
        while let Some(frame) = self.frames.pop_front() {
            let encoded = self.codec.encode(frame.freeze(), &mut self.output);
            encoded.expect("frames that came may go");
            copy_out(&mut self.output);
        }
        // Or it would keep a table where a program has none.
        self.frames = VecDeque::new();
    }

    fn cut(&mut self, _: usize) -> Option<BytesMut> {
        self.frames.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes a message, then cuts the parts of another.
    fn try_out<B: Passing>(mut buffer: B, cuts: bool, len: impl Fn(&B::Cut) -> usize) {
        buffer.pass(10_000);
        buffer.fill(1000);
        buffer.fill(1000);
        for _ in 0..2 {
            let cut = buffer.cut(1000);
            assert_eq!(cut.as_ref().map(&len), cuts.then_some(1000));
        }
    }

    #[test]
    fn messages_pass_and_are_cut() {
        try_out(LinkBuffer::new(), true, Slice::len);
        try_out(BytesMut::new(), true, Bytes::len);
        try_out(Vec::new(), true, Vec::len);
        try_out(Codec::new(), true, BytesMut::len);
        try_out(LinkedBytes::new(), false, |()| 0);
    }

    #[test]
    fn a_drained_buffer_is_empty() {
        let mut linked = LinkBuffer::new();
        linked.pass(100_000);
        assert!(linked.is_empty());
        let mut flat = BytesMut::new();
        flat.pass(100_000);
        assert!(flat.is_empty());
        let mut codec = Codec::new();
        codec.pass(100_000);
        assert!(codec.input.is_empty() && codec.frames.is_empty() && codec.output.is_empty());
    }
}
