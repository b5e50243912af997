//! Streams and buffers to test with.

use linkbuf_core::{LinkBuffer, NodeAllocator};

/// Bytes that tell their position: no two windows of a few bytes are alike.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect()
}

/// Several messages, each its length in two bytes and its body; some cross the nodes of [`small_nodes`].
pub(crate) fn messages() -> Vec<u8> {
    let mut stream = Vec::new();
    for len in [0_usize, 1, 5, 64, 3, 130, 2, 40] {
        stream.extend((len as u16).to_be_bytes());
        stream.extend(pattern(len));
    }
    stream
}

/// A buffer of nodes so small that little data makes many of them. Its reads are small as well.
pub(crate) fn small_nodes() -> LinkBuffer {
    LinkBuffer::builder()
        .node_size(64)
        .copy_threshold(32)
        .book_sizes(64, 128)
        .build()
}

/// Writes `bytes` as several nodes, copied and attached ones in turn, and flushes.
pub(crate) fn write_pieces(buf: &mut LinkBuffer, bytes: &[u8]) {
    for (i, piece) in bytes.chunks(50).enumerate() {
        if i % 2 == 0 {
            buf.write_binary(piece).unwrap();
        } else {
            buf.write_owned(piece.to_vec()).unwrap();
        }
    }
    buf.flush();
}

/// All readable bytes.
pub(crate) fn content<A: NodeAllocator>(buf: &LinkBuffer<A>) -> Vec<u8> {
    buf.chunks().collect::<Vec<_>>().concat()
}
