//! What every source of pieces answers, however it gets them.
#![expect(unsafe_code, reason = "writes to pieces and returns them")]

use linkbuf_alloc::{PageSource, system_page};

fn keeps_its_promises<S: PageSource>(source: S) {
    let refused = source.take(0).map(|piece| piece.bytes());
    assert_eq!(refused.map_err(|error| error.size), Err(0));
    assert!(source.take(isize::MAX as usize & !4095).is_err());
    for len in [S::PIECE, 3 * S::PIECE, S::PIECE + 4096] {
        let piece = source.take(len).expect("memory for the test");
        assert!(piece.bytes() >= len);
        if len == S::PIECE {
            assert_eq!(piece.bytes(), len);
            assert!(
                piece
                    .start()
                    .addr()
                    .get()
                    .is_multiple_of(system_page().max(4096))
            );
        }
        if piece.is_init() {
            for at in [0, 1, len / 2, piece.bytes() - 1] {
                // SAFETY: the byte is in the piece.
                let byte = unsafe { piece.start().add(at) };
                // SAFETY: the piece is the test's, and initialised.
                let byte = unsafe { byte.read() };
                assert_eq!(byte, 0);
            }
        }
        // SAFETY: the piece is the test's, and as long as it says.
        unsafe { piece.start().write_bytes(7, piece.bytes()) };
        // SAFETY: the source gave it, and nobody uses it any more.
        unsafe { source.give_back(piece) };
    }
}

#[test]
fn heap() {
    keeps_its_promises(linkbuf_alloc::HeapPages::new());
}

#[cfg(feature = "mmap")]
#[test]
fn mmap() {
    keeps_its_promises(linkbuf_alloc::MmapPages::new());
}

#[cfg(feature = "hugepage")]
#[test]
fn huge_pages() {
    keeps_its_promises(linkbuf_alloc::HugePages::new());
}
