//! `bytes::BufMut`: the tail's room, handed out before it is initialised; and what else `bytes` needs of views.
#![expect(
    unsafe_code,
    reason = "hands out room that was never written, and believes its caller about what was"
)]

use bytes::{Buf, BufMut, buf::UninitSlice};

use super::{chain::Chain, span, view::View};
use crate::{allocator::NodeAllocator, buffer::LinkBuffer, error::Error, iter_compat::refused};

impl<A: NodeAllocator> Chain<A> {
    /// More bytes that the length can count.
    #[inline]
    fn countable(&self) -> usize {
        isize::MAX
            .unsigned_abs()
            .saturating_sub(self.len() + self.pending())
    }

    /// All of the tail's room, initialised or not, and never empty: without any there is a new tail.
    #[inline]
    fn uninit_room(&mut self) -> Result<&mut UninitSlice, Error> {
        if self.room() == 0 {
            self.grow_for_one()?;
        }
        let len = self.room().min(self.countable());
        // SAFETY: `len` bytes of the tail's room, which nothing else sees (I5), lent out as long as the chain is. An
        // `UninitSlice` neither reads nor, in safe code, un-initialises what it covers, so I2 stays.
        Ok(unsafe { UninitSlice::from_raw_parts_mut(self.w.ptr, len) })
    }

    /// A tail with room, which is not cleared: whoever asks is about to write it.
    #[cold]
    fn grow_for_one(&mut self) -> Result<(), Error> {
        self.check_total(1)?;
        let node = match self.reopen(1)? {
            Some(node) => node,
            None => self.store.native(1, self.store.config.node_size as usize)?,
        };
        self.push_tail(node);
        self.refresh();
        Ok(())
    }

    /// Adds the first `n` bytes of the tail's room, pending. False: it has fewer, and nothing happened.
    ///
    /// # Safety
    /// The first `n` bytes of the room are initialised.
    #[inline]
    unsafe fn add_filled(&mut self, n: usize) -> bool {
        if n > self.room() {
            return false;
        }
        self.w.ptr = self.w.ptr.wrapping_add(n);
        // Beyond `w.end` only room of a native tail can lie: elsewhere there is none.
        if let Some(tail) = self.w.tail
            && self.w.ptr.addr() > self.w.end.addr()
        {
            let block = tail.block();
            let filled = span(block.base(), self.w.ptr);
            if filled > block.init() {
                // SAFETY: the tail's writer is the block's (I2, I5). The bytes up to the old `w.ptr` are initialised
                // (I2), and so are the `n` behind it by the caller's promise.
                unsafe { block.set_init(filled) };
            }
            self.open_room();
        }
        true
    }
}

/// Appends, pending: [`LinkBuffer::flush`] makes it readable. All `put_*` copy; `put_slice` and `put` go on across nodes.
///
/// # Panics
/// The trait can't report errors. Where there is no memory, and beyond `isize::MAX` bytes, its methods panic, and the
/// buffer is sound and keeps what was put whole; this is the one place in this crate where an allocator's refusal is
/// not an `Err`, but for the conversions. The methods of `LinkBuffer` itself return it.
///
/// ```
/// use bytes::BufMut;
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::new();
/// buf.put_u16(0x0102);
/// buf.put_slice(b"abc");
/// buf.put_bytes(b'.', 3);
/// assert_eq!(buf.malloc_len(), 8);
/// buf.flush();
/// assert_eq!(buf.next(8)?, b"\x01\x02abc...");
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
// SAFETY: `chunk_mut` hands out room that is the chain's alone; `advance_mut` counts no more than was there.
unsafe impl<A: NodeAllocator> BufMut for LinkBuffer<A> {
    /// What the length can still count: memory is not asked for in advance.
    #[inline]
    fn remaining_mut(&self) -> usize {
        self.chain.countable()
    }

