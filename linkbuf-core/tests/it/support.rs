//! Helpers of several test modules.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use linkbuf_core::{
    LinkBuffer, NodeAllocator, Slice,
    testing::allocators::{FailingGlobal, HeapFigures},
};

/// All readable bytes, without reading them.
pub(crate) fn content<A: NodeAllocator>(buf: &LinkBuffer<A>) -> Vec<u8> {
    buf.chunks().collect::<Vec<_>>().concat()
}

/// All bytes of a slice.
pub(crate) fn bytes_of(slice: &Slice) -> Vec<u8> {
    slice.chunks().collect::<Vec<_>>().concat()
}

/// A buffer with these bytes readable.
pub(crate) fn readable(bytes: &[u8]) -> LinkBuffer {
    let mut buf = LinkBuffer::new();
    buf.write_binary(bytes).unwrap();
    buf.flush();
    buf
}

/// A buffer with these bytes readable, each piece in a node of its own.
pub(crate) fn in_nodes(pieces: &[&[u8]]) -> LinkBuffer {
    let mut buf = LinkBuffer::builder().build();
    for piece in pieces {
        // An insertion is always attached: a node of its own.
        buf.write_direct(piece.to_vec(), 0).unwrap();
    }
    buf.flush();
    buf
}

/// Blocks and bytes of the heap that this thread has taken and not given back.
pub(crate) fn heap_live() -> (i64, i64) {
    let HeapFigures {
        live_blocks,
        live_bytes,
        ..
    } = FailingGlobal::figures();
    (live_blocks, live_bytes)
}

/// Heap calls (new and resized blocks) of this thread while `work` runs.
pub(crate) fn heap_calls(work: impl FnOnce()) -> u64 {
    let before = FailingGlobal::figures().calls;
    work();
    FailingGlobal::figures().calls - before
}

/// Counts how often values of a kind were dropped.
#[derive(Clone, Default)]
pub(crate) struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// A value that owns these bytes and is counted when it is dropped.
    pub(crate) fn value(&self, bytes: impl Into<Vec<u8>>) -> Dropping {
        Dropping {
            bytes: bytes.into(),
            drops: self.clone(),
        }
    }
}

pub(crate) struct Dropping {
    bytes: Vec<u8>,
    drops: Drops,
}

impl AsRef<[u8]> for Dropping {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Dropping {
    fn drop(&mut self) {
        self.drops.0.fetch_add(1, Ordering::SeqCst);
    }
}
