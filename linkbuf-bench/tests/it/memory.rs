//! The counting allocator counts what it says.

use linkbuf_bench::memory::{count, installed};
use std::hint::black_box;

#[test]
fn the_counting_allocator_is_found() {
    assert!(installed());
}

#[test]
fn calls_and_bytes_are_counted() {
    let (kept, tally) = count(|| {
        let kept: Vec<u8> = black_box(Vec::with_capacity(1000));
        let mut grown: Vec<u8> = black_box(Vec::with_capacity(10));
        grown.reserve_exact(100);
        drop(black_box(grown));
        kept
    });
    assert_eq!((tally.acquired, tally.released, tally.live), (3, 1, 1000));
    let ((), tally) = count(|| drop(black_box(kept)));
    assert_eq!((tally.acquired, tally.released, tally.live), (0, 1, -1000));
}

#[test]
fn other_threads_are_not_counted() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        receiver.recv().ok();
        drop(black_box(vec![1_u8; 5000]));
    });
    let (_, tally) = count(|| {
        drop(sender);
        other.join().ok();
    });
    assert!(tally.live.abs() < 5000, "{tally:?}");
    assert_eq!(tally.acquired, 0, "{tally:?}");
}
