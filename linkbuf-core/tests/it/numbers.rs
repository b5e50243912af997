//! Numbers: written, put, slotted and read in both orders, within a node and across nodes.

use linkbuf_core::{Error, LinkBuffer, Number};

use crate::support::{content, heap_calls, in_nodes};

/// Each way in gives `big` and then `little`, and each way out gives `value` again, wherever the nodes are cut.
#[track_caller]
fn both_ways<T: Number + PartialEq + core::fmt::Debug>(value: T, big: &[u8], little: &[u8]) {
    let both = [big, little].concat();
    let mut buf = LinkBuffer::new();
    buf.write_be(value).unwrap();
    buf.write_le(value).unwrap();
    let mut fields = buf.appender(0).unwrap();
    fields.put_be(value).unwrap();
    fields.put_le(value).unwrap();
    fields.commit();
    let slots = (buf.slot_be::<T>().unwrap(), buf.slot_le::<T>().unwrap());
    buf.fill_int(&slots.1, value).unwrap();
    buf.fill_int(&slots.0, value).unwrap();
    buf.flush();
    assert_eq!(content(&buf), both.repeat(3));

    for cut in 0..=both.len() {
        let cut_there = || in_nodes(&[&both[..cut], &both[cut..]]);
        let mut buf = cut_there();
        assert_eq!(buf.read_be(), Ok(value));
        assert_eq!(buf.read_le(), Ok(value));
        assert!(buf.is_empty());
        let mut buf = cut_there();
        let mut r = buf.session();
        assert_eq!(r.read_be(), Ok(value));
        assert_eq!(r.read_le(), Ok(value));
        assert!(r.is_empty());
    }
}

#[test]
fn integers_and_floats() {
    both_ways(0xFE_u8, &[0xFE], &[0xFE]);
    both_ways(-2_i8, &[0xFE], &[0xFE]);
    both_ways(0x0102_u16, &[1, 2], &[2, 1]);
    both_ways(-2_i16, &[0xFF, 0xFE], &[0xFE, 0xFF]);
    both_ways(0x0102_0304_u32, &[1, 2, 3, 4], &[4, 3, 2, 1]);
    both_ways(-0x0102_i32, &[255, 255, 254, 254], &[254, 254, 255, 255]);
    let (up, down) = ([1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1]);
    both_ways(0x0102_0304_0506_0708_u64, &up, &down);
    both_ways(0x0102_0304_0506_0708_i64, &up, &down);
    both_ways(1.5_f32, &[0x3F, 0xC0, 0, 0], &[0, 0, 0xC0, 0x3F]);
    both_ways(
        -2.0_f64,
        &[0xC0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0, 0xC0],
    );
    let (mut first, mut last) = ([0; 16], [0; 16]);
    (first[0], first[15]) = (0x12, 0x34);
    (last[0], last[15]) = (0x34, 0x12);
    both_ways(0x12_u128 << 120 | 0x34, &first, &last);
    both_ways(0x12_i128 << 120 | 0x34, &first, &last);
}

#[test]
fn too_few_bytes_are_left_to_be_read() {
    let mut buf = in_nodes(&[&[1], &[2, 3]]);
    let refused = Error::NotEnough {
        asked: 4,
        readable: 3,
    };
    assert_eq!(buf.read_be::<u32>(), Err(refused));
    assert_eq!(buf.read_le::<f32>(), Err(refused));
    assert_eq!(buf.session().read_be::<i32>(), Err(refused));
    assert_eq!(buf.session().read_le::<u32>(), Err(refused));
    assert_eq!((buf.read_be(), buf.len()), (Ok(0x0102_u16), 1));
}

#[test]
fn to_read_a_number_across_nodes_gathers_nothing() {
    let mut buf = in_nodes(&[&[1, 2], &[3, 4]]);
    let before = buf.memory();
    let calls = heap_calls(|| assert_eq!(buf.read_be(), Ok(0x0102_0304_u32)));
    assert_eq!((calls, buf.memory()), (0, before));
}
