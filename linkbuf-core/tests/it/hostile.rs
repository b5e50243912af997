//! Callers that keep to the types and to nothing else. Whatever they do, memory stays sound and the buffer usable.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use linkbuf_core::{
    Builder, Error, Heap, LinkBuffer, Slice,
    testing::{
        allocators::{Odd, Tracking},
        model::pattern,
    },
};

use crate::support::{Drops, bytes_of, content, heap_live, readable};

/// The buffer still takes and gives bytes.
fn works(mut buf: LinkBuffer) {
    buf.clear();
    buf.write_binary(b"still").unwrap();
    buf.write_direct(b" alive".to_vec(), 0).unwrap();
    buf.flush();
    assert_eq!(buf.next(11).unwrap(), b"still alive");
}

/// Panics when it is asked for its bytes, at the n-th time.
struct Panicking {
    calls_left: AtomicUsize,
    counted: crate::support::Dropping,
}

impl Panicking {
    fn after(calls: usize, drops: &Drops) -> Self {
        Self {
            calls_left: AtomicUsize::new(calls),
            counted: drops.value(pattern(1, 5000)),
        }
    }
}

impl AsRef<[u8]> for Panicking {
    fn as_ref(&self) -> &[u8] {
        let left = self.calls_left.load(Ordering::Relaxed);
        assert_ne!(left, 0, "asked once too often");
        self.calls_left.store(left - 1, Ordering::Relaxed);
        self.counted.as_ref()
    }
}

#[test]
fn owners_that_panic_when_asked() {
    // The first panics of a thread set things up that stay.
    offer_panicking_owners();
    let (before, _) = heap_live();
    offer_panicking_owners();
    let (after, _) = heap_live();
    assert_eq!(after, before, "heap blocks that were left behind");
}

fn offer_panicking_owners() {
    for calls in 0..6 {
        let drops = Drops::default();
        let mut given = 0;
        let mut buf = readable(b"published");
        buf.write_binary(b"pending").unwrap();
        for verb in 0..3 {
            let value = Panicking::after(calls, &drops);
            given += 1;
            let (len, pending) = (buf.len(), buf.malloc_len());
            let outcome = catch_unwind(AssertUnwindSafe(|| match verb {
                0 => buf.write_owned(value).is_ok(),
                1 => buf.write_direct(value, 3).is_ok(),
                _ => Slice::from_owner(value).is_ok(),
            }));
            let grown = if outcome.is_ok() && verb < 2 { 5000 } else { 0 };
            assert_eq!((buf.len(), buf.malloc_len()), (len, pending + grown));
        }
        buf.flush();
        let n = buf.len();
        let all = buf.read_binary(n).unwrap();
        assert!(all.starts_with(b"publishedpend"));
        works(buf);
        assert_eq!(drops.count(), given, "each value was dropped once");
    }
}

/// Gives other bytes each time it is asked.
struct Changing {
    calls: AtomicUsize,
    answers: Vec<Vec<u8>>,
}

impl AsRef<[u8]> for Changing {
    fn as_ref(&self) -> &[u8] {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        &self.answers[call % self.answers.len()]
    }
}

#[test]
fn owners_that_change_their_mind() {
    // Short, long, empty, and around the copy threshold, in every order.
    let sizes = [0, 1, 100, 4095, 4096, 10_000];
    for first in sizes {
        for second in sizes {
            let value = || Changing {
                calls: AtomicUsize::new(0),
                answers: vec![pattern(1, first), pattern(2, second), pattern(3, 50)],
            };
            let mut buf = readable(b"published");
            buf.write_binary(b"pending").unwrap();
            let mut expected = buf.malloc_len();
            buf.write_owned(value()).unwrap();
            let grown = buf.malloc_len() - expected;
            assert!([first, second, 50].contains(&grown), "write_owned: {grown}");
            expected = buf.malloc_len();
            buf.write_direct(value(), 3).unwrap();
            let grown = buf.malloc_len() - expected;
            assert!(
                [first, second, 50].contains(&grown),
                "write_direct: {grown}"
            );
            let slice = Slice::from_owner(value()).unwrap();
            assert_eq!(bytes_of(&slice).len(), slice.len());
            buf.append_slice(slice).unwrap();
            buf.flush();
            assert_eq!(content(&buf).len(), buf.len());
            let all = buf.slice(buf.len()).unwrap();
            assert_eq!(all.to_vec().unwrap().len(), all.len());
            works(buf);
        }
    }
}

