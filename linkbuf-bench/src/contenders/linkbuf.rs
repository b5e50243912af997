//! linkbuf, over the plain heap or the default pool. `Linked` is configured per contender; the work is the same.

use std::io::IoSlice;

use bytes::Bytes;
use linkbuf_alloc::{Pooled, Process};
use linkbuf_core::{Builder, Heap, LinkBuffer, NodeAllocator, TailPolicy};

use crate::scenarios::{
    Bulk, CHUNK, CUT, Cut, Frame, FrameQueue, IOVECS, Lines, PASS, ReserveQueue,
};
use crate::scenarios::{SmallQueue, Splice};

/// What fails if the heap is exhausted, and nothing else here can.
pub(crate) const HEAP: &str = "the heap gives memory, and the bytes are there";

/// What a `-keep` contender may keep: more than a workload needs, as a `BytesMut` keeps all it ever had.
pub(crate) const KEEP: TailPolicy = TailPolicy::Keep(2 * 1024 * 1024);

pub(crate) struct Linked<A: NodeAllocator = Heap>(pub(crate) LinkBuffer<A>);

impl Linked<Process<Pooled>> {
    /// As `linkbuf_alloc` gives it, unless a feature says otherwise.
    pub(crate) fn pooled() -> Self {
        Self(LinkBuffer::default())
    }

    /// The same, of nodes of 8 KiB, whatever its own are.
    pub(crate) fn pooled_of_8k_nodes() -> Self {
        let builder = Builder::new_in(Process::new());
        Self(builder.node_size(8192).build())
    }
}

impl Linked {
    /// As it comes.
    pub(crate) fn new() -> Self {
        Self(LinkBuffer::new())
    }

    pub(crate) fn keeping() -> Self {
        Self(LinkBuffer::builder().tail_policy(KEEP).build())
    }

    pub(crate) fn releasing() -> Self {
        let builder = LinkBuffer::builder().tail_policy(TailPolicy::Release);
        Self(builder.build())
    }

    pub(crate) fn of_8k_nodes() -> Self {
        Self(LinkBuffer::builder().node_size(8192).build())
    }

    pub(crate) fn of_8k_nodes_keeping() -> Self {
        let builder = LinkBuffer::builder().node_size(8192).tail_policy(KEEP);
        Self(builder.build())
    }
}

impl<A: NodeAllocator> Linked<A> {
    /// Makes `bytes` readable, a node per 8 KiB.
    fn fill_nodes(&mut self, bytes: &[u8]) {
        // Flushed one by one, or a long message would come in larger nodes.
        for piece in bytes.chunks(8192) {
            self.0.write_binary(piece).expect(HEAP);
            self.0.flush();
        }
    }
}

impl<A: NodeAllocator> SmallQueue for Linked<A> {
    #[inline]
    fn pass(&mut self, bytes: &[u8; 64], seen: impl FnOnce(&[u8])) {
        self.0.write_binary(bytes).expect(HEAP);
        self.0.flush();
        seen(self.0.next(64).expect(HEAP));
        self.0.release();
    }
}

impl<A: NodeAllocator> ReserveQueue for Linked<A> {
    #[inline]
    fn reserve_pass(&mut self, bytes: &[u8; 70], seen: impl FnOnce(&[u8])) {
        let room = self.0.malloc(128).expect(HEAP);
        room[..70].copy_from_slice(bytes);
        self.0.malloc_ack(70).expect(HEAP);
        self.0.flush();
        seen(self.0.next(70).expect(HEAP));
        self.0.release();
    }
}

