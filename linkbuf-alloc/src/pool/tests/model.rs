//! Random calls on a pool, compared with what must hold after each.

use std::{sync::mpsc, thread};

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Call {
    Take {
        size: usize,
    },
    Give {
        which: usize,
    },
    /// Another thread gives it back.
    GiveElsewhere {
        which: usize,
    },
    Trim,
    Decay,
    CloneAndDrop,
    NewHelper,
}

fn call() -> impl Strategy<Value = Call> {
    let size = prop_oneof![
        1_usize..20_000,
        Just(4096),
        Just(65_536),
        65_000_usize..300_000,
        (1_usize << 20) - 1..(1 << 20) + 2,
    ];
    prop_oneof![
        20 => size.prop_map(|size| Call::Take { size }),
        12 => any::<usize>().prop_map(|which| Call::Give { which }),
        6 => any::<usize>().prop_map(|which| Call::GiveElsewhere { which }),
        1 => Just(Call::Trim),
        2 => Just(Call::Decay),
        1 => Just(Call::CloneAndDrop),
        1 => Just(Call::NewHelper),
    ]
}

/// A thread that gives back what it is sent, and answers each time.
struct Helper {
    to: Option<mpsc::Sender<Out>>,
    answer: mpsc::Receiver<()>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Helper {
    fn new<A: NodeAllocator>(pool: A) -> Self {
        let (to, from) = mpsc::channel::<Out>();
        let (answers, answer) = mpsc::channel();
        let thread = thread::spawn(move || {
            for out in from {
                out.give_back(&pool);
                answers.send(()).unwrap();
            }
        });
        Helper {
            to: Some(to),
            answer,
            thread: Some(thread),
        }
    }

    fn give_back(&self, block: RawBlock) {
        let to = self.to.as_ref().expect("it runs");
        to.send(Out(vec![block])).unwrap();
        self.answer.recv().unwrap();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.to = None;
        let ended = self.thread.take().expect("ended once").join();
        assert!(ended.is_ok() || thread::panicking());
    }
}

/// Every byte of the block is this one, as long as it is out.
fn fill(block: &mut RawBlock, mark: u8) {
    // SAFETY: the block is ours, with `len` bytes.
    unsafe { block.ptr.write_bytes(mark, block.len) };
    block.init = block.len;
}

fn check(block: &RawBlock, mark: u8) {
    // SAFETY: the block is ours, and `fill` wrote all of it.
    let bytes = unsafe { std::slice::from_raw_parts(block.ptr.as_ptr(), block.len) };
    assert!(
        bytes.iter().all(|b| *b == mark),
        "somebody wrote to a block that is out"
    );
}

fn run<A: NodeAllocator>(behind: A, calls: Vec<Call>, magazine: usize, max_cached: usize) {
    let tracking = Tracking::new(behind);
    let limits = PoolLimits::new()
        .magazine(magazine)
        .max_cached(max_cached)
        .decay_interval(std::time::Duration::ZERO);
    let pool = Pooled::with_limits(tracking.clone(), limits);
    let mut helper = Helper::new(pool.clone());
    let mut out: Vec<(RawBlock, u8)> = Vec::new();
    let mut mark = 0_u8;
    for call in calls {
        match call {
            Call::Take { size } => {
                let mut block = pool.allocate(size).unwrap();
                assert!(block.len >= size && block.init <= block.len);
                mark = mark.wrapping_add(1);
                fill(&mut block, mark);
                out.push((block, mark));
            }
            Call::Give { which } if !out.is_empty() => {
                let (block, mark) = out.swap_remove(which % out.len());
                check(&block, mark);
                // SAFETY: given by the pool, out of the list from here on, initialised as far as it says.
                unsafe { pool.deallocate(block) };
            }
            Call::GiveElsewhere { which } if !out.is_empty() => {
                let (block, mark) = out.swap_remove(which % out.len());
                check(&block, mark);
                helper.give_back(block);
            }
            Call::Give { .. } | Call::GiveElsewhere { .. } => {}
            Call::Trim => {
                pool.trim();
            }
            Call::Decay => {
                pool.decay();
            }
            Call::CloneAndDrop => drop(pool.clone()),
            Call::NewHelper => helper = Helper::new(pool.clone()),
        }
        let figures = pool.figures();
        let live: usize = out.iter().map(|(block, _)| block.len).sum();
        assert_eq!(figures.live_blocks, out.len() as u64);
        assert_eq!(figures.live_bytes, live as u64);
        assert_eq!(
            figures.live_bytes + figures.cached_bytes,
            tracking.live_bytes() as u64
        );
        assert!(figures.cached_bytes <= (max_cached + 2 * limits.thread_cap()) as u64);
    }
    for (block, mark) in out {
        check(&block, mark);
        // SAFETY: given by the pool, out of the list, initialised as far as it says.
        unsafe { pool.deallocate(block) };
    }
    drop(pool);
    drop(helper);
    tracking.assert_balanced();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn over_the_heap(
        calls in prop::collection::vec(call(), 1..120),
        magazine in prop_oneof![Just(0_usize), Just(4096), Just(16_384), Just(128 << 10)],
        max_cached in prop_oneof![Just(0_usize), Just(100_000), Just(2 << 20)],
    ) {
        run(Heap, calls, magazine, max_cached);
    }

    #[test]
    fn over_blocks_of_any_length(
        calls in prop::collection::vec(call(), 1..120),
        magazine in prop_oneof![Just(0_usize), Just(16_384)],
    ) {
        run(Odd::new(), calls, magazine, 1 << 20);
    }
}
