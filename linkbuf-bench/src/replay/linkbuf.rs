//! The proxy with linkbuf on both sides.

use std::io::IoSlice;

use linkbuf_core::{LinkBuffer, NodeAllocator, Session, Slice};

use super::resp::{Element, NotResp, Parser, Source, Written, write_element};
use super::{ATTACH_FROM, Stream};
use crate::contenders::linkbuf::HEAP;

/// Bytes that one read takes at least, and at most.
const READ: (usize, usize) = (512, 64 * 1024);
/// Iovecs of one export.
const IOVECS: usize = 64;

pub(super) struct Proxy<A: NodeAllocator> {
    input: LinkBuffer<A>,
    parser: Parser,
    message: Vec<Element<Slice>>,
    output: LinkBuffer<A>,
}

impl<A: NodeAllocator> Proxy<A> {
    pub(super) fn with(buffer: impl Fn() -> LinkBuffer<A>) -> Self {
        Self {
            input: buffer(),
            parser: Parser::default(),
            message: Vec::new(),
            output: buffer(),
        }
    }
}

impl<A: NodeAllocator> Stream for Proxy<A> {
    fn pass(
        &mut self,
        mut chunk: &[u8],
        mut seen: impl FnMut(&[IoSlice<'_>]),
    ) -> Result<u64, NotResp> {
        while !chunk.is_empty() {
            let room = self.input.book(READ.0, READ.1).expect(HEAP);
            let n = room.len().min(chunk.len());
            room[..n].copy_from_slice(&chunk[..n]);
            self.input.book_ack(n).expect(HEAP);
            chunk = &chunk[n..];
        }

        let mut messages = 0;
        let mut input = Input(self.input.session());
        while self.parser.message(&mut input, &mut self.message)? {
            messages += 1;
            write(&mut self.output, &mut self.message);
        }

        self.output.flush();
        while !self.output.is_empty() {
            let mut iovecs = [IoSlice::new(&[]); IOVECS];
            let n = self.output.io_slices(&mut iovecs);
            seen(&iovecs[..n]);
            let sent = iovecs[..n].iter().map(|piece| piece.len()).sum();
            self.output.skip(sent).expect(HEAP);
        }
        // The output first: it lets go of the slices that the input's nodes are seen by.
        self.output.release();
        self.input.release();
        Ok(messages)
    }

    fn is_idle(&self) -> bool {
        self.parser.is_idle() && self.input.is_empty() && self.output.is_empty()
    }
}

struct Input<'b, A: NodeAllocator>(Session<'b, A>);

impl<A: NodeAllocator> Source for Input<'_, A> {
    type Value = Slice;

    #[inline]
    fn line<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        // A line ends with "\r\n" and has neither inside.
        let line = self.0.until(b'\n').ok()?;
        Some(read(line.strip_suffix(b"\r\n").unwrap_or_default()))
    }

    #[inline]
    fn value(&mut self, len: usize) -> Option<(Slice, [u8; 2])> {
        if self.0.len() < len + 2 {
            return None;
        }
        let value = self.0.slice(len).expect(HEAP);
        let mut end = [0; 2];
        self.0.read_into(&mut end).expect(HEAP);
        Some((value, end))
    }
}

/// Writes `message`, which is empty then.
fn write<A: NodeAllocator>(output: &mut LinkBuffer<A>, message: &mut Vec<Element<Slice>>) {
    // Room for one header and one small value; it grows by itself.
    const RUN: usize = 128;
    let mut fields = output.appender(RUN).expect(HEAP);
    for element in message.drain(..) {
        let Element::Bulk(value) = element else {
            write_element(&element, |bytes| fields.put(bytes).expect(HEAP));
            continue;
        };
        fields
            .put(Written::value(value.len()).as_bytes())
            .expect(HEAP);
        if value.len() < ATTACH_FROM {
            for piece in value.chunks() {
                fields.put(piece).expect(HEAP);
            }
        } else {
            fields.commit();
            output.append_slice(value).expect(HEAP);
            fields = output.appender(RUN).expect(HEAP);
        }
        fields.put(b"\r\n").expect(HEAP);
    }
    fields.commit();
}
