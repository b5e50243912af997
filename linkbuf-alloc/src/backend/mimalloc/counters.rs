//! What is out, counted without an atomic that two threads meet at.
//!
//! A thread claims a shard for its lifetime and is the only one that writes to it, by plain loads and stores. When all
//! are claimed, and when a thread is about to end, the last shard serves, which all may write to.

use std::{
    cell::Cell,
    ffi::c_void,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use linkbuf_core::AllocFigures;

use crate::thread_exit::ThreadExit;

/// Threads that count at full speed at the same time.
const SHARDS: usize = 128;

/// Sums since the program started; they wrap. A shard that is given up keeps them, and the next thread goes on from
/// there: what is out is the sum over all shards of what was taken, less the sum of what came back.
#[repr(align(128))] // neighbours would share a cache line, and processors fetch lines in pairs
struct Shard {
    claimed: AtomicBool,
    taken_blocks: AtomicU64,
    taken_bytes: AtomicU64,
    back_blocks: AtomicU64,
    back_bytes: AtomicU64,
}

impl Shard {
    const fn new() -> Self {
        Shard {
            claimed: AtomicBool::new(false),
            taken_blocks: AtomicU64::new(0),
            taken_bytes: AtomicU64::new(0),
            back_blocks: AtomicU64::new(0),
            back_bytes: AtomicU64::new(0),
        }
    }
}

static OWNED: [Shard; SHARDS] = [const { Shard::new() }; SHARDS];
static COMMON: Shard = Shard::new();

static EXIT: ThreadExit = ThreadExit::new(give_up);

/// Gives the shard up when the thread ends.
extern "C" fn give_up(_: *mut c_void) {
    // What this thread still returns, from destructors that run later, counts in the common shard.
    if let Some(shard) = MINE.replace(Some(&COMMON)) {
        // `Release` pairs with `Acquire` in `claim`: the next owner sees the sums that this one wrote.
        shard.claimed.store(false, Ordering::Release);
    }
}

thread_local! {
    /// No destructor and a constant start: reaching it is one load, at any time of the thread's life.
    static MINE: Cell<Option<&'static Shard>> = const { Cell::new(None) };
}

#[inline]
pub(super) fn taken(bytes: usize) {
    let shard = mine();
    add(shard, &shard.taken_blocks, 1);
    add(shard, &shard.taken_bytes, bytes as u64);
}

#[inline]
pub(super) fn given_back(bytes: usize) {
    let shard = mine();
    add(shard, &shard.back_blocks, 1);
    add(shard, &shard.back_bytes, bytes as u64);
}

#[inline]
fn mine() -> &'static Shard {
    match MINE.get() {
        Some(shard) => shard,
        None => claim(),
    }
}

#[cold]
fn claim() -> &'static Shard {
    let mut shard = &COMMON;
    // Where nothing would give a shard up at the thread's end, none is claimed.
    if EXIT.arm() {
        let free = OWNED
            .iter()
            // `Acquire`: see `give_up`.
            .find(|shard| !shard.claimed.swap(true, Ordering::Acquire));
        shard = free.unwrap_or(&COMMON);
    }
    MINE.set(Some(shard));
    shard
}

// `Relaxed` everywhere: the figures hand no data on, and they are exact once threads have been joined.
#[inline]
fn add(shard: &Shard, sum: &AtomicU64, n: u64) {
    if std::ptr::eq(shard, &COMMON) {
        sum.fetch_add(n, Ordering::Relaxed);
    } else {
        // This thread is the only one that writes here.
        let now = sum.load(Ordering::Relaxed);
        sum.store(now.wrapping_add(n), Ordering::Relaxed);
    }
}

/// What is out. Exact when no thread is at work.
pub(super) fn sum() -> AllocFigures {
    let (mut blocks, mut bytes) = (0_u64, 0_u64);
    for shard in OWNED.iter().chain([&COMMON]) {
        let read = |sum: &AtomicU64| sum.load(Ordering::Relaxed);
        blocks = blocks
            .wrapping_add(read(&shard.taken_blocks))
            .wrapping_sub(read(&shard.back_blocks));
        bytes = bytes
            .wrapping_add(read(&shard.taken_bytes))
            .wrapping_sub(read(&shard.back_bytes));
    }
    // A block that was seen coming back and not going out, while threads are at work, makes a sum negative.
    let settled = |sum: u64| if sum > u64::MAX / 2 { 0 } else { sum };
    let mut figures = AllocFigures::default();
    figures.live_blocks = settled(blocks);
    figures.live_bytes = settled(bytes);
    figures
}