    /// All of the tail's room, initialised or not; a new node's if there is none. Empty only at the length's limit.
    /// O(1).
    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        match self.chain.uninit_room() {
            Ok(room) => room,
            Err(error) => refused(error),
        }
    }

    /// Panics if the room that `chunk_mut` hands out has fewer than `n` bytes. O(1).
    #[inline]
    unsafe fn advance_mut(&mut self, n: usize) {
        // SAFETY: the caller initialised the first `n` bytes of what `chunk_mut` hands out, which is the tail's room.
        let done = unsafe { self.chain.add_filled(n) };
        assert!(done, "linkbuf: advance_mut beyond the room of chunk_mut");
        self.checked();
    }

    #[inline]
    fn put<T: Buf>(&mut self, mut src: T)
    where
        Self: Sized,
    {
        while src.has_remaining() {
            let piece = src.chunk();
            let n = piece.len();
            self.put_slice(piece);
            src.advance(n);
        }
    }

    #[inline]
    fn put_slice(&mut self, bytes: &[u8]) {
        if let Err(error) = self.write_binary(bytes) {
            refused(error);
        }
    }
}

impl View {
    /// The bytes, if they are static.
    pub(crate) fn as_static(&self) -> Option<&'static [u8]> {
        self.block().is_none().then(|| self.static_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AllocError, Heap, RawBlock, TailPolicy};
    use alloc::{vec, vec::Vec};
    use bytes::Bytes;

    /// A heap of which every block says that none of its bytes is initialised, in nodes of 16 bytes; dry, it refuses.
    #[derive(Clone)]
    struct Small {
        dry: bool,
    }