/// Owns nothing and takes no memory.
#[derive(Clone, Copy)]
struct Nothing;

impl AsRef<[u8]> for Nothing {
    fn as_ref(&self) -> &[u8] {
        &[7; 6000]
    }
}

/// Takes no memory, and is aligned to a page.
#[derive(Clone, Copy)]
#[repr(align(4096))]
struct AlignedNothing;

impl AsRef<[u8]> for AlignedNothing {
    fn as_ref(&self) -> &[u8] {
        assert!((&raw const *self).is_aligned());
        &[8; 6000]
    }
}

/// Has its bytes in itself: they move with the value.
#[derive(Clone, Copy)]
struct Inline<const N: usize>([u8; N]);

impl<const N: usize> AsRef<[u8]> for Inline<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The same, on a large alignment.
#[derive(Clone, Copy)]
#[repr(align(1024))]
struct InlineAligned([u8; 1500]);

impl AsRef<[u8]> for InlineAligned {
    fn as_ref(&self) -> &[u8] {
        assert!(
            (&raw const *self).is_aligned(),
            "as_ref of a misaligned value"
        );
        &self.0
    }
}

/// Gives `value` in every way and checks that its bytes are there, and stay.
fn give<T: AsRef<[u8]> + Copy + Send + 'static>(value: T, bytes: &[u8]) {
    let alloc = Tracking::new(Odd::new());
    let mut buf = Builder::new_in(alloc.clone()).copy_threshold(1).build();
    buf.write_binary(b"<>").unwrap();
    buf.write_owned(value).unwrap();
    buf.write_direct(value, bytes.len() + 1).unwrap();
    buf.write_direct(value, bytes.len() / 2).unwrap();
    buf.append_slice(Slice::from_owner(value).unwrap()).unwrap();
    buf.flush();
    let mut all = b"<".to_vec();
    all.extend(bytes);
    all.push(b'>');
    all.extend(&bytes[..bytes.len() - bytes.len() / 2]);
    all.extend(bytes);
    all.extend(&bytes[bytes.len() - bytes.len() / 2..]);
    all.extend(bytes);
    let mut moved = Box::new(buf);
    assert_eq!(content(&moved), all);
    let slice = moved.slice(all.len() - 1).unwrap();
    drop(moved);
    assert_eq!(bytes_of(&slice), all[..all.len() - 1]);
    drop(slice);
    alloc.assert_balanced();
}

#[test]
fn owners_of_every_shape() {
    give(Nothing, &[7; 6000]);
    give(AlignedNothing, &[8; 6000]);
    give(Inline([1; 1]), &[1; 1]);
    give(Inline([2; 8]), &[2; 8]);
    give(Inline([3; 31]), &[3; 31]);
    give(Inline([4; 33]), &[4; 33]);
    give(Inline([5; 5000]), &[5; 5000]);
    give(InlineAligned([6; 1500]), &[6; 1500]);
    give("a string of the program", b"a string of the program");
}

/// Panics when it is dropped.
struct Bomb(Vec<u8>);

impl AsRef<[u8]> for Bomb {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped");
        }
    }
}

