//! R5: many buffers, 1 MiB passed through each in turn, and what each keeps while it is idle.

use bytes::{Buf, BufMut, BytesMut};
use linkbuf_core::{Builder, LinkBuffer, NodeAllocator, TailPolicy};

use super::watch::{Base, bytes};
use super::{Found, Sizes, Unit};
use crate::backends::Job;
use crate::block::MEMORY;
use crate::memory::{Tally, count};

/// Bytes that go through a buffer, all in before the first goes out.
const MESSAGE: usize = 1 << 20;
/// By copies of so many.
const CHUNK: usize = 4096;
/// A `BytesMut` keeps its message's size, so fewer of them stand for many.
const BYTES_MUT_AT_MOST: usize = 1000;

/// The figures that bars are set on.
pub(super) const HELD: &str = "held per buffer";
pub(super) const RESIDENT: &str = "resident after trim()";
pub(super) const PAGE: &str = "page";

/// R5, as a job for any allocator.
pub(super) struct Idle {
    pub(super) release: bool,
    pub(super) sizes: Sizes,
}

impl Job for Idle {
    type Out = Result<Found, String>;

    fn with<A: NodeAllocator>(self, alloc: A) -> Result<Found, String> {
        let buffer = || {
            let builder = Builder::new_in(alloc.clone());
            match self.release {
                true => builder.tail_policy(TailPolicy::Release).build(),
                false => builder.build(),
            }
        };
        let held = |buffers: &[LinkBuffer<A>], _: Tally| {
            let each = buffers.iter().map(|buffer| buffer.memory().total());
            each.sum::<usize>() as u64
        };
        let mut found = weigh(self.sizes.buffers, buffer, held, || {
            alloc.trim();
        })?;
        if !self.release {
            found.add(PAGE, Unit::EachBytes, bytes(alloc.page_size() as u64));
        }
        Ok(found)
    }
}

/// The same with `BytesMut`. What it holds is counted on the heap: it doesn't tell.
pub(super) fn bytes_mut(sizes: Sizes) -> Result<Found, String> {
    let n = sizes.buffers.min(BYTES_MUT_AT_MOST);
    let held = |_: &[BytesMut], heap: Tally| heap.live.unsigned_abs();
    weigh(n, BytesMut::new, held, || {})
}

/// Passes a message through each of `n` buffers, in turn, and tells what they hold then.
fn weigh<B: Pass>(
    n: usize,
    make: impl FnMut() -> B,
    held: impl FnOnce(&[B], Tally) -> u64,
    trim: impl FnOnce(),
) -> Result<Found, String> {
    let mut buffers = Vec::new();
    // Without memory yet, but for their own, which is in the base.
    buffers.resize_with(n, make);
    let chunk = [b'x'; CHUNK];
    let mut out = [0; CHUNK];
    let base = Base::now()?;
    let ((), heap) = count(|| {
        for buffer in &mut buffers {
            buffer.pass(&chunk, &mut out);
        }
    });
    let each = |total: f64| total / bytes(n as u64);
    let mut found = Found::default();
    found.add("buffers", Unit::Count, bytes(n as u64));
    found.add(HELD, Unit::EachBytes, each(bytes(held(&buffers, heap))));
    found.add("resident", Unit::EachBytes, each(base.more()?));
    trim();
    found.add(RESIDENT, Unit::EachBytes, each(base.more()?));
    Ok(found)
}

trait Pass {
    /// Takes a message in, and gives it out again.
    fn pass(&mut self, chunk: &[u8; CHUNK], out: &mut [u8; CHUNK]);
}

impl<A: NodeAllocator> Pass for LinkBuffer<A> {
    fn pass(&mut self, chunk: &[u8; CHUNK], out: &mut [u8; CHUNK]) {
        for _ in 0..MESSAGE / CHUNK {
            self.write_binary(chunk).expect(MEMORY);
        }
        self.flush();
        while self.read_into(out).is_ok() {
            self.release();
        }
        assert!(self.is_empty(), "it came in by whole chunks");
    }
}

impl Pass for BytesMut {
    fn pass(&mut self, chunk: &[u8; CHUNK], out: &mut [u8; CHUNK]) {
        for _ in 0..MESSAGE / CHUNK {
            self.put_slice(chunk);
        }
        while self.has_remaining() {
            self.copy_to_slice(out);
        }
    }
}
