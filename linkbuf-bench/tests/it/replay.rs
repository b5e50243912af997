//! The recordings come out as they went in, with every contender and however they are cut.

use linkbuf_bench::replay::{Recording, scenario};

/// A recording of one connection, of `traffic` in chunks of `len` bytes.
fn recording(traffic: &[u8], len: usize) -> Recording {
    let mut file = Vec::new();
    for chunk in traffic.chunks(len) {
        file.extend_from_slice(&[0, 1, 0]);
        file.extend_from_slice(&u32::try_from(chunk.len()).unwrap().to_le_bytes());
        file.extend_from_slice(chunk);
    }
    // A recording stands in the program's image; here it has to be made.
    Recording::parse("test", "test", Box::leak(file.into_boxed_slice())).unwrap()
}

/// One message of every kind, values below, at and above what is attached, empty ones, delimiters inside of values.
fn traffic() -> Vec<u8> {
    let mut traffic = Vec::new();
    for len in [0, 1, 2, 64, 4095, 4096, 4097, 20_000] {
        let value: String = (0..len)
            .map(|n| if n % 3 == 0 { '\r' } else { '\n' })
            .collect();
        traffic.extend_from_slice(
            format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${len}\r\n{value}\r\n").as_bytes(),
        );
        traffic.extend_from_slice(b"+OK\r\n:-12\r\n$-1\r\n*-1\r\n*0\r\n*2\r\n*1\r\n:1\r\n+a\r\n");
        traffic.extend_from_slice(b"-ERR this line is longer than those that stand in place\r\n");
    }
    traffic
}

#[test]
fn what_comes_out_is_what_went_in_wherever_the_chunks_are_cut() {
    let traffic = traffic();
    for len in [1, 2, 3, 7, 61, 1000, 4096, traffic.len()] {
        for contender in scenario(recording(&traffic, len)).contenders {
            let result = contender.make().check();
            assert_eq!(result, Ok(()), "{}, chunks of {len}", contender.name);
        }
    }
}

#[test]
fn the_recordings_are_whole() {
    let all = Recording::all();
    let figures: Vec<_> = all
        .iter()
        .map(|r| (r.id, r.streams(), r.bytes(), r.messages()))
        .collect();
    assert_eq!(
        figures,
        [
            ("replay-small", 57, 1_373_110, 2_228),
            ("replay-mixed", 18, 975_326, 644),
            ("replay-large", 10, 1_600_918, 36),
        ]
    );
}

#[test]
fn a_recording_that_is_cut_off_is_refused() {
    let whole: &'static [u8] = b"\x00\x01\x00\x05\x00\x00\x00+OK\r\n";
    assert!(Recording::parse("t", "", whole).is_ok());
    for len in 1..whole.len() {
        assert!(Recording::parse("t", "", &whole[..len]).is_err(), "{len}");
    }
    // The record is whole, the message isn't.
    assert!(Recording::parse("t", "", b"\x00\x01\x00\x04\x00\x00\x00+OK\r").is_err());
}
