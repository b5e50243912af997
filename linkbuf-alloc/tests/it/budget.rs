//! Budgets: against a plain model, from many threads, under buffers and slices.
#![expect(unsafe_code, reason = "returns blocks")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use linkbuf_alloc::{Budget, Budgeted};
use linkbuf_core::{
    AllocError, Heap, LinkBuffer, NodeAllocator, RawBlock,
    testing::allocators::{Failing, Odd},
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// A block that goes back when it is dropped.
struct Taken<A: NodeAllocator> {
    alloc: A,
    block: RawBlock,
}

impl<A: NodeAllocator> Taken<A> {
    fn new(alloc: &A, bytes: usize) -> Result<Self, AllocError> {
        let block = alloc.allocate(bytes)?;
        let alloc = alloc.clone();
        Ok(Taken { alloc, block })
    }
}

impl<A: NodeAllocator> Drop for Taken<A> {
    fn drop(&mut self) {
        // SAFETY: a clone of `alloc` gave the block, and nobody else has it.
        unsafe { self.alloc.deallocate(self.block) }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Child { of: Index, limit: usize },
    Take { by: Index, bytes: usize },
    GiveBack { which: Index },
    SetLimit { of: Index, limit: usize },
    Forget { handle: Index },
}

fn limits() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0..20_000_usize, 1 => Just(usize::MAX)]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let at = any::<Index>;
    let op = prop_oneof![
        2 => (at(), limits()).prop_map(|(of, limit)| Op::Child { of, limit }),
        8 => (at(), 1..9000_usize).prop_map(|(by, bytes)| Op::Take { by, bytes }),
        5 => at().prop_map(|which| Op::GiveBack { which }),
        1 => (at(), limits()).prop_map(|(of, limit)| Op::SetLimit { of, limit }),
        1 => at().prop_map(|handle| Op::Forget { handle }),
    ];
    vec(op, 1..120)
}

/// What a budget should be: numbers, and the place of its parent.
struct Plain {
    parent: Option<usize>,
    limit: usize,
    used: usize,
    peak: usize,
}

fn to_root(plain: &[Plain], from: usize) -> Vec<usize> {
    std::iter::successors(Some(from), |at| plain[*at].parent).collect()
}

proptest! {
    #[test]
    fn budgets_do_as_plain_numbers_do(root in limits(), ops in ops()) {
        let alloc = |budget: &Budget| Budgeted::new(Heap, budget.clone());
        let mut real = vec![Some(Budget::new(root))];
        let mut plain = vec![Plain { parent: None, limit: root, used: 0, peak: 0 }];
        let mut out: Vec<(usize, Taken<Budgeted<Heap>>)> = Vec::new();
        for op in ops {
            match op {
                Op::Child { of, limit } => {
                    let of = of.index(real.len());
                    if let Some(parent) = &real[of] {
                        let child = parent.child(limit);
                        real.push(Some(child));
                        plain.push(Plain { parent: Some(of), limit, used: 0, peak: 0 });
                    }
                }
                Op::Take { by, bytes } => {
                    let by = by.index(real.len());
                    let Some(budget) = &real[by] else { continue };
                    let path = to_root(&plain, by);
                    let room = path.iter().map(|at| plain[*at].limit.saturating_sub(plain[*at].used)).min();
                    prop_assert_eq!(Some(budget.available()), room);
                    let taken = Taken::new(&alloc(budget), bytes);
                    prop_assert_eq!(taken.is_ok(), room >= Some(bytes));
                    match taken {
                        Ok(taken) => {
                            for at in path {
                                plain[at].used += bytes;
                                plain[at].peak = plain[at].peak.max(plain[at].used);
                            }
                            out.push((by, taken));
                        }
                        Err(error) => prop_assert_eq!(error.size, bytes),
                    }
                }
                Op::GiveBack { which } if !out.is_empty() => {
                    let (by, taken) = out.swap_remove(which.index(out.len()));
                    for at in to_root(&plain, by) {
                        plain[at].used -= taken.block.len;
                    }
                }
                Op::GiveBack { .. } => {}
                Op::SetLimit { of, limit } => {
                    let of = of.index(real.len());
                    if let Some(budget) = &real[of] {
                        budget.set_limit(limit);
                        plain[of].limit = limit;
                    }
                }
                // Children and blocks keep it; only the test can't look at it any more. The root stays.
                Op::Forget { handle } => {
                    let handle = handle.index(real.len());
                    if handle > 0 {
                        real[handle] = None;
                    }
                }
            }
            for (real, plain) in real.iter().zip(&plain) {
                if let Some(real) = real {
                    prop_assert_eq!(real.used(), plain.used);
                    prop_assert_eq!(real.peak(), plain.peak);
                    prop_assert_eq!(real.limit(), plain.limit);
                }
            }
        }
        drop(out);
        for budget in real.iter().flatten() {
            prop_assert_eq!(budget.used(), 0);
        }
    }
}

