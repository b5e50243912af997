//! Slices: views that live on their own.

use std::{sync::Arc, thread};

use linkbuf_core::{
    Builder, Error, Heap, LinkBuffer, Slice,
    testing::{allocators::Tracking, model::pattern},
};

use crate::support::{Drops, bytes_of, heap_calls, in_nodes, readable};

fn is_free<T: Send + Sync + 'static>() {}

#[test]
fn slices_and_buffers_may_go_anywhere() {
    is_free::<Slice>();
    is_free::<LinkBuffer>();
    is_free::<LinkBuffer<Tracking>>();
    is_free::<Error>();
}

#[test]
fn a_slice_is_small() {
    assert!(size_of::<Slice>() <= 4 * size_of::<usize>());
}

#[test]
fn a_slice_of_one_node_costs_no_heap() {
    let mut buf = readable(&pattern(1, 2000));
    let calls = heap_calls(|| {
        let mut slice = buf.slice(1000).unwrap();
        let part = slice.slice(10..).unwrap();
        let front = slice.split_to(100).unwrap();
        let back = slice.split_off(100).unwrap();
        assert_eq!((part.len(), front.len(), back.len()), (990, 100, 800));
        assert_eq!(slice.clone().len(), 100);
    });
    assert_eq!(calls, 0);
}

#[test]
fn a_slice_outlives_its_buffer() {
    let alloc = Tracking::with_quarantine(Heap);
    let all = pattern(4, 20_000);
    let mut buf = Builder::new_in(alloc.clone()).node_size(512).build();
    for piece in all.chunks(300) {
        buf.write_binary(piece).unwrap();
    }
    buf.write_owned(pattern(5, 9000)).unwrap();
    buf.flush();
    let one = buf.slice(100).unwrap();
    let many = buf.slice(buf.len()).unwrap();
    drop(buf);
    assert_eq!(bytes_of(&one), &all[..100]);
    assert_eq!(many.len(), 19_900 + 9000);
    assert_eq!(bytes_of(&many)[..19_900], all[100..]);
    assert_eq!(bytes_of(&many)[19_900..], pattern(5, 9000));
    drop(many);
    assert_eq!(bytes_of(&one), &all[..100]);
    drop(one);
    alloc.assert_balanced();
}

#[test]
fn cutting() {
    for mut buf in [
        in_nodes(&[b"hello ", b"wor", b"ld"]),
        readable(b"hello world"),
    ] {
        let mut s = buf.slice(11).unwrap();
        assert_eq!(bytes_of(&s.slice(..).unwrap()), b"hello world");
        assert_eq!(bytes_of(&s.slice(3..10).unwrap()), b"lo worl");
        assert_eq!(bytes_of(&s.slice(..=4).unwrap()), b"hello");
        assert_eq!(bytes_of(&s.slice(6..).unwrap()), b"world");
        assert!(s.slice(11..).unwrap().is_empty());
        assert_eq!(
            bytes_of(&s.slice(2..9).unwrap().slice(1..4).unwrap()),
            b"lo "
        );
        let tail = s.split_off(9).unwrap();
        assert_eq!(bytes_of(&tail), b"ld");
        let head = s.split_to(2).unwrap();
        assert_eq!(bytes_of(&head), b"he");
        assert_eq!(bytes_of(&s), b"llo wor");
        s.skip(3).unwrap();
        assert_eq!(bytes_of(&s), b" wor");
        s.truncate(99);
        s.truncate(2);
        assert_eq!(bytes_of(&s), b" w");
        let rest = s.split_to(2).unwrap();
        assert!(s.is_empty());
        assert_eq!(bytes_of(&rest), b" w");
    }
}

#[test]
fn cuts_out_of_range_are_refused() {
    let mut s = in_nodes(&[b"abc", b"def"]).slice(6).unwrap();
    for n in [7, usize::MAX] {
        let refused = Error::NotEnough {
            asked: n,
            readable: 6,
        };
        assert_eq!(s.split_to(n).unwrap_err(), refused);
        assert_eq!(s.split_off(n).unwrap_err(), refused);
        assert_eq!(s.skip(n), Err(refused));
        assert!(s.slice(..n).is_err());
        assert!(s.slice(n..).is_err());
    }
    assert!(s.slice(..=usize::MAX).is_err());
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "a range that no honest caller writes"
    )]
    let backwards = s.slice(4..2);
    assert!(backwards.map_or(true, |s| s.is_empty()));
    assert!(s.copy_to(&mut [0; 7]).is_err());
    assert_eq!(bytes_of(&s), b"abcdef");
}

