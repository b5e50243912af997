//! The traits of others: `std::io`, `std::fmt`, `std::iter`, `From`, and `bytes`.

use std::{
    fmt::Write as _,
    io::{BufRead, IoSlice, IoSliceMut, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use linkbuf_core::{
    LinkBuffer, Slice,
    testing::{allocators::FailingGlobal, model::pattern, ops::Rng},
};

use crate::support::{Drops, bytes_of, content, in_nodes, readable};

mod io {
    use super::*;

    #[test]
    fn writing() {
        let mut buf = LinkBuffer::builder().node_size(64).build();
        assert_eq!(Write::write(&mut buf, b"").unwrap(), 0);
        Write::write_fmt(&mut buf, format_args!("{} and {}", 1, "two")).unwrap();
        buf.write_all(&pattern(1, 500)).unwrap();
        let parts = [
            IoSlice::new(b"three"),
            IoSlice::new(b""),
            IoSlice::new(b"four"),
        ];
        assert_eq!(buf.write_vectored(&parts).unwrap(), 9);
        assert_eq!((buf.len(), buf.malloc_len()), (0, 518));
        Write::flush(&mut buf).unwrap();
        assert_eq!(buf.read_string(9).unwrap(), "1 and two");
        assert_eq!(buf.read_binary(500).unwrap(), pattern(1, 500));
        assert_eq!(content(&buf), b"threefour");
    }

    #[test]
    fn reading() {
        let mut buf = in_nodes(&[b"hello", b" ", b"world"]);
        assert_eq!(buf.read(&mut []).unwrap(), 0);
        let mut two = [0; 2];
        buf.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"he");
        let (mut one, mut three) = ([0; 1], [0; 3]);
        let mut parts = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut three)];
        assert_eq!(buf.read_vectored(&mut parts).unwrap(), 4);
        assert_eq!((&one, &three), (b"l", b"lo "));
        let mut rest = String::new();
        buf.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "world");
        assert_eq!(buf.read(&mut two).unwrap(), 0, "the end");
    }

    #[test]
    fn reading_exactly_too_much_consumes_nothing() {
        let mut buf = in_nodes(&[b"ab", b"c"]);
        let refused = buf.read_exact(&mut [0; 4]).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::UnexpectedEof);
        assert_eq!(content(&buf), b"abc");
    }

    #[test]
    fn lines() {
        let mut buf = in_nodes(&[b"one\ntw", b"o\nthree"]);
        let mut line = String::new();
        buf.read_line(&mut line).unwrap();
        assert_eq!(line, "one\n");
        assert!(!buf.fill_buf().unwrap().is_empty());
        buf.consume(1);
        assert_eq!(buf.len(), 8);
        let mut rest = Vec::new();
        buf.read_until(b'\n', &mut rest).unwrap();
        assert_eq!(rest, b"wo\n");
        rest.clear();
        buf.read_until(b'\n', &mut rest).unwrap();
        assert_eq!(rest, b"three");
        assert!(buf.fill_buf().unwrap().is_empty());
        buf.consume(0);
    }

    #[test]
    fn sessions_and_slices_read_too() {
        let mut buf = in_nodes(&[b"one\ntw", b"o\nthree"]);
        let slice = buf.slice(7).unwrap();
        let lines: Vec<String> = slice.lines().map(Result::unwrap).collect();
        assert_eq!(lines, ["one", "two"]);
        let mut session = buf.session();
        let mut all = Vec::new();
        session.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"\nthree");
    }

    #[test]
    fn copying_goes_both_ways() {
        let all = pattern(3, 100_000);
        let mut buf = LinkBuffer::new();
        std::io::copy(&mut &all[..], &mut buf).unwrap();
        buf.flush();
        let mut out = Vec::new();
        std::io::copy(&mut buf, &mut out).unwrap();
        assert_eq!(out, all);
        assert!(buf.memory().total() <= 4096, "what was read was released");
    }

    #[test]
    fn a_write_without_memory_is_an_error() {
        let mut buf = LinkBuffer::new();
        FailingGlobal::arm(0, true);
        let refused = Write::write(&mut buf, b"hello").map_err(|e| e.kind());
        FailingGlobal::disarm();
        assert_eq!(refused, Err(std::io::ErrorKind::OutOfMemory));
        assert_eq!(buf.malloc_len(), 0);
    }
}

mod collections {
    use super::*;

    #[test]
    fn text_is_written_as_bytes() {
        let mut buf = LinkBuffer::new();
        let number = 7;
        write!(&mut buf as &mut dyn std::fmt::Write, "id-{number:04}").unwrap();
        buf.write_char('€').unwrap();
        assert_eq!(buf.malloc_len(), 10);
        buf.flush();
        assert_eq!(buf.read_string(10).unwrap(), "id-0007€");
    }

