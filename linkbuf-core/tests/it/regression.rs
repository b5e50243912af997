//! Sequences that go wrong in netpoll's buffer, at commit fcc5e9d, and what is right. A test for each.
//!
//! In the comments `M` is malloc, `A` malloc_ack, `D` write_direct, `F` flush.

use std::sync::Arc;

use linkbuf_core::{
    Builder, Error, Heap, LinkBuffer, TailPolicy,
    testing::{
        allocators::{Odd, Tracking},
        model::pattern,
    },
};

use crate::support::{bytes_of, content, in_nodes, readable};

/// "AB" F; M4 "zzzz"; A0; F: the original publishes "zzzz" too.
#[test]
fn ack_of_0_discards_all_that_is_pending() {
    let mut buf = readable(b"AB");
    buf.malloc(4).unwrap().copy_from_slice(b"zzzz");
    buf.malloc_ack(0).unwrap();
    assert_eq!(buf.malloc_len(), 0);
    buf.flush();
    assert_eq!(content(&buf), b"AB");
    assert_eq!(buf.next(2).unwrap(), b"AB");
}

/// M5; A6: the original dereferences nil.
#[test]
fn ack_of_more_than_is_pending_is_refused() {
    let mut buf = LinkBuffer::new();
    buf.malloc(5).unwrap().copy_from_slice(b"hello");
    let refused = buf.malloc_ack(6).unwrap_err();
    assert_eq!(
        refused,
        Error::BeyondPending {
            asked: 6,
            pending: 5
        }
    );
    buf.flush();
    assert_eq!(content(&buf), b"hello");
}

/// "AAAA" F; M4; D("xx", 6); F: the original writes into published bytes.
#[test]
fn an_insertion_before_what_is_pending_is_refused() {
    let mut buf = readable(b"AAAA");
    buf.malloc(4).unwrap().copy_from_slice(b"bbbb");
    let refused = buf.write_direct(b"xx".to_vec(), 6).unwrap_err();
    assert_eq!(refused.value, b"xx");
    assert_eq!(
        refused.error,
        Error::BeyondPending {
            asked: 6,
            pending: 4
        }
    );
    buf.flush();
    assert_eq!(content(&buf), b"AAAAbbbb");
}

/// M2000; D(500 B, 1000); F; s = slice(1000); read the rest; release; allocate: in the original s changes.
#[test]
fn a_block_that_an_insertion_split_lives_until_its_last_view() {
    let alloc = Tracking::with_quarantine(Heap);
    let mut buf = LinkBuffer::new_in(alloc.clone());
    buf.malloc(2000).unwrap().copy_from_slice(&pattern(1, 2000));
    buf.write_direct(pattern(2, 500), 1000).unwrap();
    buf.flush();
    let slice = buf.slice(1000).unwrap();
    buf.skip(1500).unwrap();
    buf.release();
    for seed in 0..4 {
        buf.write_binary(&pattern(seed, 2000)).unwrap();
    }
    buf.clear();
    assert_eq!(bytes_of(&slice), &pattern(1, 2000)[..1000]);
    drop(buf);
    assert_eq!(bytes_of(&slice), &pattern(1, 2000)[..1000]);
    drop(slice);
    alloc.assert_balanced();
}

/// write_binary(8192 B of the caller's); D(x, 4); F; read; release: the caller's memory enters the original's pool.
#[test]
fn foreign_memory_is_never_written_to_nor_pooled() {
    let alloc = Tracking::new(Heap);
    let mine: Arc<[u8]> = pattern(9, 8192).into();
    let mut buf = Builder::new_in(alloc.clone())
        .tail_policy(TailPolicy::Keep(1 << 20))
        .build();
    buf.write_owned(Arc::clone(&mine)).unwrap();
    buf.write_direct(b"x".to_vec(), 4).unwrap();
    buf.flush();
    assert_eq!(buf.len(), 8193);
    assert_eq!(buf.next(8189).unwrap()[8188], b'x');
    buf.release();
    buf.skip(4).unwrap();
    buf.release();
    assert_eq!(Arc::strong_count(&mine), 1, "nothing refers to it any more");
    for _ in 0..4 {
        buf.malloc(8192).unwrap().fill(0xEE);
    }
    assert_eq!(*mine, pattern(9, 8192));
    drop(buf);
    alloc.assert_balanced();
}

/// p = peek(200) across nodes; peek(9000): the original overwrites p.
#[test]
fn a_longer_peek_leaves_a_shorter_one_alone() {
    let all = pattern(5, 9000);
    let pieces: Vec<&[u8]> = all.chunks(150).collect();
    let mut buf = in_nodes(&pieces);
    let mut session = buf.session();
    let short = session.peek(200).unwrap();
    let long = session.peek(9000).unwrap();
    let middle = session.peek(1000).unwrap();
    assert_eq!(short, &all[..200]);
    assert_eq!(long, all);
    assert_eq!(middle, &all[..1000]);
    assert_eq!(session.next(9000).unwrap(), all);
    assert_eq!(short, &all[..200]);
}

