//! Reserved slots: good until their bytes are flushed or discarded, whatever the writer does meanwhile.

use linkbuf_core::{Error, LinkBuffer, Slot, testing::model::pattern};

use crate::support::{content, readable};

/// A buffer with a slot of 4 bytes in the middle of small nodes, and what is before and behind it.
fn with_slot() -> (LinkBuffer, Slot) {
    let mut buf = LinkBuffer::builder().node_size(64).build();
    buf.write_binary(b"head").unwrap();
    let slot = buf.slot(4).unwrap();
    (buf, slot)
}

#[test]
fn a_length_header_is_filled_in_last() {
    let mut buf = LinkBuffer::new();
    let len = buf.slot_be::<u32>().unwrap();
    buf.write_string("how long is this?").unwrap();
    let body = buf.malloc_len() - 4;
    buf.fill_int(&len, body as u32).unwrap();
    buf.flush();
    assert_eq!(content(&buf), b"\0\0\0\x11how long is this?");
}

#[test]
fn every_writer_verb_leaves_a_slot_good() {
    let (mut buf, slot) = with_slot();
    buf.malloc(10).unwrap().fill(b'm');
    buf.malloc(5000).unwrap().fill(b'M');
    buf.write_binary(&[b'w'; 100]).unwrap();
    buf.write_string("text").unwrap();
    buf.write_byte(b'b').unwrap();
    buf.write_owned(vec![b'o'; 10]).unwrap();
    buf.write_owned(vec![b'O'; 10_000]).unwrap();
    buf.write_direct(b"direct".to_vec(), 3).unwrap();
    let mut appender = buf.appender(16).unwrap();
    appender.put(&[b'a'; 300]).unwrap();
    appender.commit();
    let mut other = readable(b"published elsewhere");
    other.write_binary(b"pending elsewhere").unwrap();
    buf.append_slice(other.slice(9).unwrap()).unwrap();
    buf.append(other).unwrap();
    buf.malloc_ack(buf.malloc_len() - 1).unwrap();
    buf.fill(&slot, b"1234").unwrap();
    buf.flush();
    assert!(content(&buf).starts_with(b"head1234mmmm"));
}

#[test]
fn a_slot_may_be_filled_again_until_the_flush() {
    let (mut buf, slot) = with_slot();
    buf.fill(&slot, b"1234").unwrap();
    buf.fill(&slot, b"5678").unwrap();
    buf.slot_mut(&slot).unwrap()[0] = b'!';
    assert_eq!(buf.slot_mut(&slot).unwrap(), b"!678");
    buf.flush();
    assert_eq!(content(&buf), b"head!678");
}

#[test]
fn insertions_may_fall_anywhere_in_a_slot() {
    for remain in 0..=8 {
        let (mut buf, slot) = with_slot();
        buf.write_direct(b"<1>".to_vec(), remain).unwrap();
        buf.write_direct(vec![b'-'; 5000], remain + 1).unwrap();
        buf.fill(&slot, b"SLOT").unwrap();
        buf.write_direct(b"<2>".to_vec(), remain).unwrap();
        buf.fill(&slot, b"slot").unwrap();
        buf.flush();

        let mut all = b"headslot".to_vec();
        all.splice(8 - remain..8 - remain, *b"<1>");
        let at = all.len() - remain - 1;
        all.splice(at..at, [b'-'; 5000]);
        let at = all.len() - remain;
        all.splice(at..at, *b"<2>");
        assert_eq!(content(&buf), all, "remain {remain}");
    }
}

#[test]
fn a_slot_is_gone_after_the_flush_and_published_bytes_stay() {
    let (mut buf, slot) = with_slot();
    buf.fill(&slot, b"good").unwrap();
    buf.flush();
    assert_eq!(buf.fill(&slot, b"evil"), Err(Error::SlotGone));
    assert_eq!(buf.slot_mut(&slot), Err(Error::SlotGone));
    assert_eq!(content(&buf), b"headgood");
}

#[test]
fn a_slot_stays_gone_when_its_memory_is_used_again() {
    let mut buf = LinkBuffer::new();
    let mut old = Vec::new();
    for round in 0..300_u32 {
        let slot = buf.slot(4).unwrap();
        for gone in &old {
            assert_eq!(buf.fill(gone, b"evil"), Err(Error::SlotGone));
        }
        buf.fill(&slot, &round.to_be_bytes()).unwrap();
        match round % 3 {
            0 => {
                buf.flush();
                assert_eq!(buf.next(4).unwrap(), round.to_be_bytes());
                buf.release();
            }
            1 => buf.malloc_ack(0).unwrap(),
            _ => buf.clear(),
        }
        old.push(slot);
    }
}