#[test]
fn owners_that_panic_when_dropped_leaks_at_most() {
    let verbs: [fn(&mut LinkBuffer); 5] = [
        |buf| {
            buf.flush();
            buf.skip(buf.len()).unwrap();
            buf.release();
        },
        |buf| buf.malloc_ack(2).unwrap(),
        |buf| buf.clear(),
        |buf| {
            buf.flush();
            drop(buf.slice(buf.len()).unwrap());
            buf.release();
        },
        |buf| *buf = LinkBuffer::new(),
    ];
    for verb in verbs {
        let alloc = Tracking::with_quarantine(Heap);
        let mut watched = LinkBuffer::new_in(alloc.clone());
        let mut buf = readable(b"published");
        for i in 0..3 {
            buf.write_binary(b"some bytes").unwrap();
            buf.write_owned(Bomb(pattern(i, 5000))).unwrap();
        }
        let mut bombs = 0;
        let mut act = |buf: &mut LinkBuffer| {
            bombs += usize::from(catch_unwind(AssertUnwindSafe(|| verb(buf))).is_err());
        };
        act(&mut buf);
        // Whatever state it is in: it is a state.
        let shown = catch_unwind(AssertUnwindSafe(|| {
            assert_eq!(content(&buf).len(), buf.len());
            buf.flush();
            assert_eq!(content(&buf).len(), buf.len());
        }));
        assert!(shown.is_ok());
        let _ = catch_unwind(AssertUnwindSafe(|| drop(buf)));
        assert!(bombs > 0, "the verb drops owners");

        // And the bytes of others are as they were.
        watched.write_binary(&pattern(1, 9000)).unwrap();
        watched.flush();
        assert_eq!(content(&watched), pattern(1, 9000));
        drop(watched);
        alloc.assert_balanced();
    }
}

/// Of any type: whether it has a destructor is not the caller's to know.
fn forget<T>(value: T) {
    mem::forget(value);
}

#[test]
fn a_forgotten_reader() {
    let mut buf = LinkBuffer::builder().node_size(64).build();
    buf.write_binary(&pattern(1, 1000)).unwrap();
    buf.flush();
    for n in [1, 100, 300] {
        let mut reader = buf.session();
        reader.peek(n + 50).unwrap();
        reader.next(n).unwrap();
        forget(reader);
        buf.release();
    }
    assert_eq!(content(&buf), &pattern(1, 1000)[401..]);
    works(buf);
}

#[test]
fn a_forgotten_appender() {
    let mut buf = LinkBuffer::builder().node_size(64).build();
    let slot = buf.slot(4).unwrap();
    for n in [0_usize, 3, 60, 200] {
        let before = buf.malloc_len();
        let mut appender = buf.appender(100).unwrap();
        appender.put(&pattern(1, n)).unwrap();
        forget(appender);
        // Put bytes may be there or not; nothing else is.
        let grown = buf.malloc_len() - before;
        assert!(grown <= n, "{grown} of {n}");
        buf.write_byte(b'.').unwrap();
        assert_eq!(buf.malloc_len(), before + grown + 1);
    }
    buf.fill(&slot, b"good").unwrap();
    let pending = buf.malloc_len();
    buf.flush();
    assert_eq!(content(&buf).len(), pending);
    assert!(content(&buf).starts_with(b"good"));
    works(buf);
}

#[test]
fn a_forgotten_booking() {
    let mut buf = readable(b"hello");
    buf.book(100, 200).unwrap().fill(1);
    buf.write_binary(b" world").unwrap();
    let refused = buf.book_ack(1).unwrap_err();
    assert_eq!(refused, Error::PendingInTheWay { pending: 6 });
    buf.flush();
    assert_eq!(content(&buf), b"hello world");
    for verb in [
        LinkBuffer::flush,
        LinkBuffer::release,
        LinkBuffer::clear,
        LinkBuffer::trim,
    ] {
        let mut buf = readable(b"hello");
        buf.skip(5).unwrap();
        buf.book(100, 200).unwrap()[..3].copy_from_slice(b"abc");
        verb(&mut buf);
        // The booking may have survived or not; if so, it is what it was.
        match buf.book_ack(3) {
            Ok(()) => assert_eq!(content(&buf), b"abc"),
            Err(refused) => {
                assert_eq!(
                    refused,
                    Error::BeyondBooked {
                        asked: 3,
                        booked: 0
                    }
                );
                assert!(buf.is_empty());
            }
        }
        works(buf);
    }
}

