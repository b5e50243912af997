//! What is kept when nothing goes on.

use linkbuf_core::{
    Builder, Heap, LinkBuffer, NodeAllocator, TailPolicy, testing::allocators::Tracking,
};
use linkbuf_net::{Connection, ReadOutcome, ReadStop, WriteStop, read_some};

use crate::{
    choppy::{ALL, BLOCK, Choppy, Step},
    stream::pattern,
};

const PAGE: usize = 4096;
const LARGE: usize = 1 << 20;

/// One large request and its large answer, then nothing more for now.
fn one_large_exchange(conn: &mut Connection<Choppy<Loop>, Tracking>) {
    while conn.fill_some(usize::MAX).unwrap().stop != ReadStop::WouldBlock {}
    let (input, output) = conn.buffers_mut();
    assert_eq!(input.len(), LARGE);
    output.append_slice(input.slice(LARGE).unwrap()).unwrap();
    assert_eq!(conn.flush().unwrap().stop, WriteStop::Empty);
    assert_eq!(conn.fill().unwrap(), ReadOutcome::WouldBlock);
}

/// Gives a stream of bytes and counts what it gets.
struct Loop {
    source: std::io::Cursor<Vec<u8>>,
    taken: usize,
}

impl std::io::Read for Loop {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        match self.source.read(room) {
            Ok(0) => Err(std::io::ErrorKind::WouldBlock.into()),
            result => result,
        }
    }
}

impl std::io::Write for Loop {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.taken += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn connection(policy: TailPolicy) -> (Connection<Choppy<Loop>, Tracking>, [Tracking; 2]) {
    let books = [Tracking::new(Heap), Tracking::new(Heap)];
    let [input, output] = books
        .clone()
        .map(|books| Builder::new_in(books).tail_policy(policy).build());
    let stream = Choppy::new(Loop {
        source: std::io::Cursor::new(pattern(LARGE)),
        taken: 0,
    });
    (Connection::with_buffers(stream, input, output), books)
}

#[test]
fn an_idle_connection_keeps_at_most_a_page_a_direction() {
    let (mut conn, books) = connection(TailPolicy::Page);
    one_large_exchange(&mut conn);
    assert_eq!(conn.stream().inner.taken, LARGE);
    for (buf, books) in [conn.input(), conn.output()].into_iter().zip(&books) {
        assert!(buf.memory().total() <= PAGE, "{:?}", buf.memory());
        assert!(books.live_bytes() <= PAGE, "{}", books.live_bytes());
    }
    assert!(books[0].peak_bytes() >= LARGE, "it was held before");
    drop(conn);
    books.iter().for_each(Tracking::assert_balanced);
}

#[test]
fn with_the_release_policy_it_keeps_nothing() {
    let (mut conn, books) = connection(TailPolicy::Release);
    one_large_exchange(&mut conn);
    for (buf, books) in [conn.input(), conn.output()].into_iter().zip(&books) {
        assert_eq!(buf.memory().total(), 0);
        assert_eq!(books.live_bytes(), 0);
    }
}

/// After one large packet: (largest room before it, largest room long after it, bytes kept while idle).
fn around_a_large_packet<A: NodeAllocator>(mut buf: LinkBuffer<A>) -> (usize, usize, usize) {
    // 20 small messages, a large one in 40 full reads, 40 small ones; each followed by an idle socket.
    let small = |call: usize| {
        if call.is_multiple_of(2) {
            Step::Cut(100)
        } else {
            BLOCK
        }
    };
    let mut source = Choppy::new(std::io::repeat(7)).reads(move |call| match call {
        40..80 => ALL,
        _ => small(call),
    });
    while source.rooms.len() < 160 {
        assert!(read_some(&mut buf, &mut source, usize::MAX).is_ok());
        buf.clear();
    }
    let rooms = source.room_lengths();
    let largest = |rooms: &[usize]| rooms.iter().copied().max().unwrap();
    (
        largest(&rooms[..40]),
        largest(&rooms[120..]),
        buf.memory().total(),
    )
}

#[test]
fn one_large_packet_does_not_make_later_nodes_large() {
    let books = Tracking::new(Heap);
    let (before, after, kept) = around_a_large_packet(LinkBuffer::new_in(books.clone()));
    assert!(
        after <= before,
        "rooms of {before} bytes before, {after} after"
    );
    assert!(kept <= PAGE, "{kept}");
    assert!(books.peak_bytes() > LARGE, "the packet was large");
    books.assert_balanced();
}