#[test]
fn an_ack_that_takes_a_byte_takes_the_slot() {
    for keep in 0..=9 {
        let (mut buf, slot) = with_slot();
        buf.write_binary(b"tail").unwrap();
        buf.malloc_ack(keep).unwrap();
        let filled = buf.fill(&slot, b"1234");
        if keep < 8 {
            assert_eq!(filled, Err(Error::SlotGone), "keeping {keep}");
            // The room is another's now.
            buf.write_binary(b"new bytes").unwrap();
            assert_eq!(buf.fill(&slot, b"evil"), Err(Error::SlotGone));
        } else {
            assert_eq!(filled, Ok(()), "keeping {keep}");
        }
        buf.flush();
        let mut all = b"head1234t".to_vec();
        all.truncate(keep);
        if keep < 8 {
            all.truncate(4);
            assert!(content(&buf).starts_with(&all));
            assert!(content(&buf).ends_with(b"new bytes"));
            assert_eq!(buf.len(), keep + 9);
        } else {
            assert_eq!(content(&buf), all);
        }
    }
}

#[test]
fn an_ack_in_an_insertion_inside_a_slot_takes_the_slot() {
    let (mut buf, slot) = with_slot();
    buf.write_direct(b"insertion".to_vec(), 2).unwrap();
    buf.malloc_ack(10).unwrap();
    assert_eq!(buf.fill(&slot, b"evil"), Err(Error::SlotGone));
    buf.malloc_ack(4).unwrap();
    buf.flush();
    assert_eq!(content(&buf), b"head");
}

#[test]
fn a_slot_goes_along_when_its_buffer_is_appended() {
    for pending in [&b""[..], b"pending"] {
        let mut to = readable(b"published ");
        to.write_binary(pending).unwrap();
        let (mut from, slot) = with_slot();
        from.write_direct(b"+".to_vec(), 1).unwrap();
        to.append(from).unwrap();
        to.write_byte(b'.').unwrap();
        to.fill(&slot, b"1234").unwrap();

        let mut last = LinkBuffer::new();
        let own = last.slot_le::<u16>().unwrap();
        last.append(to).unwrap();
        last.fill(&slot, b"5678").unwrap();
        last.fill_int(&own, 0x2b2a).unwrap();
        last.flush();
        let mut all = b"*+published ".to_vec();
        all.extend(pending);
        all.extend(b"head567+8.");
        assert_eq!(content(&last), all);
        assert_eq!(last.fill(&slot, b"evil"), Err(Error::SlotGone));
    }
}

/// Each message of many has an open header; all of them are appended to one stream.
#[test]
fn very_many_buffers_with_open_slots_can_be_appended() {
    let mut stream = LinkBuffer::new();
    let mut heads = Vec::new();
    for i in 0..20_000_u32 {
        let mut message = LinkBuffer::builder().node_size(16).build();
        heads.push(message.slot_be::<u32>().unwrap());
        message.write_binary(&i.to_be_bytes()).unwrap();
        stream.append(message).unwrap();
    }
    for (i, head) in (0..).zip(&heads).step_by(997) {
        stream.fill_int(head, i).unwrap();
    }
    stream.flush();
    for i in 0..20_000_u32 {
        let head = stream.next(4).unwrap();
        assert!(i % 997 != 0 || head == i.to_be_bytes());
        assert_eq!(stream.next(4).unwrap(), i.to_be_bytes());
    }
    assert_eq!(stream.fill_int(&heads[0], 1), Err(Error::SlotGone));
}

#[test]
fn a_slot_of_an_appended_buffer_goes_with_the_flush_or_the_ack() {
    let (from, slot) = with_slot();
    let mut to = LinkBuffer::new();
    to.append(from).unwrap();
    to.malloc_ack(7).unwrap();
    assert_eq!(to.fill(&slot, b"evil"), Err(Error::SlotGone));
}

