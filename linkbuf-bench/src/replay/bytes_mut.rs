//! The proxy with `BytesMut` as input; as output, segments that values are attached between, or one flat block.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::resp::{Element, NotResp, Parser, Source, Written, write_element};
use super::{ATTACH_FROM, Stream};

/// Bytes that a read has room for at least, and what is reserved if it hasn't.
const READ: (usize, usize) = (4 * 1024, 64 * 1024);

/// The reading side, which is the same for all.
pub(super) struct Input {
    buffer: BytesMut,
    /// Bytes at the front in which no line ends.
    scanned: usize,
    parser: Parser,
    message: Vec<Element<Bytes>>,
}

impl Input {
    pub(super) fn new() -> Self {
        Self {
            buffer: BytesMut::with_capacity(READ.1),
            scanned: 0,
            parser: Parser::default(),
            message: Vec::new(),
        }
    }

    /// Reads `chunk` and hands every message that it completes to `write`, which empties it.
    pub(super) fn pass(
        &mut self,
        mut chunk: &[u8],
        mut write: impl FnMut(&mut Vec<Element<Bytes>>),
    ) -> Result<u64, NotResp> {
        while !chunk.is_empty() {
            // A value whose length is known is read into one block: no block grows while it comes in.
            let wanted = self.parser.wants().saturating_sub(self.buffer.len());
            if self.buffer.capacity() - self.buffer.len() < READ.0.max(wanted) {
                self.buffer.reserve(READ.1.max(wanted));
            }
            let room = self.buffer.capacity() - self.buffer.len();
            let n = room.min(chunk.len());
            self.buffer.put_slice(&chunk[..n]);
            chunk = &chunk[n..];
        }
        let mut messages = 0;
        let mut parser = std::mem::take(&mut self.parser);
        let mut message = std::mem::take(&mut self.message);
        while parser.message(self, &mut message)? {
            messages += 1;
            write(&mut message);
        }
        self.parser = parser;
        self.message = message;
        Ok(messages)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.parser.is_idle() && self.buffer.is_empty()
    }
}

impl Source for Input {
    type Value = Bytes;

    #[inline]
    fn line<R>(&mut self, read: impl FnOnce(&[u8]) -> R) -> Option<R> {
        // A line ends with "\r\n" and has neither inside.
        let Some(found) = memchr::memchr(b'\n', &self.buffer[self.scanned..]) else {
            self.scanned = self.buffer.len();
            return None;
        };
        let end = self.scanned + found;
        self.scanned = 0;
        let result = read(self.buffer[..end].strip_suffix(b"\r").unwrap_or_default());
        self.buffer.advance(end + 1);
        Some(result)
    }

    #[inline]
    fn value(&mut self, len: usize) -> Option<(Bytes, [u8; 2])> {
        if self.buffer.len() < len + 2 {
            return None;
        }
        let value = self.buffer.split_to(len).freeze();
        let mut end = [0; 2];
        self.buffer.copy_to_slice(&mut end);
        Some((value, end))
    }
}

/// Attaches large values: a head that is written to, and the segments before it.
pub(super) struct Attaching {
    input: Input,
    ready: VecDeque<Bytes>,
    head: BytesMut,
}

impl Attaching {
    pub(super) fn new() -> Self {
        Self {
            input: Input::new(),
            ready: VecDeque::new(),
            head: BytesMut::with_capacity(8 * 1024),
        }
    }
}

impl Stream for Attaching {
    fn pass(&mut self, chunk: &[u8], mut seen: impl FnMut(&[IoSlice<'_>])) -> Result<u64, NotResp> {
        let Self { input, ready, head } = self;
        let messages = input.pass(chunk, |message| {
            for element in message.drain(..) {
                let Element::Bulk(value) = element else {
                    write_element(&element, |bytes| head.put_slice(bytes));
                    continue;
                };
                head.put_slice(Written::value(value.len()).as_bytes());
                if value.len() < ATTACH_FROM {
                    head.put_slice(&value);
                } else {
                    ready.push_back(head.split().freeze());
                    ready.push_back(value);
                }
                head.put_slice(b"\r\n");
            }
        })?;
        // The segments, then the head where it stands: it needn't be cut off to be sent.
        while !ready.is_empty() || !head.is_empty() {
            let mut iovecs = [IoSlice::new(&[]); 64];
            let mut n = 0;
            for (iovec, segment) in iovecs.iter_mut().zip(&*ready) {
                *iovec = IoSlice::new(segment);
                n += 1;
            }
            let last = n < iovecs.len();
            if last && !head.is_empty() {
                iovecs[n] = IoSlice::new(head);
                n += 1;
            }
            seen(&iovecs[..n]);
            if last {
                ready.clear();
                head.clear();
            } else {
                ready.drain(..n);
            }
        }
        Ok(messages)
    }

    fn is_idle(&self) -> bool {
        self.input.is_idle() && self.ready.is_empty() && self.head.is_empty()
    }
}

/// Copies all values into one block.
pub(super) struct Flat {
    input: Input,
    output: BytesMut,
}

impl Flat {
    pub(super) fn new() -> Self {
        Self {
            input: Input::new(),
            output: BytesMut::with_capacity(8 * 1024),
        }
    }
}

impl Stream for Flat {
    fn pass(&mut self, chunk: &[u8], mut seen: impl FnMut(&[IoSlice<'_>])) -> Result<u64, NotResp> {
        let Self { input, output } = self;
        let messages = input.pass(chunk, |message| {
            for element in message.drain(..) {
                let Element::Bulk(value) = element else {
                    write_element(&element, |bytes| output.put_slice(bytes));
                    continue;
                };
                output.put_slice(Written::value(value.len()).as_bytes());
                output.put_slice(&value);
                output.put_slice(b"\r\n");
            }
        })?;
        if !output.is_empty() {
            seen(&[IoSlice::new(output)]);
            output.clear();
        }
        Ok(messages)
    }

    fn is_idle(&self) -> bool {
        self.input.is_idle() && self.output.is_empty()
    }
}
