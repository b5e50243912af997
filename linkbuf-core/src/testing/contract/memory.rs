//! Clauses about memory: what is kept, what goes back, what happens when there is no more.

use std::{thread, vec::Vec};

use super::{Parcel, at_rest, live};
use crate::{
    Builder, Error, LinkBuffer, NodeAllocator, TailPolicy,
    testing::model::{difference, pattern},
};

/// Bytes that pass through a buffer before it idles.
const PASSED: usize = 1 << 20;

/// What a buffer keeps after 1 MiB passed through it, in one piece and in many: at most a page of the allocator (or
/// what the allocator's own default allows), nothing with [`TailPolicy::Release`], what was asked for with
/// [`TailPolicy::Keep`].
///
/// # Panics
/// When it keeps more, or blocks do not come back.
pub fn idle<A: NodeAllocator>(alloc: &A) {
    let before = live(alloc);
    let page = alloc.page_size();
    let default = match alloc.default_tail_policy() {
        TailPolicy::Release => 0,
        TailPolicy::Page => page,
        TailPolicy::Keep(bytes) => bytes,
    };
    let builder = || Builder::new_in(alloc.clone());
    let policies = [
        (builder(), default),
        (builder().tail_policy(TailPolicy::Page), page),
        (builder().tail_policy(TailPolicy::Release), 0),
        (builder().tail_policy(TailPolicy::Keep(100_000)), 100_000),
    ];
    for (builder, bound) in policies {
        for piece in [100, 5000, 70_000, PASSED] {
            let mut buffer = builder.clone().build();
            let bytes = pattern(1, piece);
            let mut passed = 0;
            while passed < PASSED {
                buffer.write_binary(&bytes).expect("memory for the test");
                buffer.flush();
                let read = buffer.next(piece).expect("what was written");
                assert_eq!(difference([read], &bytes), None);
                buffer.release();
                passed += piece;
            }
            let kept = buffer.memory().total();
            assert!(
                kept <= bound,
                "{kept} bytes kept, {bound} allowed, after pieces of {piece}"
            );
        }
    }
    assert_eq!(live(alloc), before, "figures after the buffers are gone");
}

/// After a trim an allocator that has no block out holds at most `keeps` bytes, if it counts what it holds: what was
/// given back here, what was given back by a thread that is gone, small blocks and large.
///
/// # Panics
/// When it holds more.
pub fn trims<A: NodeAllocator>(alloc: &A, keeps: usize) {
    let before = live(alloc);
    let sizes = [alloc.node_size(), 4096, 8192, 40_000, 200_000, 3 << 20];
    let counts = [300, 300, 300, 40, 10, 2];
    let take = || -> Vec<Parcel> {
        let sizes = sizes.into_iter().zip(counts);
        let all = sizes.flat_map(|(size, count)| core::iter::repeat_n(size, count));
        all.map(|size| Parcel::take(alloc, size, 7)).collect()
    };
    let (here, there) = (take(), take());
    let other = alloc.clone();
    let elsewhere = thread::spawn(move || there.into_iter().for_each(|p| p.give_back(&other)));
    elsewhere.join().expect("the blocks go back");
    here.into_iter().for_each(|p| p.give_back(alloc));
    at_rest(alloc);
    alloc.decay();
    at_rest(alloc);
    alloc.trim();
    if let (Some(figures), Some((0, _))) = (at_rest(alloc), before) {
        let held = figures.cached_bytes + figures.free_bytes;
        assert!(
            held <= keeps as u64,
            "{held} bytes held after a trim, {keeps} allowed: {figures:?}"
        );
    }
    assert_eq!(live(alloc), before, "figures after all blocks came back");
    // And it still works.
    Parcel::take(alloc, 8192, 1).give_back(alloc);
}

/// Writes until there is no memory, checks that nothing was lost by the refusal, makes room, and writes again. `alloc`
/// has a limit of its own, or the process has, and it is reached before `most` bytes.
///
/// Takes next to nothing from the global heap once it has begun, so that it can run where that is exhausted too.
///
/// # Panics
/// When a buffer is not as before, room that was made is not there, or the limit was not reached.
pub fn exhaustion<A: NodeAllocator>(alloc: &A, most: usize) {
    const EACH: usize = 256 << 10;
    let before = live(alloc);
    let piece = pattern(9, alloc.node_size());
    let mut full: Vec<LinkBuffer<A>> = Vec::with_capacity(most / EACH + 2);
    let mut written = 0;
    let refused = loop {
        assert!(written < most, "{written} bytes were given without an end");
        let mut buffer = LinkBuffer::new_in(alloc.clone());
        let refused = fill(&mut buffer, &piece, EACH);
        written += buffer.len();
        full.push(buffer);
        if refused {
            break full.len() - 1;
        }
    };
    // Asking again changes nothing, for little or for much.
    let last = &mut full[refused];
    let len = last.len();
    for size in [EACH, most] {
        if last.malloc(size).is_ok() {
            // There was room after all, for a block of another size: that is no fault.
            last.malloc_ack(0).expect("nothing is asked for");
        }
        assert_eq!((last.len(), last.malloc_len()), (len, 0));
    }
    for buffer in &full {
        whole(buffer, &piece);
    }
    // Half of it comes back, and can be taken again: a quarter at least, whatever the allocator keeps for other sizes.
    let mut nth = 0;
    let mut freed = 0;
    full.retain(|buffer| {
        nth += 1;
        if nth % 2 == 1 {
            freed += buffer.len();
        }
        nth % 2 == 0
    });
    let mut again = LinkBuffer::new_in(alloc.clone());
    fill(&mut again, &piece, freed / 4);
    assert!(
        again.len() >= freed / 4,
        "{freed} bytes came back, and only {} could be taken",
        again.len()
    );
    whole(&again, &piece);
    full.push(again);
    for buffer in &full {
        whole(buffer, &piece);
    }
    drop(full);
    assert_eq!(live(alloc), before, "figures after the buffers are gone");
    Parcel::take(alloc, piece.len(), 1).give_back(alloc);
}

/// Writes and publishes whole pieces until there are `bytes`, or memory is refused, which is `true`.
#[track_caller]
fn fill<A: NodeAllocator>(buffer: &mut LinkBuffer<A>, piece: &[u8], bytes: usize) -> bool {
    while buffer.len() < bytes {
        let len = buffer.len();
        match buffer.write_binary(piece) {
            Ok(()) => buffer.flush(),
            Err(Error::Alloc(_)) => {
                assert_eq!((buffer.len(), buffer.malloc_len()), (len, 0));
                return true;
            }
            Err(other) => panic!("{other}"),
        }
    }
    false
}

/// The buffer holds whole pieces, unchanged.
#[track_caller]
fn whole<A: NodeAllocator>(buffer: &LinkBuffer<A>, piece: &[u8]) {
    assert_eq!(buffer.len() % piece.len(), 0);
    let mut at = 0;
    for mut chunk in buffer.chunks() {
        while !chunk.is_empty() {
            let rest = &piece[at % piece.len()..];
            let (now, later) = chunk.split_at(chunk.len().min(rest.len()));
            assert!(now == &rest[..now.len()], "bytes {at} and on have changed");
            at += now.len();
            chunk = later;
        }
    }
    assert_eq!(at, buffer.len());
}