#[test]
fn a_booking_does_not_come_back_to_life() {
    let ends: [fn(&mut LinkBuffer); 5] = [
        |buf| buf.release(),
        |buf| buf.clear(),
        |buf| buf.trim(),
        |buf| buf.append(readable(b"more")).unwrap(),
        |_| {},
    ];
    for end in ends {
        let mut buf = readable(b"hello");
        buf.skip(5).unwrap();
        buf.book(100, 200).unwrap().fill(1);
        end(&mut buf);
        // The next byte is written to where the booking was, as far as anybody can tell.
        for n in [5, 1] {
            buf.write_binary(&vec![b'.'; n]).unwrap();
            buf.flush();
            let refused = buf.book_ack(1);
            let gone = Error::BeyondBooked {
                asked: 1,
                booked: 0,
            };
            assert_eq!(refused, Err(gone));
        }
        assert!(content(&buf).ends_with(b"......"));
    }
}

#[test]
fn reading_ends_no_pending_write() {
    let mut buf = LinkBuffer::builder().node_size(64).build();
    buf.write_binary(b"read me").unwrap();
    buf.flush();
    let slot = buf.slot(4).unwrap();
    buf.skip(7).unwrap();
    buf.release();
    buf.trim();
    buf.fill(&slot, b"kept").unwrap();
    buf.release();
    buf.flush();
    assert_eq!(content(&buf), b"kept");
}

#[test]
fn slices_do_not_see_later_writes() {
    let alloc = Tracking::with_quarantine(Odd::new());
    let mut buf = Builder::new_in(alloc.clone()).node_size(256).build();
    let mut kept = Vec::new();
    for i in 0..300_u32 {
        let seed = i.to_le_bytes()[0];
        let n = (i as usize * 37) % 90;
        buf.write_binary(&pattern(seed, n)).unwrap();
        buf.flush();
        if i % 5 == 4 {
            buf.malloc(20).unwrap().fill(0xEE);
            buf.malloc_ack(0).unwrap();
        }
        kept.push((buf.slice(n).unwrap(), pattern(seed, n)));
        if i % 7 == 0 {
            buf.release();
        }
        if i % 50 == 49 {
            buf.clear();
        }
    }
    drop(buf);
    for (slice, bytes) in kept {
        assert_eq!(bytes_of(&slice), bytes);
    }
    alloc.assert_balanced();
}

#[test]
fn slices_of_slices_in_buffers_of_slices() {
    let drops = Drops::default();
    let mut slice = Slice::from_owner(drops.value(pattern(1, 100_000))).unwrap();
    for i in 0..50 {
        let mut buf = LinkBuffer::builder().copy_threshold(1).build();
        let front = slice.split_to(1000 + i).unwrap();
        buf.append_slice(slice).unwrap();
        buf.append_slice(front).unwrap();
        buf.flush();
        slice = buf.slice(buf.len()).unwrap();
    }
    assert_eq!(slice.len(), 100_000);
    let mut sorted = bytes_of(&slice);
    sorted.sort_unstable();
    let mut expected = pattern(1, 100_000);
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(drops.count(), 0);
    drop(slice);
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_slice_as_the_owner_of_its_own_buffers_bytes() {
    /// Owns a buffer and shows a slice of it.
    struct Nested {
        slice: Slice,
        _buf: LinkBuffer,
    }
    impl AsRef<[u8]> for Nested {
        fn as_ref(&self) -> &[u8] {
            self.slice.as_contiguous().unwrap()
        }
    }
    let mut inner = readable(&pattern(1, 3000));
    let slice = inner.slice(3000).unwrap();
    for _ in 0..20 {
        let nested = Nested {
            slice: slice.clone(),
            _buf: inner,
        };
        inner = LinkBuffer::new();
        inner.write_direct(nested, 0).unwrap();
        inner.flush();
    }
    assert_eq!(content(&inner), pattern(1, 3000));
    drop(inner);
    assert_eq!(bytes_of(&slice), pattern(1, 3000));
}

#[test]
fn the_last_view_may_go_while_the_buffer_works() {
    let shared: Arc<[u8]> = pattern(1, 5000).into();
    let mut buf = LinkBuffer::new();
    for _ in 0..100 {
        buf.write_owned(Arc::clone(&shared)).unwrap();
        buf.flush();
        let slice = buf.slice(5000).unwrap();
        let thread = std::thread::spawn(move || drop(slice));
        buf.release();
        buf.write_binary(b"x").unwrap();
        thread.join().unwrap();
    }
    drop(buf);
    assert_eq!(Arc::strong_count(&shared), 1);
}
