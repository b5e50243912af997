//! A3: blocks of 8 KiB taken on one thread and given back on another, per block.
//!
//! The other thread stays. Blocks go over in batches, through a bounded channel that carries the empty batches back;
//! what that costs by itself is a contender, `handover-alone`, and part of every other's time.

use std::hint::{self, black_box};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use linkbuf_core::NodeAllocator;

use super::allocator::{Workload, expect_apart};
use crate::backends::Backend;
use crate::block::Block;
use crate::contenders::floor::AtomicPair;
use crate::scenario::{Bar, Case, Contender, Scenario, Unit};

const LEN: usize = 8192;
/// Blocks of a batch: the channel's cost is divided by it.
const BATCH: usize = 64;
/// Batches that are under way at most: 4 MiB of blocks, as one busy connection may have.
const BATCHES: usize = 8;

/// How often a thread looks for a batch before it lets others have the processor, and how often it does that before it
/// sleeps. To be woken costs more than many blocks do; but on a busy machine, what is waited for needs the processor.
const LOOKS: u32 = 100;
const YIELDS: u32 = 20;

/// The next batch, or `None` if the other side is gone.
fn next<T>(from: &Receiver<T>) -> Option<T> {
    for look in 1..=LOOKS * YIELDS {
        match from.try_recv() {
            Ok(batch) => return Some(batch),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) if look % LOOKS == 0 => thread::yield_now(),
            Err(TryRecvError::Empty) => hint::spin_loop(),
        }
    }
    from.recv().ok()
}

/// What goes over. Dropped there.
trait Item: Send + Sized + 'static {
    /// Where items come from.
    type Source: Copy + Send;
    fn take(from: Self::Source) -> Self;
    fn check(items: &mut [Self]) -> Result<(), String>;
}

impl<A: NodeAllocator> Item for Block<'static, A> {
    type Source = &'static A;

    #[inline]
    fn take(from: &'static A) -> Self {
        let mut block = Block::take(from, black_box(LEN));
        // Bytes are what goes from thread to thread.
        block.touch();
        block
    }

    fn check(items: &mut [Self]) -> Result<(), String> {
        expect_apart(items, LEN)
    }
}

/// As large as a block's handle, and nothing to give back.
struct Nothing([usize; 4]);

impl Item for Nothing {
    type Source = ();

    #[inline]
    fn take((): ()) -> Self {
        Self(black_box([0; 4]))
    }

    fn check(items: &mut [Self]) -> Result<(), String> {
        match items.iter().all(|item| item.0 == [0; 4]) {
            true => Ok(()),
            false => Err("something else came over".into()),
        }
    }
}

struct Run<T: Item> {
    source: T::Source,
    /// To the other thread; taken away to end it.
    there: Option<SyncSender<Vec<T>>>,
    back: Receiver<Vec<T>>,
    /// Empty batches.
    here: Vec<Vec<T>>,
    other: Option<JoinHandle<()>>,
}

impl<T: Item> Run<T> {
    fn new(source: T::Source) -> Self {
        let (there, arrived) = sync_channel::<Vec<T>>(BATCHES);
        let (emptied, back) = sync_channel(BATCHES);
        let other = thread::spawn(move || {
            while let Some(mut batch) = next(&arrived) {
                batch.clear();
                if emptied.send(batch).is_err() {
                    break;
                }
            }
        });
        Self {
            source,
            there: Some(there),
            back,
            here: (0..BATCHES).map(|_| Vec::with_capacity(BATCH)).collect(),
            other: Some(other),
        }
    }

    fn send(&mut self, batch: Vec<T>) {
        let there = self.there.as_ref().expect("until the drop");
        there.send(batch).expect("the other thread lives");
    }

    fn receive(&mut self) -> Vec<T> {
        next(&self.back).expect("the other thread lives")
    }

    fn batch(&mut self) -> Vec<T> {
        self.here.pop().unwrap_or_else(|| self.receive())
    }

    /// Waits until all is given back.
    fn settle(&mut self) {
        while self.here.len() < BATCHES {
            let batch = self.receive();
            self.here.push(batch);
        }
    }
}

impl<T: Item> Case for Run<T> {
    fn run(&mut self, ops: u64) -> Duration {
        let source = black_box(self.source);
        let mut left = ops;
        let start = Instant::now();
        while left > 0 {
            let mut batch = self.batch();
            let n = left.min(BATCH as u64);
            left -= n;
            for _ in 0..n {
                batch.push(T::take(source));
            }
            self.send(batch);
        }
        self.settle();
        start.elapsed()
    }

    fn check(&mut self) -> Result<(), String> {
        for _ in 0..BATCHES * 3 {
            let mut batch = self.batch();
            batch.extend((0..BATCH).map(|_| T::take(self.source)));
            T::check(&mut batch)?;
            self.send(batch);
        }
        self.settle();
        match self.here.iter().all(Vec::is_empty) {
            true => Ok(()),
            false => Err("a batch came back with blocks in it".into()),
        }
    }
}

impl<T: Item> Drop for Run<T> {
    fn drop(&mut self) {
        self.there = None;
        // Had it panicked, it has said so; this may be an unwinding already.
        self.other.take().map(JoinHandle::join);
    }
}

#[derive(Clone, Copy)]
struct Handover;

impl Workload for Handover {
    fn over<A: NodeAllocator>(self, alloc: A) -> impl Case + 'static {
        // Blocks on their way refer to it. A program makes a few of these cases.
        Run::<Block<'static, A>>::new(Box::leak(Box::new(alloc)))
    }
}

pub(super) fn scenario() -> Scenario {
    let mut contenders = Handover.contenders(Backend::THROUGHPUT);
    contenders.push(Contender::floor("handover-alone", || {
        Run::<Nothing>::new(())
    }));
    contenders.push(Contender::floor("atomic-pair", AtomicPair::new));
    Scenario {
        id: "A3",
        title: "a block of 8 KiB taken on one thread, given back on another",
        unit: Unit::PerOp {
            part: "block",
            parts: 1.0,
        },
        contenders,
        baseline: "mi_malloc",
        bars: vec![
            Bar::must("pooled", &["mi_malloc"], 0.4),
            // 30 ns where the pair takes 11.
            Bar::aim("pooled", &["atomic-pair"], 2.73),
        ],
        no_allocs: &[],
        alloc_shares: Vec::new(),
    }
}
