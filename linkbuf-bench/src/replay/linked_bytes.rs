//! The proxy with `BytesMut` as input, since `linkedbytes` has no reading side, and `LinkedBytes` as output.

use std::io::IoSlice;

use bytes::BufMut;
use linkedbytes::LinkedBytes;

use super::bytes_mut::Input;
use super::resp::{Element, NotResp, Written, write_element};
use super::{ATTACH_FROM, Stream};
use crate::contenders::linked_bytes::Sink;

pub(super) struct Proxy {
    input: Input,
    output: LinkedBytes,
}

impl Proxy {
    pub(super) fn new() -> Self {
        Self {
            input: Input::new(),
            output: LinkedBytes::new(),
        }
    }
}

impl Stream for Proxy {
    fn pass(&mut self, chunk: &[u8], seen: impl FnMut(&[IoSlice<'_>])) -> Result<u64, NotResp> {
        let Self { input, output } = self;
        let messages = input.pass(chunk, |message| {
            for element in message.drain(..) {
                let Element::Bulk(value) = element else {
                    write_element(&element, |bytes| output.bytes_mut().put_slice(bytes));
                    continue;
                };
                let head = output.bytes_mut();
                head.put_slice(Written::value(value.len()).as_bytes());
                if value.len() < ATTACH_FROM {
                    head.put_slice(&value);
                } else {
                    output.insert(value);
                }
                output.bytes_mut().put_slice(b"\r\n");
            }
        })?;
        output
            .sync_write_all_vectored(&mut Sink(seen))
            .expect("the sink takes all");
        output.reset();
        Ok(messages)
    }

    fn is_idle(&self) -> bool {
        self.input.is_idle() && self.output.is_empty()
    }
}