#[test]
fn copies() {
    let s = in_nodes(&[b"abc", b"def"]).slice(6).unwrap();
    assert_eq!(s.to_vec().unwrap(), b"abcdef");
    let mut dst = [0; 6];
    s.copy_to(&mut dst).unwrap();
    assert_eq!(&dst, b"abcdef");
    assert_eq!(s.as_contiguous(), None);
    let mut own = s.clone();
    own.detach().unwrap();
    assert_eq!(bytes_of(&own), b"abcdef");
    assert_eq!(own, s);
}

#[test]
fn equality_looks_at_bytes() {
    let one = Slice::from_static(b"abcdef");
    let two = in_nodes(&[b"ab", b"cdef"]).slice(6).unwrap();
    let three = in_nodes(&[b"abcde", b"f"]).slice(6).unwrap();
    assert_eq!(one, two);
    assert_eq!(two, three);
    assert_eq!(two, b"abcdef"[..]);
    assert_ne!(two, b"abcdeg"[..]);
    assert_ne!(two, b"abcdefg"[..]);
    assert_ne!(two, two.slice(..5).unwrap());
    assert_eq!(Slice::new(), Slice::default());
    assert_eq!(Slice::new(), two.slice(3..3).unwrap());
}

#[test]
fn order_and_hash_look_at_bytes() {
    use std::{cmp::Ordering, collections::HashSet};

    let texts: [&[u8]; 6] = [b"", b"a", b"ab", b"abc", b"abd", b"b"];
    let cuts = |text: &[u8]| -> Vec<Slice> {
        (0..=text.len())
            .map(|at| {
                in_nodes(&[&text[..at], &text[at..]])
                    .slice(text.len())
                    .unwrap()
            })
            .collect()
    };
    for (i, one) in texts.iter().enumerate() {
        for (j, other) in texts.iter().enumerate() {
            for a in cuts(one) {
                for b in cuts(other) {
                    assert_eq!(a.cmp(&b), i.cmp(&j));
                    assert_eq!(a.partial_cmp(&b), Some(i.cmp(&j)));
                    assert_eq!(a == b, i.cmp(&j) == Ordering::Equal);
                }
            }
        }
    }
    let long = pattern(1, 300);
    let mut set = HashSet::new();
    for at in 0..300 {
        set.insert(in_nodes(&[&long[..at], &long[at..]]).slice(300).unwrap());
    }
    assert_eq!(set.len(), 1, "equal bytes hash alike, however they are cut");
    assert!(set.contains(&Slice::from_owner(long).unwrap()));
    assert!(!set.contains(&Slice::from_static(b"other")));
}

#[test]
fn debug_shows_bytes_as_bytes_does() {
    let all: Vec<u8> = (0..=255).collect();
    let whole = Slice::from_owner(all.clone()).unwrap();
    let cut = in_nodes(&all.chunks(100).collect::<Vec<_>>())
        .slice(256)
        .unwrap();
    let expected = format!("{:?}", bytes::Bytes::from(all));
    assert_eq!(format!("{whole:?}"), expected);
    assert_eq!(format!("{cut:?}"), expected);
    assert_eq!(format!("{:?}", Slice::new()), "b\"\"");
}

#[test]
fn an_owner_is_dropped_once_and_last() {
    let drops = Drops::default();
    let mut buf = LinkBuffer::new();
    buf.write_owned(drops.value(pattern(1, 10_000))).unwrap();
    buf.write_direct(drops.value("in the middle"), 5000)
        .unwrap();
    buf.flush();
    let early = buf.slice(100).unwrap();
    let across = buf.slice(6000).unwrap();
    buf.skip(buf.len()).unwrap();
    buf.release();
    drop(buf);
    assert_eq!(drops.count(), 0);
    let part = across.slice(4899..4901).unwrap();
    drop(across);
    assert_eq!(drops.count(), 0);
    drop(part);
    assert_eq!(drops.count(), 1, "the inserted one");
    let copy = early.clone();
    drop(early);
    assert_eq!(drops.count(), 1);
    drop(copy);
    assert_eq!(drops.count(), 2);
}