/// p = peek(200) across nodes; skip(1); peek(200): p changes in the original.
#[test]
fn a_peek_after_a_skip_leaves_the_first_alone() {
    let all = pattern(6, 1000);
    let pieces: Vec<&[u8]> = all.chunks(90).collect();
    let mut buf = in_nodes(&pieces);
    let mut session = buf.session();
    let first = session.peek(200).unwrap();
    session.skip(1).unwrap();
    let second = session.peek(200).unwrap();
    assert_eq!(first, &all[..200]);
    assert_eq!(second, &all[1..201]);
}

/// Export of two nodes of 4196 B: the original leaves the last node out.
#[test]
fn an_export_has_all_readable_bytes() {
    let mut buf = LinkBuffer::new();
    for seed in [1, 2] {
        buf.malloc(4196)
            .unwrap()
            .copy_from_slice(&pattern(seed, 4196));
    }
    buf.flush();
    let mut all = pattern(1, 4196);
    all.extend(pattern(2, 4196));
    assert_eq!(content(&buf), all);

    let mut out = [std::io::IoSlice::new(&[]); 8];
    let n = buf.io_slices(&mut out);
    let exported: Vec<u8> = out[..n].iter().flat_map(|s| s.to_vec()).collect();
    assert_eq!(exported, all);

    let mut one = [std::io::IoSlice::new(&[])];
    assert_eq!(buf.io_slices(&mut one), 1);
    assert!(all.starts_with(&one[0]));
    assert_eq!(buf.io_slices(&mut []), 0);
}

/// d.append(a.slice(5)): the original dereferences nil.
#[test]
fn a_slice_can_be_appended() {
    let mut a = readable(b"hello world");
    let mut d = LinkBuffer::new();
    d.append_slice(a.slice(5).unwrap()).unwrap();
    assert_eq!((d.len(), d.malloc_len()), (0, 5));
    d.flush();
    drop(a);
    assert_eq!(d.next(5).unwrap(), b"hello");
}

/// M3 "abc"; append(flushed "def"); next(3): the original gives "def", before the flush.
#[test]
fn appended_bytes_wait_behind_pending_ones() {
    let mut buf = LinkBuffer::new();
    buf.malloc(3).unwrap().copy_from_slice(b"abc");
    buf.append(readable(b"def")).unwrap();
    assert_eq!(
        buf.next(3),
        Err(Error::NotEnough {
            asked: 3,
            readable: 0
        })
    );
    assert_eq!(buf.malloc_len(), 6);
    buf.flush();
    assert_eq!(buf.next(6).unwrap(), b"abcdef");
}

/// append(flushed "def") to an empty buffer; A0; F; next(3): the original crashes.
#[test]
fn appended_readable_bytes_are_not_discarded_by_an_ack() {
    let mut buf = LinkBuffer::new();
    buf.append(readable(b"def")).unwrap();
    assert_eq!(buf.len(), 3);
    buf.malloc_ack(0).unwrap();
    buf.flush();
    assert_eq!(buf.next(3).unwrap(), b"def");
}

/// M16K twice; A10; F: the original never gives the second node back.
#[test]
fn nodes_of_discarded_bytes_come_back() {
    let alloc = Tracking::new(Heap);
    let mut buf = LinkBuffer::new_in(alloc.clone());
    for _ in 0..2 {
        buf.malloc(16 << 10).unwrap().fill(1);
    }
    buf.malloc_ack(10).unwrap();
    buf.flush();
    assert!(
        alloc.live_bytes() < 2 * (16 << 10),
        "the second node is back already"
    );
    assert_eq!(buf.next(10).unwrap(), [1; 10]);
    buf.release();
    assert!(alloc.live_bytes() <= 4096);
    drop(buf);
    alloc.assert_balanced();
}

/// M9000; F; read all; release: the tail holds a page at most.
#[test]
fn a_large_message_leaves_a_page_at_most() {
    let alloc = Tracking::new(Heap);
    let mut buf = LinkBuffer::new_in(alloc.clone());
    buf.malloc(9000).unwrap().fill(1);
    buf.flush();
    buf.skip(9000).unwrap();
    buf.release();
    assert!(alloc.live_bytes() <= 4096, "{} bytes", alloc.live_bytes());
    let kept = buf.memory();
    assert!(
        kept.live + kept.spare + kept.overhead <= 4096,
        "{kept:?} all told"
    );
}

