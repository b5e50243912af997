//! Every refusal tells the right figures, gives owned values back, and changes nothing.

use std::io::ErrorKind;

use linkbuf_core::{
    AllocError, Error, LinkBuffer, Rejected, Slice,
    testing::{allocators::FailingGlobal, model::pattern},
};

use crate::support::{Drops, content, in_nodes, readable};

/// 5 readable bytes and 3 pending ones.
fn some() -> LinkBuffer {
    let mut buf = readable(b"hello");
    buf.write_binary(b"abc").unwrap();
    buf
}

/// The buffer is `some()` still.
fn unchanged(mut buf: LinkBuffer) {
    assert_eq!((buf.len(), buf.malloc_len()), (5, 3));
    buf.flush();
    assert_eq!(content(&buf), b"helloabc");
}

#[test]
fn asking_for_more_than_is_readable() {
    for n in [6, 5000, usize::MAX] {
        let mut buf = some();
        let refused = Error::NotEnough {
            asked: n,
            readable: 5,
        };
        assert_eq!(buf.next(n), Err(refused));
        assert_eq!(buf.peek(n), Err(refused));
        assert_eq!(buf.skip(n), Err(refused));
        assert_eq!(buf.read_binary(n), Err(refused));
        assert_eq!(buf.read_string(n), Err(refused));
        assert_eq!(buf.slice(n).unwrap_err(), refused);
        let mut reader = buf.session();
        assert_eq!(reader.next(n), Err(refused));
        assert_eq!(reader.peek(n), Err(refused));
        assert_eq!(reader.skip(n), Err(refused));
        assert_eq!(reader.read_binary(n), Err(refused));
        assert_eq!(reader.read_string(n), Err(refused));
        assert_eq!(reader.slice(n).unwrap_err(), refused);
        unchanged(buf);
    }
    let mut buf = some();
    let refused = Error::NotEnough {
        asked: 6,
        readable: 5,
    };
    assert_eq!(buf.read_into(&mut [0; 6]), Err(refused));
    assert_eq!(buf.session().read_into(&mut [0; 6]), Err(refused));
    let mut dst = [9; 6];
    assert_eq!(buf.copy_to(&mut dst), Err(refused));
    assert_eq!(buf.session().copy_to(&mut dst), Err(refused));
    assert_eq!(dst, [9; 6]);
    unchanged(buf);
    let refused = Error::NotEnough {
        asked: 1,
        readable: 0,
    };
    assert_eq!(LinkBuffer::new().read_byte(), Err(refused));
}

#[test]
fn looking_for_what_is_not_there() {
    let mut buf = some();
    let refused = Error::NotFound { readable: 5 };
    assert_eq!(
        buf.until(b'a'),
        Err(refused),
        "pending bytes are not searched"
    );
    assert_eq!(buf.until_bytes(b"oa"), Err(refused));
    assert_eq!(buf.until_bytes(b"longer than all"), Err(refused));
    assert_eq!(buf.session().until(b'\n'), Err(refused));
    assert_eq!(buf.session().until_bytes(b"\r\n"), Err(refused));
    unchanged(buf);
}

#[test]
fn a_search_goes_on_where_more_bytes_came() {
    let mut buf = in_nodes(&[b"one\r", b"\ntwo\r"]);
    assert_eq!(buf.until_bytes(b"\r\n").unwrap(), b"one\r\n");
    assert_eq!(
        buf.until_bytes(b"\r\n"),
        Err(Error::NotFound { readable: 4 })
    );
    buf.write_byte(b'\n').unwrap();
    assert_eq!(
        buf.until_bytes(b"\r\n"),
        Err(Error::NotFound { readable: 4 })
    );
    buf.flush();
    assert_eq!(
        buf.until_bytes(b"\n\n"),
        Err(Error::NotFound { readable: 5 })
    );
    assert_eq!(buf.until(b'w').unwrap(), b"tw");
    assert_eq!(buf.until_bytes(b"\r\n").unwrap(), b"o\r\n");
    assert!(buf.is_empty());
}

#[test]
fn a_resumed_search_finds_what_spans_the_border() {
    for cut in 1..6 {
        let mut buf = readable(&b"ab\r\n\r\n"[..cut]);
        let refused = Error::NotFound { readable: cut };
        assert_eq!(buf.until_bytes(b"\r\n\r\n"), Err(refused));
        buf.write_binary(&b"ab\r\n\r\ncd"[cut..]).unwrap();
        buf.flush();
        assert_eq!(buf.until_bytes(b"\r\n\r\n").unwrap(), b"ab\r\n\r\n");
    }
}

#[test]
fn a_search_does_not_skip_bytes_that_came_into_used_memory() {
    let long = b"a pattern of more than fifteen bytes";
    for (delim, text) in [
        (&b"x"[..], &b"x.."[..]),
        (b"xy", b"xy."),
        (&long[..], &long[..]),
    ] {
        let ends: [fn(&mut LinkBuffer); 4] = [
            |buf| buf.release(),
            |buf| buf.clear(),
            |buf| buf.trim(),
            |_| {},
        ];
        for end in ends {
            let mut buf = readable(&[b'a'; 100]);
            assert!(buf.until_bytes(delim).is_err());
            buf.skip(100).unwrap();
            end(&mut buf);
            buf.write_binary(text).unwrap();
            buf.write_binary(&[b'b'; 200]).unwrap();
            buf.flush();
            assert_eq!(buf.until_bytes(delim).unwrap(), delim);
        }
    }
}