#[test]
fn no_level_is_ever_charged_beyond_its_limit() {
    const THREADS: usize = 4;
    let process = Budget::new(100_000);
    let groups = [process.child(70_000), process.child(70_000)];
    let done = Arc::new(AtomicBool::new(false));
    let watcher = thread::spawn({
        let (process, groups, done) = (process.clone(), groups.clone(), Arc::clone(&done));
        move || {
            let mut looks = 0_u64;
            while !done.load(Ordering::Relaxed) || looks == 0 {
                assert!(process.used() <= 100_000);
                assert!(groups.iter().all(|group| group.used() <= 70_000));
                looks += 1;
            }
        }
    });
    let workers: Vec<_> = (0..THREADS)
        .map(|me| {
            let connection = groups[me % 2].child(50_000);
            thread::spawn(move || {
                let alloc = Budgeted::new(Heap, connection.clone());
                let (mut granted, mut refused) = (0, 0);
                let mut held = Vec::new();
                for turn in 0..20_000_usize {
                    match Taken::new(&alloc, 1000 + (turn * 37 + me) % 5000) {
                        Ok(taken) => {
                            granted += 1;
                            held.push(taken);
                        }
                        Err(_) => {
                            refused += 1;
                            held.truncate(held.len() / 2);
                        }
                    }
                    assert!(connection.used() <= 50_000);
                }
                drop(held);
                assert_eq!(connection.used(), 0);
                (granted, refused)
            })
        })
        .collect();
    // One alone may get nothing: it runs while the others wait for a processor, and hold all there is.
    let (mut granted, mut refused) = (0, 0);
    for worker in workers {
        let (some, others) = worker.join().unwrap();
        granted += some;
        refused += others;
    }
    assert!(granted > 0 && refused > 0);
    done.store(true, Ordering::Relaxed);
    watcher.join().unwrap();
    assert_eq!(process.used(), 0);
    assert!(groups.iter().all(|group| group.used() == 0));
    assert!(process.peak() <= 100_000);
}

#[test]
fn a_slice_keeps_its_block_charged_wherever_it_is_dropped() {
    let process = Budget::new(1 << 20);
    let slice = {
        let connection = process.child(100_000);
        let mut buf = LinkBuffer::new_in(Budgeted::new(Heap, connection));
        buf.write_binary(&[7; 50_000]).unwrap();
        buf.flush();
        let slice = buf.slice(1).unwrap();
        buf.skip(49_999).unwrap();
        slice
    };
    // The buffer, the connection's budget and every handle of it are gone.
    assert!(process.used() >= 1);
    thread::spawn(move || drop(slice)).join().unwrap();
    assert_eq!(process.used(), 0);
}

#[test]
fn one_connection_can_not_take_the_groups_memory() {
    let group = Budget::new(300_000);
    let (slow, quick) = (group.child(100_000), group.child(250_000));
    let mut stuck = LinkBuffer::new_in(Budgeted::new(Heap, slow.clone()));
    while stuck.write_binary(&[1; 4096]).is_ok() {}
    assert!(slow.used() <= 100_000 && slow.available() < 4096);
    let mut other = LinkBuffer::new_in(Budgeted::new(Heap, quick.clone()));
    other.write_binary(&[2; 150_000]).unwrap();
    // What is left is the group's, whatever the connection's own budget says.
    assert!(other.write_binary(&[3; 100_000]).is_err());
    assert_eq!(other.malloc_len(), 150_000);
    drop(stuck);
    other.write_binary(&[3; 100_000]).unwrap();
}

#[test]
fn a_charge_is_taken_back_when_the_allocator_behind_fails() {
    let budget = Budget::new(100_000);
    let parent = budget.clone();
    let failing = Failing::new(Heap);
    let alloc = Budgeted::new(failing.clone(), budget.child(100_000));
    failing.plan().arm(0, false);
    assert_eq!(alloc.allocate(5000).unwrap_err(), AllocError { size: 5000 });
    assert_eq!((alloc.budget().used(), parent.used()), (0, 0));
    assert_eq!((alloc.budget().peak(), parent.peak()), (0, 0));
    assert!(failing.plan().disarm());
}

#[test]
fn what_an_allocator_gives_beyond_the_request_is_charged_or_refused() {
    // Blocks of `Odd` are 0, 1, 7, 64 and 333 bytes longer than the request, in turn.
    let budget = Budget::new(110);
    let alloc = Budgeted::new(Odd::new(), budget.clone());
    for (turn, longer) in [0, 1, 7, 64, 333].into_iter().enumerate() {
        match Taken::new(&alloc, 100) {
            Ok(taken) => assert_eq!(
                (budget.used(), taken.block.len),
                (100 + longer, 100 + longer)
            ),
            Err(error) => assert!(turn >= 3 && error.size == 100),
        }
        assert_eq!(budget.used(), 0);
        assert_eq!(
            budget.peak(),
            [100, 101, 107, 107, 107][turn],
            "of what was granted"
        );
    }
}

#[test]
fn a_chain_of_any_length_can_be_dropped() {
    let mut budget = Budget::new(1);
    for _ in 0..200_000 {
        budget = budget.child(1);
    }
    let alloc = Budgeted::new(Heap, budget);
    let taken = Taken::new(&alloc, 1).unwrap();
    assert!(alloc.allocate(1).is_err());
    assert!(format!("{alloc:?}").contains("1 of 1"));
    drop(alloc);
    drop(taken);
}

#[test]
fn a_handle_is_one_word_more() {
    assert_eq!(size_of::<Budgeted<Heap>>(), size_of::<usize>());
    assert!(size_of::<Budgeted<linkbuf_alloc::AnyAllocator>>() <= 4 * size_of::<usize>());
    #[cfg(feature = "pooled")]
    assert!(size_of::<Budgeted<linkbuf_alloc::Pooled>>() <= 3 * size_of::<usize>());
}
