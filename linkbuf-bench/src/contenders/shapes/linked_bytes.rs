//! `linkedbytes` where something is attached behind what was written; its input is a `BytesMut`, since it has no
//! reading side. It can't pass on what has nothing before it (a buffer that begins with an attached value can't be
//! reset), nor go on where a partial write has ended.

use bytes::{BufMut, BytesMut};
use linkedbytes::LinkedBytes;

use super::bytes_mut::{input, read};
use crate::scenarios::{ATTACH_FROM, FanOut, HEADER, OUTPUTS, Outbound};

/// Sends everything; `out` takes it.
#[inline]
fn send(output: &mut LinkedBytes, out: &mut Outbound) {
    output
        .sync_write_all_vectored(out)
        .expect("there is room for all of it");
    output.reset();
}

/// A `BytesMut` that is read into, and outputs that the payload is inserted into.
pub(crate) struct Fan {
    input: BytesMut,
    outputs: Vec<LinkedBytes>,
}

impl Fan {
    pub(crate) fn new() -> Self {
        Self {
            input: input(),
            outputs: (0..OUTPUTS).map(|_| LinkedBytes::new()).collect(),
        }
    }
}

impl FanOut for Fan {
    fn publish(&mut self, arrived: &[u8], header: impl Fn(usize) -> [u8; HEADER]) {
        read(&mut self.input, arrived);
        let payload = self.input.split().freeze();
        for (n, output) in self.outputs.iter_mut().enumerate() {
            output.bytes_mut().put_slice(&header(n));
            if payload.len() < ATTACH_FROM {
                output.bytes_mut().put_slice(&payload);
            } else {
                output.insert(payload.clone());
            }
        }
    }

    fn send(&mut self, n: usize, out: &mut Outbound) {
        send(&mut self.outputs[n], out);
    }
}