#[test]
fn a_search_for_something_else_starts_anew() {
    let long = ["the first long pattern", "the other long pattern"];
    for [first, second] in [
        long,
        ["x", "y"],
        ["xy", "xz"],
        ["x", long[0]],
        [long[0], "y"],
    ] {
        let mut buf = readable(second.as_bytes());
        let refused = Error::NotFound {
            readable: second.len(),
        };
        assert_eq!(buf.until_bytes(first.as_bytes()), Err(refused));
        assert_eq!(
            buf.until_bytes(second.as_bytes()).unwrap(),
            second.as_bytes()
        );
    }
}

#[test]
fn text_that_is_none() {
    let mut buf = in_nodes(&[b"ab\xe2\x82", b"\xac\xff"]);
    let refused = Error::Utf8 { valid_up_to: 5 };
    assert_eq!(buf.read_string(6), Err(refused));
    assert_eq!(buf.session().read_string(6), Err(refused));
    assert_eq!(buf.read_string(3), Err(Error::Utf8 { valid_up_to: 2 }));
    assert_eq!(buf.len(), 6);
    assert_eq!(buf.read_string(5).unwrap(), "ab€");
}

#[test]
fn naming_more_than_is_pending() {
    for n in [4, 5000, usize::MAX] {
        let mut buf = some();
        let refused = Error::BeyondPending {
            asked: n,
            pending: 3,
        };
        assert_eq!(buf.malloc_ack(n), Err(refused));
        let drops = Drops::default();
        let back = buf.write_direct(drops.value("value"), n).unwrap_err();
        assert_eq!(back.error, refused);
        assert_eq!(Error::from(back), refused);
        assert_eq!(drops.count(), 1, "dropped by the caller, once");
        unchanged(buf);
    }
}

#[test]
fn lengths_that_no_memory_has() {
    for n in [usize::MAX, usize::MAX - 8, isize::MAX as usize + 1] {
        let mut buf = some();
        let refused = Error::CapacityOverflow { asked: n };
        assert_eq!(buf.malloc(n).map(|_| ()), Err(refused));
        assert_eq!(buf.slot(n).map(|_| ()), Err(refused));
        unchanged(buf);

        let mut buf = some();
        assert!(buf.appender(n).is_err());
        unchanged(buf);

        let mut buf = readable(b"hello");
        assert!(buf.book(n, n).is_err());
        assert_eq!(content(&buf), b"hello");
        assert!(LinkBuffer::with_capacity(n).is_err());
    }
    // More than any heap has, but a length all the same.
    let mut buf = some();
    let n = isize::MAX as usize - 4096;
    assert_eq!(
        buf.malloc(n).map(|_| ()),
        Err(Error::Alloc(AllocError { size: n }))
    );
    unchanged(buf);
}

#[test]
fn a_huge_upper_bound_of_a_booking_is_no_harm() {
    let mut buf = readable(b"hello");
    let room = buf.book(1, usize::MAX).unwrap();
    assert!(
        !room.is_empty() && room.len() <= 1 << 20,
        "{} bytes",
        room.len()
    );
    room[0] = b'!';
    buf.book_ack(1).unwrap();
    assert_eq!(content(&buf), b"hello!");
}

#[test]
fn booking_with_pending_bytes() {
    let mut buf = some();
    let refused = Error::PendingInTheWay { pending: 3 };
    assert_eq!(buf.book(1, 10).map(|_| ()), Err(refused));
    let mut bufs = [std::io::IoSliceMut::new(&mut [])];
    assert_eq!(buf.book_vectored(1, 10, &mut bufs), Err(refused));
    unchanged(buf);
}

#[test]
fn acknowledging_more_than_was_booked() {
    let mut buf = readable(b"hello");
    assert_eq!(
        buf.book_ack(1),
        Err(Error::BeyondBooked {
            asked: 1,
            booked: 0
        })
    );
    buf.book_ack(0).unwrap();
    let booked = buf.book(10, 100).unwrap().len();
    for asked in [booked + 1, usize::MAX] {
        assert_eq!(
            buf.book_ack(asked),
            Err(Error::BeyondBooked { asked, booked })
        );
    }
    assert_eq!(content(&buf), b"hello");
    buf.book(10, 100).unwrap().fill(b'x');
    buf.book_ack(booked).unwrap();
    assert_eq!(buf.len(), 5 + booked);
    assert!(buf.book_ack(1).is_err(), "a booking is used up by its ack");
}