    // SAFETY: the heap's own promises; a lower mark is as true.
    unsafe impl NodeAllocator for Small {
        fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
            if self.dry {
                return Err(AllocError { size: min });
            }
            Ok(RawBlock {
                init: 0,
                ..Heap.allocate(min)?
            })
        }
        unsafe fn deallocate(&self, block: RawBlock) {
            // SAFETY: given by the heap.
            unsafe { Heap.deallocate(block) }
        }
        fn node_size(&self) -> usize {
            16
        }
    }

    fn small() -> LinkBuffer<Small> {
        LinkBuffer::new_in(Small { dry: false })
    }

    /// Fills `n` bytes of the room by hand.
    fn fill<A: NodeAllocator>(buf: &mut LinkBuffer<A>, n: usize, byte: u8) {
        let room = buf.chunk_mut();
        for i in 0..n {
            room.write_byte(i, byte);
        }
        // SAFETY: filled just now.
        unsafe { buf.advance_mut(n) };
    }

    fn flushed<A: NodeAllocator>(buf: &mut LinkBuffer<A>) -> Vec<u8> {
        buf.flush();
        buf.read_binary(buf.len()).unwrap()
    }

    #[test]
    fn the_room_is_used_up_before_there_is_more() {
        let mut buf = small();
        assert_eq!(buf.chunk_mut().len(), 16);
        fill(&mut buf, 10, b'a');
        assert_eq!(buf.chunk_mut().len(), 6);
        fill(&mut buf, 6, b'b');
        assert_eq!(buf.chunk_mut().len(), 16);
        assert_eq!(buf.malloc_len(), 16, "room is not pending");
        fill(&mut buf, 1, b'c');
        assert_eq!(flushed(&mut buf), b"aaaaaaaaaabbbbbbc");
    }

    #[test]
    fn bytes_filled_by_hand_and_by_copy_stand_in_order() {
        let mut buf = small();
        fill(&mut buf, 3, b'a');
        buf.put_slice(b"bb");
        buf.malloc(20).unwrap().fill(b'c');
        fill(&mut buf, 2, b'd');
        let slot = buf.slot(2).unwrap();
        fill(&mut buf, 1, b'f');
        buf.write_owned(vec![b'g'; 5000]).unwrap();
        fill(&mut buf, 1, b'h');
        buf.malloc_ack(5031).unwrap();
        fill(&mut buf, 1, b'i');
        buf.fill(&slot, b"ee").unwrap();
        let mut want = b"aaabbccccccccccccccccccccddeef".to_vec();
        want.extend([b'g'; 5000]);
        want.extend(b"hi");
        assert_eq!(flushed(&mut buf), want);
    }

    #[test]
    fn memory_that_was_advanced_over_is_initialised_for_the_next_writer() {
        // Under a checker of uninitialised memory: what is behind the filled bytes is cleared, what is before is not.
        let mut buf = small();
        fill(&mut buf, 5, 7);
        assert_eq!(buf.malloc(11).unwrap(), [0; 11]);
        buf.malloc_ack(2).unwrap();
        assert_eq!(buf.malloc(4).unwrap(), [7, 7, 7, 0]);
    }

    #[test]
    fn room_is_not_offered_twice_after_a_rewind() {
        let mut buf = LinkBuffer::builder().tail_policy(TailPolicy::Page).build();
        for _ in 0..3 {
            fill(&mut buf, 1000, 1);
            assert_eq!(flushed(&mut buf), [1; 1000]);
            buf.release();
        }
        assert_eq!(buf.memory().nodes, 1);
    }

    #[test]
    fn put_crosses_nodes_on_both_sides() {
        let mut src = small();
        let bytes: Vec<u8> = (0..100).collect();
        src.put_slice(&bytes);
        src.flush();
        let mut dst = small();
        dst.put(&mut src);
        dst.put(Bytes::from(bytes.clone()));
        dst.put_bytes(9, 40);
        dst.put_u64_le(1);
        assert!(src.is_empty());
        let want = [&bytes[..], &bytes, &[9; 40], &[1, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(flushed(&mut dst), want);
    }

    #[test]
    fn what_the_length_can_count_goes_down() {
        let mut buf = LinkBuffer::new();
        let all = isize::MAX.unsigned_abs();
        assert_eq!(buf.remaining_mut(), all);
        buf.put_slice(b"abc");
        assert_eq!(buf.remaining_mut(), all - 3);
        buf.flush();
        buf.put_u8(1);
        assert_eq!(buf.remaining_mut(), all - 4);
    }

    #[test]
    #[should_panic(expected = "beyond the room")]
    fn to_advance_beyond_the_room_panics() {
        let mut buf = small();
        let n = buf.chunk_mut().len();
        // SAFETY: refused before it counts.
        unsafe { buf.advance_mut(n + 1) };
    }

    #[test]
    #[should_panic(expected = "beyond the room")]
    fn to_advance_over_attached_bytes_panics() {
        let mut buf = LinkBuffer::from("abc");
        // SAFETY: refused before it counts.
        unsafe { buf.advance_mut(1) };
    }

    #[test]
    #[should_panic(expected = "no memory for 16 bytes")]
    fn no_memory_panics_and_never_gives_an_empty_room() {
        let mut buf = LinkBuffer::new_in(Small { dry: true });
        buf.chunk_mut();
    }

    #[cfg(feature = "std")]
    #[test]
    fn after_a_panic_for_memory_the_buffer_is_as_before() {
        use core::panic::AssertUnwindSafe;
        let mut buf = LinkBuffer::new_in(Small { dry: true });
        let put = std::panic::catch_unwind(AssertUnwindSafe(|| buf.put_slice(b"abc")));
        let room = std::panic::catch_unwind(AssertUnwindSafe(|| buf.chunk_mut().len()));
        assert!(put.is_err() && room.is_err());
        assert_eq!((buf.malloc_len(), buf.memory().nodes), (0, 0));
        buf.write_owned(vec![1; 5000]).unwrap();
        assert_eq!(flushed(&mut buf).len(), 5000);
    }

    #[test]
    fn static_views_are_told_from_others() {
        assert_eq!(View::from_static(b"ab").as_static(), Some(&b"ab"[..]));
        assert_eq!(View::copied(b"ab").unwrap().as_static(), None);
    }
}