/// A node larger than a page is not written to again after a flush: a small message must not hold on to it.
#[test]
fn a_small_message_does_not_hold_on_to_the_node_of_a_large_one() {
    let alloc = Tracking::new(Heap);
    let mut buf = LinkBuffer::new_in(alloc.clone());
    buf.malloc(1 << 20).unwrap();
    buf.malloc_ack(10).unwrap();
    buf.flush();
    buf.write_binary(b"small").unwrap();
    buf.flush();
    buf.skip(10).unwrap();
    buf.release();
    assert_eq!(content(&buf), b"small");
    assert!(alloc.live_bytes() <= 8192, "{} bytes", alloc.live_bytes());
}

/// append 40 × one 64 MiB static region: a length right above 2³¹.
#[test]
fn lengths_beyond_2_to_the_31_are_right() {
    static REGION: [u8; 64 << 20] = [0; 64 << 20];
    let mut buf = LinkBuffer::new();
    for i in 1..=40 {
        buf.write_owned(&REGION[..]).unwrap();
        assert_eq!(buf.malloc_len(), i * (64 << 20));
    }
    buf.flush();
    assert_eq!(buf.len(), 40 * (64 << 20));
    assert_eq!(buf.chunks().map(<[u8]>::len).sum::<usize>(), buf.len());
    let slice = buf.slice(39 * (64 << 20) + 1).unwrap();
    assert_eq!(slice.len(), 39 * (64 << 20) + 1);
    buf.skip((64 << 20) - 2).unwrap();
    assert_eq!(buf.len(), 1);
}

/// A read call returns EINTR between book and book_ack: the same booking, no gap.
#[test]
fn an_interrupted_read_leaves_no_gap() {
    let mut buf = readable(b"before ");
    let first = buf.book(16, 512).unwrap().as_ptr_range();
    // The call gave nothing: the caller books again.
    let room = buf.book(16, 512).unwrap();
    assert_eq!(room.as_ptr_range(), first);
    room[..5].copy_from_slice(b"after");
    assert_eq!(buf.len(), 7);
    buf.book_ack(5).unwrap();
    assert_eq!(content(&buf), b"before after");
}

/// A source returns (5 bytes, then end): 5 bytes, then nothing.
#[test]
fn a_short_read_publishes_what_came() {
    let mut buf = LinkBuffer::new();
    buf.book(100, 4096).unwrap()[..5].copy_from_slice(b"five!");
    buf.book_ack(5).unwrap();
    assert_eq!(content(&buf), b"five!");
    // The end: a read of 0 bytes.
    buf.book(100, 4096).unwrap();
    buf.book_ack(0).unwrap();
    assert_eq!(buf.next(5).unwrap(), b"five!");
    assert!(buf.is_empty());
}

/// M4; flush twice; skip 2; flush; M2; flush.
#[test]
fn flushes_without_pending_bytes_change_nothing() {
    let mut buf = LinkBuffer::new();
    buf.malloc(4).unwrap().copy_from_slice(b"1234");
    buf.flush();
    buf.flush();
    buf.skip(2).unwrap();
    buf.flush();
    buf.malloc(2).unwrap().copy_from_slice(b"56");
    buf.flush();
    assert_eq!(buf.len(), 4);
    assert_eq!(buf.next(4).unwrap(), b"3456");
}

/// 12 bytes read and released; another buffer mallocs 12: with scrub on it doesn't see the first buffer's bytes.
#[test]
fn a_scrubbing_buffer_never_shows_anothers_bytes() {
    // Blocks of this allocator come with the bytes of a former owner.
    let alloc = Odd::new();
    let mut buf = Builder::new_in(alloc).scrub(true).node_size(64).build();
    let secret = [Odd::OLD; 4];
    for n in [12, 1, 64, 65, 200, 3, 4096] {
        let room = buf.malloc(n).unwrap();
        assert!(!room.windows(4).any(|w| w == secret), "malloc({n})");
        room.fill(1);
        let slot = buf.slot(n).unwrap();
        let room = buf.slot_mut(&slot).unwrap();
        assert!(!room.windows(4).any(|w| w == secret), "slot({n})");
        room.fill(1);
    }
    buf.clear();
    for _ in 0..20 {
        let room = buf.book(100, 300).unwrap();
        assert!(!room.windows(4).any(|w| w == secret), "book");
        room[..50].fill(1);
        buf.book_ack(50).unwrap();
    }
}

/// The same, with blocks that the first buffer returned and the second one gets.
#[test]
fn a_scrubbing_buffer_does_not_see_what_another_released() {
    // Clones of one pool: what one buffer returns, the next one gets, with its bytes.
    let alloc = pool::Pool::default();
    let mut first = LinkBuffer::new_in(alloc.clone());
    first.write_binary(b"my password!").unwrap();
    first.flush();
    first.skip(12).unwrap();
    first.release();
    drop(first);
    assert_eq!(alloc.cached(), 1, "the block is back, with its bytes");
    let mut second = Builder::new_in(alloc).scrub(true).build();
    assert_eq!(second.malloc(12).unwrap(), [0; 12]);
}