#[test]
fn a_value_comes_back_when_there_is_no_memory() {
    let mut buf = some();
    let value = pattern(1, 100_000);
    let at = value.as_ptr();
    FailingGlobal::arm(0, true);
    let first = buf.write_owned(value);
    FailingGlobal::disarm();
    let back = first.unwrap_err();
    assert!(matches!(back.error, Error::Alloc(_)));
    assert_eq!((back.value.as_ptr(), back.value.len()), (at, 100_000));

    FailingGlobal::arm(0, true);
    let second = buf.write_direct(back.value, 2);
    FailingGlobal::disarm();
    let back = second.unwrap_err();
    assert_eq!(back.value.as_ptr(), at);

    FailingGlobal::arm(0, true);
    let third = Slice::from_owner(back.value);
    FailingGlobal::disarm();
    let back = third.unwrap_err();
    assert_eq!(back.value, pattern(1, 100_000));
    unchanged(buf);
}

#[test]
fn a_refusal_says_what_was_refused() {
    let mut buf = some();
    let told = buf.next(77).unwrap_err().to_string();
    assert!(told.contains("77") && told.contains('5'), "{told}");
    let rejected = buf.write_direct(vec![1, 2, 3], 99).unwrap_err();
    let told = rejected.to_string();
    assert!(told.contains("99") && told.contains('3'), "{told}");
    assert!(!format!("{rejected:?}").is_empty());
}

#[test]
fn io_errors_have_a_kind_and_the_source() {
    let kinds = [
        (
            Error::NotEnough {
                asked: 2,
                readable: 1,
            },
            ErrorKind::UnexpectedEof,
        ),
        (Error::NotFound { readable: 1 }, ErrorKind::UnexpectedEof),
        (Error::Alloc(AllocError { size: 9 }), ErrorKind::OutOfMemory),
        (Error::Utf8 { valid_up_to: 0 }, ErrorKind::InvalidData),
        (Error::SlotGone, ErrorKind::InvalidInput),
    ];
    for (error, kind) in kinds {
        let io = std::io::Error::from(error);
        assert_eq!(io.kind(), kind);
        let source = io.get_ref().and_then(|e| e.downcast_ref::<Error>());
        // Without memory there is none to box the source.
        let expected = Some(&error).filter(|_| kind != ErrorKind::OutOfMemory);
        assert_eq!(source, expected);
    }
}

#[test]
fn a_refused_value_becomes_an_io_error() {
    fn insert(buf: &mut LinkBuffer, remain: usize) -> std::io::Result<()> {
        buf.write_direct("xx", remain)?;
        Ok(())
    }
    let mut buf = some();
    let refused = insert(&mut buf, 9).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    let reason = refused.get_ref().and_then(|e| e.downcast_ref());
    let expected = Error::BeyondPending {
        asked: 9,
        pending: 3,
    };
    assert_eq!(reason, Some(&expected));
    unchanged(buf);
    assert!(insert(&mut some(), 3).is_ok());
}

#[test]
fn an_error_leads_to_the_one_behind_it() {
    use std::error::Error as _;
    let refused = Rejected {
        error: Error::Alloc(AllocError { size: 9 }),
        value: "not shown",
    };
    let reason = refused.source().and_then(|e| e.downcast_ref::<Error>());
    assert_eq!(reason, Some(&refused.error));
    let first = reason.and_then(|e| e.source()).expect("the allocator's");
    assert_eq!(first.downcast_ref(), Some(&AllocError { size: 9 }));
    assert!(first.source().is_none() && Error::SlotGone.source().is_none());
}

#[test]
fn nothing_asked_is_nothing_done() {
    let mut buf = some();
    assert!(buf.malloc(0).unwrap().is_empty());
    buf.write_binary(b"").unwrap();
    buf.write_string("").unwrap();
    let drops = Drops::default();
    buf.write_owned(drops.value("")).unwrap();
    buf.write_direct(drops.value(""), 2).unwrap();
    assert_eq!(drops.count(), 2, "nothing refers to an empty value");
    buf.append_slice(Slice::new()).unwrap();
    buf.append(LinkBuffer::new()).unwrap();
    buf.appender(0).unwrap().commit();
    buf.malloc_ack(3).unwrap();
    assert_eq!(buf.next(0).unwrap(), b"");
    assert_eq!(buf.peek(0).unwrap(), b"");
    buf.skip(0).unwrap();
    assert_eq!(buf.read_binary(0).unwrap(), b"");
    assert_eq!(buf.read_string(0).unwrap(), "");
    buf.read_into(&mut []).unwrap();
    assert_eq!(buf.until_bytes(b"").unwrap(), b"");
    assert!(buf.slice(0).unwrap().is_empty());
    buf.release();
    buf.trim();
    unchanged(buf);
}

#[test]
fn an_empty_buffer_allocates_nothing() {
    let calls = crate::support::heap_calls(|| {
        let mut buf = LinkBuffer::new();
        assert!(buf.malloc(0).unwrap().is_empty());
        buf.write_binary(b"").unwrap();
        buf.append(LinkBuffer::new()).unwrap();
        buf.flush();
        assert_eq!(buf.next(0).unwrap(), b"");
        assert!(buf.slice(0).unwrap().is_empty());
        assert!(buf.next(1).is_err());
        buf.release();
        buf.clear();
        buf.trim();
        assert_eq!(buf.memory().live, 0);
    });
    assert_eq!(calls, 0);
}