#[test]
fn an_owner_that_nobody_reads_is_dropped_by_release() {
    let drops = Drops::default();
    let mut buf = LinkBuffer::new();
    for _ in 0..10 {
        buf.write_owned(drops.value(pattern(1, 5000))).unwrap();
    }
    buf.malloc_ack(25_001).unwrap();
    assert_eq!(drops.count(), 4, "those that the ack discarded whole");
    buf.flush();
    buf.skip(12_000).unwrap();
    buf.release();
    assert_eq!(drops.count(), 6);
    buf.clear();
    assert_eq!(drops.count(), 10);
}

#[test]
fn views_end_on_other_threads() {
    let alloc = Tracking::with_quarantine(Heap);
    let drops = Drops::default();
    let mut buf = Builder::new_in(alloc.clone()).node_size(700).build();
    for i in 0..40_u8 {
        buf.write_binary(&pattern(i, 500)).unwrap();
        buf.write_owned(drops.value(pattern(i, 5000))).unwrap();
    }
    buf.flush();
    let threads: Vec<_> = (0..40_u8)
        .map(|i| {
            let slice = buf.slice(5500).unwrap();
            let shared = slice.clone();
            buf.release();
            thread::spawn(move || {
                let all = bytes_of(&slice);
                assert_eq!(all[..500], pattern(i, 500));
                assert_eq!(all[500..], pattern(i, 5000));
                drop(shared);
                all.len()
            })
        })
        .collect();
    drop(buf);
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 5500);
    }
    assert_eq!(drops.count(), 40);
    alloc.assert_balanced();
}

#[test]
fn many_threads_share_one_slice() {
    let alloc = Tracking::with_quarantine(Heap);
    let drops = Drops::default();
    let mut buf = Builder::new_in(alloc.clone()).node_size(300).build();
    buf.write_binary(&pattern(1, 2000)).unwrap();
    buf.write_owned(drops.value(pattern(2, 6000))).unwrap();
    buf.flush();
    let slice = Arc::new(buf.slice(8000).unwrap());
    thread::scope(|scope| {
        for t in 0..4 {
            let slice = Arc::clone(&slice);
            scope.spawn(move || {
                for i in 0..500 {
                    let part = slice.slice(t * 100 + i..t * 100 + i + 5000).unwrap();
                    assert_eq!(part.clone().len(), 5000);
                    assert!(part == *part.to_vec().unwrap());
                }
            });
        }
    });
    buf.clear();
    drop(buf);
    assert_eq!(drops.count(), 0);
    drop(slice);
    assert_eq!(drops.count(), 1);
    alloc.assert_balanced();
}

#[test]
fn a_buffer_works_on_another_thread() {
    let mut buf = readable(b"from here");
    let slot = buf.slot(4).unwrap();
    let mut buf = thread::spawn(move || {
        buf.fill(&slot, b" and").unwrap();
        buf.write_string(" from there").unwrap();
        buf.flush();
        buf
    })
    .join()
    .unwrap();
    assert_eq!(buf.read_string(24).unwrap(), "from here and from there");
}

#[test]
fn slices_from_owners() {
    let drops = Drops::default();
    let slice = Slice::from_owner(drops.value("owned")).unwrap();
    assert_eq!(slice.as_contiguous(), Some(&b"owned"[..]));
    let copy = slice.clone();
    drop(slice);
    assert_eq!(drops.count(), 0);
    drop(copy);
    assert_eq!(drops.count(), 1);
    assert_eq!(Slice::from_static(b"static").pinned(), 0);
    assert_eq!(Slice::new().chunks().map(<[u8]>::len).sum::<usize>(), 0);
}

#[test]
fn small_appended_slices_are_copied_and_let_go() {
    let drops = Drops::default();
    let mut buf = LinkBuffer::new();
    buf.append_slice(Slice::from_owner(drops.value("small")).unwrap())
        .unwrap();
    assert_eq!(drops.count(), 1);
    buf.append_slice(Slice::from_owner(drops.value(pattern(1, 5000))).unwrap())
        .unwrap();
    assert_eq!(drops.count(), 1);
    buf.flush();
    assert_eq!(buf.next(5).unwrap(), b"small");
    assert_eq!(buf.next(5000).unwrap(), pattern(1, 5000));
    buf.release();
    assert_eq!(drops.count(), 2);
}