    #[test]
    fn collecting_and_extending() {
        let all = pattern(1, 10_000);
        let mut buf: LinkBuffer = all.iter().copied().collect();
        assert_eq!(content(&buf), all);
        buf.extend(all.iter());
        buf.extend(all.clone());
        assert_eq!((buf.len(), buf.malloc_len()), (10_000, 20_000));
        let slice = buf.slice(9000).unwrap();
        buf.extend([slice.clone(), slice]);
        buf.flush();
        let mut expected = all[9000..].to_vec();
        for part in [&all[..], &all, &all[..9000], &all[..9000]] {
            expected.extend(part);
        }
        assert_eq!(content(&buf), expected);
    }

    #[test]
    fn an_iterator_that_lies_or_panics_does_no_harm() {
        struct Liar(usize);
        impl Iterator for Liar {
            type Item = u8;
            fn next(&mut self) -> Option<u8> {
                self.0 += 1;
                assert_ne!(self.0, 500, "enough");
                Some(7)
            }
            fn size_hint(&self) -> (usize, Option<usize>) {
                (usize::MAX, None)
            }
        }
        let mut buf = LinkBuffer::builder().node_size(64).build();
        let outcome = catch_unwind(AssertUnwindSafe(|| buf.extend(Liar(0))));
        assert!(outcome.is_err());
        assert!(buf.malloc_len() <= 499);
        buf.extend(Liar(0).take(10));
        buf.flush();
        assert!(content(&buf).iter().all(|b| *b == 7));
        assert!(buf.len() >= 10);
    }

    #[test]
    fn conversions_do_not_copy() {
        let vec = pattern(1, 100);
        let at = vec.as_ptr();
        let buf = LinkBuffer::from(vec);
        assert_eq!(buf.chunks().next().unwrap().as_ptr(), at);
        assert_eq!(buf.memory().foreign, 100);
        let shared: Arc<[u8]> = pattern(2, 10).into();
        let slice = Slice::from(Arc::clone(&shared));
        assert_eq!(slice.as_contiguous().unwrap().as_ptr(), shared.as_ptr());
        drop(slice);
        assert_eq!(Arc::strong_count(&shared), 1);
        assert_eq!(content(&LinkBuffer::from(String::from("text"))), b"text");
        assert_eq!(content(&LinkBuffer::from("static")), b"static");
        assert_eq!(content(&LinkBuffer::from(&b"array"[..])), b"array");
        assert_eq!(
            content(&LinkBuffer::from(Bytes::from_static(b"bytes"))),
            b"bytes"
        );
        assert_eq!(bytes_of(&Slice::from(vec![1, 2])), [1, 2]);
        let many = in_nodes(&[b"ab", b"cd"]).slice(4).unwrap();
        assert_eq!(content(&LinkBuffer::from(many)), b"abcd");
        assert_eq!(content(&LinkBuffer::from(Vec::new())), b"");
    }

    #[test]
    fn debug_says_how_much_there_is() {
        let mut buf = readable(b"hello");
        buf.write_binary(b"abc").unwrap();
        let told = format!("{buf:?}");
        assert!(told.contains('5') && told.contains('3'), "{told}");
    }
}

mod buf {
    use super::*;

    /// Reads everything there is to read of `is` and `should`, in the same random ways, and compares.
    fn read_alike(mut is: impl Buf, mut should: &[u8], seed: u64) {
        let mut rng = Rng::new(seed);
        macro_rules! number {
            ($($get:ident)*) => {{
                let choices = [$(stringify!($get)),*];
                let chosen = *rng.pick(&choices);
                $(if chosen == stringify!($get) {
                    // By their bytes: a float need not be equal to itself.
                    assert_eq!(is.$get().to_ne_bytes(), should.$get().to_ne_bytes(), "{chosen}");
                })*
            }};
        }
        while !should.is_empty() {
            assert_eq!(is.remaining(), should.len());
            assert!(is.has_remaining());
            assert!(should.starts_with(is.chunk()) && !is.chunk().is_empty());
            let mut out = [IoSlice::new(&[]); 5];
            let n = is.chunks_vectored(&mut out);
            let seen: Vec<u8> = out[..n].iter().flat_map(|s| s.to_vec()).collect();
            assert!(n > 0 && should.starts_with(&seen));
            match rng.below(5) {
                0 | 1 if should.len() >= 16 => number!(
                    get_u8 get_i8 get_u16 get_u16_le get_i16 get_i16_le get_u16_ne get_u32 get_u32_le get_i32
                    get_i32_le get_u64 get_u64_le get_i64 get_i64_le get_u64_ne get_u128 get_u128_le get_i128
                    get_i128_le get_f32 get_f32_le get_f64 get_f64_le
                ),
                2 => {
                    let n = rng.below(should.len().min(50) + 1);
                    is.advance(n);
                    should.advance(n);
                }
                3 => {
                    let n = rng.below(should.len().min(50) + 1);
                    assert_eq!(is.copy_to_bytes(n), should.copy_to_bytes(n));
                }
                _ => {
                    let mut dst = vec![0; rng.below(should.len().min(50) + 1)];
                    is.copy_to_slice(&mut dst);
                    assert_eq!(dst, should[..dst.len()]);
                    should.advance(dst.len());
                }
            }
            let too_many = should.len() + 1;
            let refused = is.try_copy_to_slice(&mut vec![0; too_many]).unwrap_err();
            assert_eq!(
                (refused.requested, refused.available),
                (too_many, should.len())
            );
        }
        assert!(!is.has_remaining() && is.chunk().is_empty());
    }