impl<A: NodeAllocator> Linked<A> {
    #[inline]
    fn send(
        &mut self,
        frame: &Frame,
        payload: impl FnOnce(&mut LinkBuffer<A>),
        mut seen: impl FnMut(&[IoSlice<'_>]),
    ) {
        let buffer = &mut self.0;
        let length = buffer.slot_be::<u32>().expect(HEAP);
        let mut fields = buffer.appender(32 * 12).expect(HEAP);
        for field in &frame.fields {
            fields.put(field).expect(HEAP);
        }
        fields.commit();
        payload(buffer);
        let header = Frame::header(buffer.malloc_len());
        buffer.fill_int(&length, header).expect(HEAP);
        buffer.flush();
        let mut iovecs = [IoSlice::new(&[]); IOVECS];
        let n = buffer.io_slices(&mut iovecs);
        seen(&iovecs[..n]);
        // One write took all: a frame has fewer pieces than there are iovecs.
        buffer.skip(buffer.len()).expect(HEAP);
        buffer.release();
    }
}

/// Attaches a frame's payload.
pub(crate) struct Attached<A: NodeAllocator = Heap>(pub(crate) Linked<A>);

impl<A: NodeAllocator> FrameQueue for Attached<A> {
    #[inline]
    fn send(&mut self, frame: &Frame, seen: impl FnMut(&[IoSlice<'_>])) {
        let attach =
            |buffer: &mut LinkBuffer<A>| buffer.write_owned(frame.payload.clone()).expect(HEAP);
        self.0.send(frame, attach, seen);
    }
}

/// Copies a frame's payload.
pub(crate) struct Copied<A: NodeAllocator = Heap>(pub(crate) Linked<A>);

impl<A: NodeAllocator> FrameQueue for Copied<A> {
    #[inline]
    fn send(&mut self, frame: &Frame, seen: impl FnMut(&[IoSlice<'_>])) {
        let copy = |buffer: &mut LinkBuffer<A>| buffer.write_binary(&frame.payload).expect(HEAP);
        self.0.send(frame, copy, seen);
    }
}

/// Of the buffer itself: a wrapper would be one more move of it.
impl<A: NodeAllocator + Default> Splice for LinkBuffer<A> {
    fn of_nodes<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut buffer = Builder::new_in(A::default()).node_size(8192).build();
        for piece in pieces {
            buffer.write_binary(piece).expect(HEAP);
            buffer.flush();
        }
        buffer
    }

    /// A call, as it would be: inlined 32 times in a row it would be another thing.
    #[inline(never)]
    fn splice(&mut self, other: Self) {
        self.append(other).expect(HEAP);
    }

    #[inline(never)]
    fn splice_from(&mut self, other: &mut Self) {
        self.append_from(other).expect(HEAP);
    }

    fn give_up(&mut self, n: usize) {
        self.skip(n).expect(HEAP);
        self.release();
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.chunks()
    }
}

impl<A: NodeAllocator> Linked<A> {
    #[inline]
    fn cut_one(&mut self, seen: impl FnOnce(&[u8])) {
        let slice = self.0.slice(CUT).expect(HEAP);
        seen(slice.as_contiguous().expect("cut within a node"));
    }
}

/// 8 slices to a node.
impl<A: NodeAllocator> Cut for Linked<A> {
    fn fill(&mut self, block: &Bytes) {
        self.0.release();
        self.fill_nodes(block);
    }

    #[inline]
    fn cut(&mut self, seen: impl FnOnce(&[u8])) {
        self.cut_one(seen);
    }
}

/// All slices of one block, as the other side has them.
pub(crate) struct OneBlock<A: NodeAllocator = Heap>(pub(crate) Linked<A>);

impl<A: NodeAllocator> Cut for OneBlock<A> {
    fn fill(&mut self, block: &Bytes) {
        let buffer = &mut self.0.0;
        buffer.release();
        let room = buffer.malloc(block.len()).expect(HEAP);
        room.copy_from_slice(block);
        buffer.flush();
    }

    #[inline]
    fn cut(&mut self, seen: impl FnOnce(&[u8])) {
        self.0.cut_one(seen);
    }
}

impl<A: NodeAllocator> Lines for Linked<A> {
    fn fill(&mut self, text: &[u8]) {
        self.0.clear();
        self.fill_nodes(text);
    }

    #[inline]
    fn scan(&mut self, mut seen: impl FnMut(&[u8])) {
        while let Ok(line) = self.0.until(b'\n') {
            seen(line);
            self.0.release();
        }
    }
}

impl<A: NodeAllocator> Bulk for Linked<A> {
    #[inline]
    fn pass<'a>(
        &mut self,
        chunk: impl Fn(usize) -> &'a [u8; CHUNK],
        out: &mut [u8; CHUNK],
        mut seen: impl FnMut(&[u8; CHUNK]),
    ) {
        for n in 0..PASS {
            self.0.write_binary(chunk(n)).expect(HEAP);
        }
        self.0.flush();
        for _ in 0..PASS {
            self.0.read_into(out).expect(HEAP);
            self.0.release();
            seen(out);
        }
    }
}
