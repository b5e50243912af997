//! Buffers of as many bytes as a length can count: the same memory, attached again and again.

use std::sync::OnceLock;

use linkbuf_core::{Error, LinkBuffer};
use memmap2::{Mmap, MmapOptions};

const MOST: usize = isize::MAX.cast_unsigned();

/// 64 TiB of zeros, of which none is in memory. `None` if the system gives no such range.
fn zeros() -> Option<&'static [u8]> {
    static ZEROS: OnceLock<Option<Mmap>> = OnceLock::new();
    let map = || {
        let range = MmapOptions::new().len(1 << 46).no_reserve_swap().map_anon();
        range.and_then(memmap2::MmapMut::make_read_only).ok()
    };
    let zeros = ZEROS.get_or_init(map).as_deref();
    if zeros.is_none() {
        println!("skipped: no 64 TiB of addresses to be had");
    }
    zeros
}

/// Adds `n` bytes.
fn attach(buf: &mut LinkBuffer, zeros: &'static [u8], n: usize) {
    let mut left = n;
    while left > 0 {
        let piece = &zeros[..left.min(zeros.len())];
        buf.write_owned(piece).unwrap();
        left -= piece.len();
    }
    buf.flush();
}

/// A buffer with as many bytes as are checked for, and `more` in the room that its tail had ready.
fn full(zeros: &'static [u8], more: usize) -> LinkBuffer {
    let mut buf = LinkBuffer::new();
    buf.write_byte(1).unwrap();
    attach(&mut buf, zeros, MOST - 2);
    for _ in 0..=more {
        buf.write_byte(1).unwrap();
    }
    buf.flush();
    assert_eq!(buf.len(), MOST + more);
    buf
}

#[test]
fn no_buffer_takes_more_than_a_length_can_count() {
    let Some(zeros) = zeros() else { return };
    for more in [0, 3] {
        let mut buf = full(zeros, more);
        let mut other = full(zeros, more);
        let refused = Err(Error::CapacityOverflow { asked: MOST + more });
        assert_eq!(buf.append_from(&mut other), refused);
        let rejected = buf.append(other).unwrap_err();
        assert_eq!(Err(rejected.error), refused);
        let mut other = rejected.value;
        for buf in [&mut buf, &mut other] {
            assert_eq!(buf.len(), MOST + more);
            assert_eq!(buf.next(2).unwrap(), [1, 0]);
            buf.skip(4998 + more).unwrap();
            buf.write_owned(vec![2; 5000]).unwrap();
            assert!(buf.write_owned(vec![3; 5000]).is_err());
        }
    }
}

/// Positions in the stream come round. What was searched once was then taken for a part of what had come since.
#[test]
fn a_search_is_forgotten_before_positions_come_round() {
    let Some(zeros) = zeros() else { return };
    let ways: [fn(&mut LinkBuffer); 3] = [
        |buf| {
            buf.skip(MOST).unwrap();
            buf.release();
        },
        |buf| {
            while !buf.is_empty() {
                buf.skip(buf.len().min((1 << 46) - 1)).unwrap();
                buf.release();
            }
        },
        |buf| LinkBuffer::new().append_from(buf).unwrap(),
    ];
    for pass in ways {
        let mut buf = LinkBuffer::new();
        assert!(buf.until(b'x').is_err());
        for _ in 0..2 {
            attach(&mut buf, zeros, MOST);
            pass(&mut buf);
        }
        buf.write_binary(b"x__").unwrap();
        buf.flush();
        assert_eq!(buf.until(b'x'), Ok(&b"x"[..]));
    }
}