    #[test]
    fn buffers_sessions_and_slices_read_as_flat_bytes_do() {
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let all = pattern(seed as u8, rng.below(400));
            let make = |rng: &mut Rng| {
                let mut buf = LinkBuffer::new();
                let mut rest = &all[..];
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(1 + rng.below(rest.len().min(20)));
                    buf.write_direct(now.to_vec(), 0).unwrap();
                    rest = later;
                }
                buf.write_binary(b"pending bytes are no part of it")
                    .unwrap();
                buf.malloc_ack(all.len()).unwrap();
                buf.flush();
                buf
            };
            read_alike(make(&mut rng), &all, seed);
            read_alike(make(&mut rng).session(), &all, seed);
            let mut buf = make(&mut rng);
            let slice = buf.slice(all.len()).unwrap();
            drop(buf);
            read_alike(slice, &all, seed);
        }
    }

    #[test]
    fn asking_for_too_much_panics_and_consumes_nothing() {
        let mut buf = in_nodes(&[b"ab", b"c"]);
        let mut slice = buf.slice(3).unwrap();
        buf.append_slice(slice.clone()).unwrap();
        buf.flush();
        for n in [4, usize::MAX] {
            assert!(catch_unwind(AssertUnwindSafe(|| buf.advance(n))).is_err());
            assert!(catch_unwind(AssertUnwindSafe(|| slice.advance(n))).is_err());
            assert!(catch_unwind(AssertUnwindSafe(|| buf.copy_to_bytes(n))).is_err());
            assert!(catch_unwind(AssertUnwindSafe(|| slice.copy_to_bytes(n))).is_err());
        }
        assert!(catch_unwind(AssertUnwindSafe(|| buf.get_u32())).is_err());
        assert!(catch_unwind(AssertUnwindSafe(|| slice.get_u32())).is_err());
        assert_eq!(
            (content(&buf), bytes_of(&slice)),
            (b"abc".to_vec(), b"abc".to_vec())
        );
    }

    #[test]
    fn reading_through_buf_releases() {
        let mut buf = LinkBuffer::new();
        for _ in 0..100 {
            buf.write_binary(&[1; 10_000]).unwrap();
        }
        buf.flush();
        while buf.remaining() > 5 {
            buf.get_u16();
            let n = buf.chunk().len().min(buf.remaining() - 5);
            buf.advance(n);
        }
        assert!(buf.memory().total() <= 70_000, "{:?}", buf.memory());
    }
}

mod buf_mut {
    use super::*;

    #[test]
    fn numbers_are_written_as_flat_bytes_do() {
        for node_size in [1, 7, 64, 3072] {
            let mut buf = LinkBuffer::builder().node_size(node_size).build();
            let mut flat = BytesMut::new();
            macro_rules! put {
                ($($put:ident($($value:expr),*))*) => {$(
                    buf.$put($($value),*);
                    flat.$put($($value),*);
                )*};
            }
            put!(
                put_u8(1) put_i8(-2) put_u16(0x0304) put_u16_le(0x0304) put_i16(-5) put_i16_le(-5)
                put_u32(6 << 20) put_u32_le(6 << 20) put_i32(-7) put_i32_le(-7) put_u64(8 << 40)
                put_u64_le(8 << 40) put_i64(-9) put_i64_le(-9) put_u128(10 << 100) put_u128_le(10 << 100)
                put_i128(-11) put_i128_le(-11) put_f32(1.5) put_f32_le(1.5) put_f64(-2.5) put_f64_le(-2.5)
                put_slice(b"slice") put_slice(&[9; 300]) put_bytes(7, 100) put_bytes(7, 0)
            );
            put!(put(&b"from a slice"[..]) put(Bytes::from_static(b"from bytes")));
            buf.put(in_nodes(&[b"from", b" a ", b"buffer"]));
            flat.put(&b"from a buffer"[..]);
            assert_eq!((buf.len(), buf.malloc_len()), (0, flat.len()));
            buf.flush();
            assert_eq!(content(&buf), flat);
        }
    }