#[test]
fn slices_are_inserted_where_they_are_asked_for() {
    let pieces: [&[u8]; 3] = [b"hello ", b"wor", b"ld"];
    for remain in 0..=6 {
        let mut buf = LinkBuffer::new();
        buf.write_binary(b"abc").unwrap();
        buf.write_binary(b"def").unwrap();
        let many = in_nodes(&pieces).slice(11).unwrap();
        buf.insert_slice(many, remain).unwrap();
        buf.insert_slice(Slice::new(), remain).unwrap();
        let refused = buf
            .insert_slice(Slice::from_static(b"late"), 18)
            .unwrap_err();
        assert_eq!(
            refused.error,
            Error::BeyondPending {
                asked: 18,
                pending: 17
            }
        );
        assert_eq!(refused.value, *b"late");
        buf.flush();
        let mut expected = b"abcdef".to_vec();
        expected.splice(6 - remain..6 - remain, *b"hello world");
        assert_eq!(buf.read_binary(17).unwrap(), expected);
    }
}

/// A slice of these bytes, cut there.
fn cut(bytes: &[u8], at: usize) -> Slice {
    in_nodes(&[&bytes[..at], &bytes[at..]])
        .slice(bytes.len())
        .unwrap()
}

#[test]
fn slices_are_compared_with_bytes_of_each_kind() {
    for at in 0..=3 {
        let slice = cut(b"abd", at);
        assert_eq!(
            [
                slice == *b"abd",
                slice == b"abd",
                *b"abd" == slice,
                b"abd" == slice
            ],
            [true; 4]
        );
        assert_eq!([slice != b"abc", slice != b"ab", slice != b""], [true; 3]);
        for less in [&b""[..], b"a", b"abc", b"ab", b"abcd"] {
            assert_eq!(
                [slice > *less, *less < slice, slice >= less, less <= slice],
                [true; 4]
            );
        }
        for more in ["abe", "b", "abd\0", "ac"] {
            let (text, bytes) = (String::from(more), Vec::from(more));
            assert_eq!(
                [slice < *more, *more > slice, slice < more, more > slice],
                [true; 4]
            );
            assert_eq!(
                [slice < text, text > slice, slice < bytes, bytes > slice],
                [true; 4]
            );
        }
        let (same, array) = (b"abd", &[0xFF]);
        assert_eq!(
            [slice <= *same, slice >= same, slice < *array, array > slice],
            [true; 4]
        );
    }
}

#[test]
fn a_slice_knows_how_it_begins_and_ends() {
    let all = b"abcabc";
    for at in 0..=6 {
        let whole = cut(all, at);
        for from in 0..=6 {
            let (mut part, left) = (whole.clone(), &all[from..]);
            part.skip(from).unwrap();
            for n in 0..=left.len() {
                assert_eq!(
                    [
                        part.starts_with(&left[..n]),
                        part.ends_with(&left[left.len() - n..])
                    ],
                    [true; 2]
                );
            }
            for other in [&b"abcabcd"[..], b"xabcabc", b"b", b"xc", b"ax"] {
                assert_eq!(part.starts_with(other), left.starts_with(other));
                assert_eq!(part.ends_with(other), left.ends_with(other));
            }
        }
    }
}

#[test]
fn a_cleared_slice_pins_nothing() {
    let drops = Drops::default();
    let mut slice = Slice::from_owner(drops.value(*b"bytes")).unwrap();
    slice.clear();
    assert_eq!([slice.is_empty(), slice == b""], [true; 2]);
    assert_eq!((slice.pinned(), drops.count()), (0, 1));
}

#[test]
fn bytes_are_copied_out_and_stay() {
    for at in 0..=6 {
        let mut buf = in_nodes(&[&b"abcdef"[..at], &b"abcdef"[at..]]);
        buf.write_binary(b"pending").unwrap();
        let mut dst = [0; 5];
        let calls = heap_calls(|| {
            buf.copy_to(&mut dst).unwrap();
            assert_eq!(&dst, b"abcde");
            buf.skip(1).unwrap();
            let mut r = buf.session();
            r.copy_to(&mut dst).unwrap();
            assert_eq!(&dst, b"bcdef");
            assert_eq!(r.read_byte(), Ok(b'b'));
        });
        assert_eq!((calls, buf.len()), (0, 4));
        let slice = buf.slice(4).unwrap();
        slice.copy_to(&mut dst[..3]).unwrap();
        assert_eq!(&dst, b"cdeef");
        assert_eq!(Vec::from(slice), b"cdef");
    }
}
