//! An allocator that fails at any point costs an error, never a byte.

use linkbuf_core::{
    Heap, LinkBuffer,
    testing::allocators::{Failing, Tracking},
};
use linkbuf_net::{Connection, Error, ReadOutcome, WriteStop, read_from};

use crate::{
    choppy::Choppy,
    stream::{content, pattern},
};

#[test]
fn a_read_that_gets_no_memory_leaves_the_bytes_in_the_source() {
    let books = Tracking::new(Heap);
    let alloc = Failing::new(books.clone());
    let stream = pattern(200_000);
    let mut buf = LinkBuffer::new_in(alloc.clone());
    let mut source = Choppy::new(&stream[..]);
    let mut failures = 0;
    loop {
        alloc.plan().arm(0, false);
        let before = (content(&buf), source.inner);
        let result = read_from(&mut buf, &mut source);
        let failed = alloc.plan().disarm();
        match result {
            Ok(ReadOutcome::End) => break,
            Ok(_) => assert!(!failed),
            Err(Error::Buffer(linkbuf_core::Error::Alloc(_))) => {
                assert!(failed);
                failures += 1;
                assert_eq!((content(&buf), source.inner), before);
                assert!(read_from(&mut buf, &mut source).is_ok());
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(failures >= 3, "{failures}");
    assert_eq!(content(&buf), stream);
    drop(buf);
    books.assert_balanced();
}

#[test]
fn writing_out_needs_no_memory() {
    let alloc = Failing::new(Heap);
    let stream = pattern(100_000);
    let mut output = LinkBuffer::new_in(alloc.clone());
    for piece in stream.chunks(3000) {
        output.write_binary(piece).unwrap();
    }
    let input = LinkBuffer::new_in(alloc.clone());
    let sink = std::io::Cursor::new(Vec::new());
    let mut conn = Connection::with_buffers(sink, input, output);

    alloc.plan().arm(0, true);
    assert_eq!(conn.flush().unwrap().stop, WriteStop::Empty);
    assert!(!alloc.plan().disarm(), "an allocation was asked for");
    assert_eq!(conn.stream().get_ref(), &stream);
}