    #[test]
    fn chunks_are_filled_in_place() {
        let mut buf = LinkBuffer::builder().node_size(64).build();
        let mut expected = Vec::new();
        for i in 0..200_u8 {
            assert!(buf.remaining_mut() > 1 << 40);
            let room = buf.chunk_mut();
            assert!(room.len() > 0);
            let n = usize::from(i % 9).min(room.len());
            let bytes = pattern(i, n);
            room[..n].copy_from_slice(&bytes);
            advance(&mut buf, n);
            expected.extend(bytes);
            if i % 50 == 49 {
                buf.flush();
            }
        }
        assert_eq!(content(&buf), expected);
        let room = buf.chunk_mut().len();
        let beyond = catch_unwind(AssertUnwindSafe(|| advance(&mut buf, room + 1)));
        assert!(beyond.is_err());
        assert_eq!(content(&buf), expected);
    }

    #[expect(unsafe_code, reason = "calls an unsafe method of `BufMut`")]
    fn advance(buf: &mut LinkBuffer, n: usize) {
        // SAFETY: the caller has filled `n` bytes of `chunk_mut`, or more than it has, which must be refused.
        unsafe { buf.advance_mut(n) }
    }

    #[test]
    fn without_memory_it_panics_and_what_was_put_stays() {
        for after in 0..20 {
            let mut buf = LinkBuffer::builder().node_size(64).build();
            buf.put_slice(b"put whole");
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                FailingGlobal::arm(after, true);
                buf.put_slice(&[7; 1000]);
                buf.put_bytes(8, 1000);
                buf.put(&[9; 1000][..]);
                FailingGlobal::disarm();
            }));
            FailingGlobal::disarm();
            let n = buf.malloc_len();
            buf.flush();
            let mut all = b"put whole".to_vec();
            all.extend([7; 1000]);
            all.extend([8; 1000]);
            all.extend([9; 1000]);
            assert_eq!(content(&buf), all[..n], "after {after} allocations");
            assert_eq!(outcome.is_ok(), n == all.len());
        }
    }
}

mod conversions {
    use super::*;

    #[test]
    fn bytes_in_and_out_without_a_copy() {
        let bytes = Bytes::from(pattern(1, 10_000));
        let mut buf = LinkBuffer::new();
        buf.write_owned(bytes.clone()).unwrap();
        buf.flush();
        buf.skip(100).unwrap();
        let out = buf.slice(9000).unwrap().into_bytes().unwrap();
        assert_eq!(out.as_ptr(), bytes[100..].as_ptr());
        assert_eq!(out, bytes[100..9100]);
        drop(buf);
        assert_eq!(out, bytes[100..9100]);
    }

    #[test]
    fn a_node_becomes_bytes_without_a_copy() {
        let mut buf = readable(&pattern(1, 3000));
        let slice = buf.slice(2000).unwrap();
        let at = slice.as_contiguous().unwrap().as_ptr();
        let out = slice.into_bytes().unwrap();
        assert_eq!(out.as_ptr(), at);
        drop(buf);
        assert_eq!(out, pattern(1, 3000)[..2000]);
        assert_eq!(out.slice(10..20), pattern(1, 3000)[10..20]);
    }

    #[test]
    fn an_owner_lives_as_long_as_the_bytes() {
        let drops = Drops::default();
        let slice = Slice::from_owner(drops.value(pattern(1, 5000))).unwrap();
        let out = slice.slice(10..).unwrap().into_bytes().unwrap();
        let part = out.slice(5..);
        drop((slice, out));
        assert_eq!(drops.count(), 0);
        assert_eq!(part, pattern(1, 5000)[15..]);
        drop(part);
        assert_eq!(drops.count(), 1);
    }

    #[test]
    fn several_pieces_are_copied_once() {
        let slice = in_nodes(&[b"abc", b"def", b"ghi"]).slice(9).unwrap();
        assert_eq!(slice.clone().into_bytes().unwrap(), b"abcdefghi"[..]);
        assert_eq!(slice.slice(3..6).unwrap().into_bytes().unwrap(), b"def"[..]);
        assert_eq!(slice, Bytes::from_static(b"abcdefghi"));
        FailingGlobal::arm(0, true);
        let refused = slice.into_bytes();
        FailingGlobal::disarm();
        assert_eq!(bytes_of(&refused.unwrap_err().value), b"abcdefghi");
    }

    #[test]
    fn static_bytes_stay_static() {
        static TEXT: &[u8] = b"static text";
        let slice = Slice::from_static(TEXT);
        let calls = crate::support::heap_calls(|| {
            let bytes = slice.slice(2..).unwrap().into_bytes().unwrap();
            assert_eq!(bytes.as_ptr(), TEXT[2..].as_ptr());
        });
        assert_eq!(calls, 0);
        assert_eq!(Slice::new().into_bytes().unwrap(), Bytes::new());
    }
}