/// The same, with memory that stays in the buffer: its own earlier messages, and those of one that was appended.
#[test]
fn a_scrubbing_buffer_shows_nothing_of_what_was_read() {
    let generous = TailPolicy::Keep(1 << 20);
    let mut buf = LinkBuffer::builder()
        .scrub(true)
        .tail_policy(generous)
        .build();
    let is_clean = |room: &mut [u8]| room.iter().all(|b| *b == 0);
    for round in 0..20_usize {
        for n in [10, 3000, 9000] {
            buf.malloc(n).unwrap().fill(0xEE);
        }
        let mut other = LinkBuffer::builder().tail_policy(generous).build();
        for _ in 0..3 {
            other.malloc(5000).unwrap().fill(0xEE);
        }
        other.flush();
        // Its tail has been used before: what lies behind these bytes is old.
        other.skip(15_000).unwrap();
        other.release();
        other.malloc(100).unwrap().fill(0xEE);
        buf.append(other).unwrap();
        assert!(
            is_clean(buf.malloc(50).unwrap()),
            "behind an appended buffer"
        );
        buf.flush();
        // Read in one go, or node by node, or not at all.
        match round % 3 {
            0 => buf.skip(buf.len()).unwrap(),
            1 => {
                while !buf.is_empty() {
                    buf.skip(buf.len().min(1000)).unwrap();
                    buf.release();
                }
            }
            _ => buf.clear(),
        }
        buf.release();
        for n in [1, 100, 3000, 10_000] {
            assert!(is_clean(buf.malloc(n).unwrap()), "malloc({n})");
            let slot = buf.slot(n).unwrap();
            assert!(is_clean(buf.slot_mut(&slot).unwrap()), "slot({n})");
        }
        buf.clear();
        assert!(is_clean(buf.book(4000, 20_000).unwrap()), "book");
        buf.book_ack(0).unwrap();
        buf.clear();
    }
}

/// Memory that was never written to reads as something initialised; tools that watch memory check this.
#[test]
fn fresh_memory_is_initialised() {
    let mut buf = Builder::new_in(Odd::new()).node_size(100).build();
    let mut sum = 0;
    for n in [1, 50, 100, 101, 5000] {
        let room = buf.malloc(n).unwrap();
        sum += room.iter().map(|b| u64::from(*b)).sum::<u64>();
        let slot = buf.slot(n).unwrap();
        let room = buf.slot_mut(&slot).unwrap();
        sum += room.iter().map(|b| u64::from(*b)).sum::<u64>();
    }
    // What was shown is what is published.
    buf.flush();
    let bytes = buf.read_binary(buf.len()).unwrap();
    assert_eq!(bytes.iter().map(|b| u64::from(*b)).sum::<u64>(), sum);
}

/// A pool that keeps every block as it is.
mod pool {
    #![expect(
        unsafe_code,
        reason = "implements the unsafe trait `NodeAllocator` and sends blocks between threads"
    )]

    use std::sync::{Arc, Mutex};

    use linkbuf_core::{AllocError, Heap, NodeAllocator, RawBlock};

    #[derive(Clone, Default)]
    pub(super) struct Pool(Arc<Shelf>);

    #[derive(Default)]
    struct Shelf(Mutex<Vec<Cached>>);

    struct Cached(RawBlock);

    // SAFETY: a block on the shelf is the shelf's alone, and any thread may return it.
    unsafe impl Send for Cached {}

    impl Pool {
        pub(super) fn cached(&self) -> usize {
            self.0.0.lock().unwrap().len()
        }
    }

    // SAFETY: blocks are the heap's; one is handed out again only after it came back, with its length, and with the
    // bytes that its user said to be initialised.
    unsafe impl NodeAllocator for Pool {
        fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
            let mut shelf = self.0.0.lock().map_err(|_| AllocError { size: min })?;
            match shelf.iter().position(|b| b.0.len >= min) {
                Some(at) => Ok(shelf.swap_remove(at).0),
                None => Heap.allocate(min),
            }
        }

        unsafe fn deallocate(&self, block: RawBlock) {
            match self.0.0.lock() {
                Ok(mut shelf) => shelf.push(Cached(block)),
                // SAFETY: the heap gave it, and the caller gives it up.
                Err(_) => unsafe { Heap.deallocate(block) },
            }
        }
    }

    impl Drop for Shelf {
        fn drop(&mut self) {
            let Ok(blocks) = self.0.get_mut() else { return };
            for Cached(block) in blocks.drain(..) {
                // SAFETY: the heap gave it, and it was on this shelf only.
                unsafe { Heap.deallocate(block) }
            }
        }
    }
}