#[test]
fn a_slot_of_another_buffer_is_refused() {
    let (mut one, first) = with_slot();
    let (mut two, second) = with_slot();
    assert_eq!(two.fill(&first, b"evil"), Err(Error::SlotGone));
    assert_eq!(one.fill(&second, b"evil"), Err(Error::SlotGone));
    assert_eq!(
        LinkBuffer::new().fill(&first, b"evil"),
        Err(Error::SlotGone)
    );
    one.fill(&first, b"1111").unwrap();
    two.fill(&second, b"2222").unwrap();
    drop(one);
    // The first buffer's memory may be this one's by now.
    let (mut three, third) = with_slot();
    assert_eq!(three.fill(&first, b"evil"), Err(Error::SlotGone));
    three.fill(&third, b"3333").unwrap();
    three.flush();
    two.flush();
    assert_eq!(content(&two), b"head2222");
    assert_eq!(content(&three), b"head3333");
}

#[test]
fn buffers_may_be_moved_and_swapped() {
    let (mut one, first) = with_slot();
    let (mut two, second) = with_slot();
    std::mem::swap(&mut one, &mut two);
    let mut moved = Box::new(one);
    moved.fill(&second, b"2222").unwrap();
    two.fill(&first, b"1111").unwrap();
    moved.flush();
    two.flush();
    assert_eq!(content(&moved), b"head2222");
    assert_eq!(content(&two), b"head1111");
}

#[test]
fn a_slot_larger_than_a_node_is_one_piece() {
    let mut buf = LinkBuffer::builder().node_size(64).build();
    buf.write_binary(b"x").unwrap();
    let slot = buf.slot(100_000).unwrap();
    assert_eq!((slot.len(), slot.is_empty()), (100_000, false));
    buf.write_binary(b"y").unwrap();
    buf.fill(&slot, &pattern(1, 100_000)).unwrap();
    buf.flush();
    assert_eq!(content(&buf)[1..100_001], pattern(1, 100_000));
}

#[test]
fn a_slot_wants_exactly_its_bytes() {
    let (mut buf, slot) = with_slot();
    for given in [0, 3, 5] {
        assert_eq!(
            buf.fill(&slot, &pattern(0, given)),
            Err(Error::SlotLength { given, slot: 4 })
        );
    }
    buf.fill(&slot, b"good").unwrap();
    buf.flush();
    assert_eq!(content(&buf), b"headgood");
}

#[test]
fn an_empty_slot_is_nothing() {
    let mut buf = LinkBuffer::new();
    let slot = buf.slot(0).unwrap();
    assert!(slot.is_empty());
    assert_eq!(buf.malloc_len(), 0);
    buf.flush();
    assert!(buf.is_empty());
}

#[test]
fn typed_slots_have_their_width_and_byte_order() {
    macro_rules! check {
        ($($int:ty)*) => {$(
            let mut buf = LinkBuffer::new();
            let value = <$int>::MAX / 3 - 77;
            let big = buf.slot_be::<$int>().unwrap();
            let little = buf.slot_le::<$int>().unwrap();
            assert_eq!(buf.malloc_len(), 2 * size_of::<$int>());
            buf.write_byte(9).unwrap();
            buf.fill_int(&little, value).unwrap();
            buf.fill_int(&big, value).unwrap();
            buf.flush();
            let mut all = value.to_be_bytes().to_vec();
            all.extend(value.to_le_bytes());
            all.push(9);
            assert_eq!(content(&buf), all);
            assert_eq!(buf.fill_int(&big, value), Err(Error::SlotGone));
        )*};
    }
    check!(u8 u16 u32 u64 u128 i8 i16 i32 i64 i128);
}

#[test]
fn an_appender_and_slots_mix() {
    let mut buf = LinkBuffer::builder().node_size(64).build();
    let len = buf.slot_be::<u32>().unwrap();
    let mut appender = buf.appender(40).unwrap();
    for i in 0..32_u16 {
        appender.put(&[7; 10]).unwrap();
        appender.put_be(i).unwrap();
    }
    drop(appender);
    let mid = buf.slot(1).unwrap();
    let n = buf.malloc_len() as u32;
    buf.fill_int(&len, n).unwrap();
    buf.fill(&mid, b"!").unwrap();
    buf.flush();
    assert_eq!(buf.len(), 4 + 32 * 12 + 1);
    assert_eq!(buf.next(4).unwrap(), n.to_be_bytes());
    for i in 0..32_u16 {
        assert_eq!(buf.next(10).unwrap(), [7; 10]);
        assert_eq!(buf.next(2).unwrap(), i.to_be_bytes());
    }
    assert_eq!(buf.read_byte(), Ok(b'!'));
}
