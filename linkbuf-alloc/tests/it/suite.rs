//! The suite of `linkbuf_core::testing::contract`, a module for each allocator and a test for each clause.
#![expect(unsafe_code, reason = "implements an unsafe trait")]

#[cfg(feature = "mimalloc")]
use std::sync::Barrier;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use linkbuf_alloc::{AnyAllocator, Budget, Budgeted, Process, ProcessWide};
use linkbuf_core::{
    AllocError, Heap, NodeAllocator, RawBlock,
    testing::{
        allocators::{Odd, Telltale},
        contract,
    },
};

#[cfg(feature = "mimalloc")]
use linkbuf_alloc::Mimalloc;
#[cfg(feature = "mmap")]
use linkbuf_alloc::Mmap;
#[cfg(feature = "pooled")]
use linkbuf_alloc::{HeapSlabs, PoolLimits, Pooled};
#[cfg(feature = "hugepage")]
use linkbuf_alloc::{HugePage, Rung};
#[cfg(feature = "mimalloc")]
use linkbuf_core::LinkBuffer;

/// A line for each allocator that can be made anew: its module's name, the features it takes, an expression.
///
/// Clauses about whole buffers run on the allocator without its type: the buffer's code is then compiled once, and not
/// for each line.
macro_rules! suite {
    ($($name:ident [$($feature:literal)*]: $make:expr;)*) => {$(
        $(#[cfg(feature = $feature)])*
        mod $name {
            use super::*;

            fn make() -> impl NodeAllocator {
                $make
            }

            fn erased() -> AnyAllocator {
                AnyAllocator::new(make())
            }

            #[test]
            fn blocks() {
                contract::blocks(&make());
            }

            #[test]
            fn refusals() {
                contract::refusals(&make());
            }

            #[test]
            fn idle() {
                contract::idle(&erased());
            }

            #[test]
            fn trims() {
                contract::trims(&make(), 0);
            }

            #[test]
            fn operations() {
                contract::operations(erased, 0..60);
            }

            #[test]
            fn faults() {
                contract::faults(erased, 100..140);
            }

            #[test]
            fn threads() {
                contract::threads(&make());
            }

            #[test]
            fn exits() {
                contract::exits(&make());
            }

            #[test]
            fn slices_outlive() {
                contract::slices_outlive(&make());
            }

            #[test]
            fn outlives() {
                contract::outlives(make);
            }

            #[test]
            fn exhaustion() {
                let budget = Budget::new(usize::MAX).child(5_000_000);
                contract::exhaustion(&Budgeted::new(erased(), budget.clone()), 6_000_000);
                assert_eq!(budget.used(), 0);
            }

            #[test]
            fn traces() {
                replay(&erased());
            }
        }
    )*};
}

suite! {
    heap_slabs["pooled"]: HeapSlabs::new();
    slabs_leaks["pooled"]: HeapSlabs::new().leak();
    mmap["mmap"]: Mmap::new();
    transparent["hugepage"]: without_reserved();
    plain["hugepage"]: plain_pages();
    pooled["pooled"]: Pooled::new(HeapSlabs::new());
    pooled_small["pooled"]: Pooled::with_limits(HeapSlabs::new(), PoolLimits::new().max_cached(1 << 20).magazine(8 << 10));
    pooled_nothing["pooled"]: Pooled::with_limits(HeapSlabs::new(), PoolLimits::new().max_cached(0).magazine(0));
    pooled_heap["pooled"]: Pooled::new(Heap);
    pooled_odd["pooled"]: Pooled::new(Odd::new());
    pooled_twice["pooled"]: Pooled::new(Pooled::new(HeapSlabs::new()));
    pooled_mmap["pooled" "mmap"]: Pooled::new(Mmap::new());
    pooled_transparent["pooled" "hugepage"]: Pooled::new(without_reserved());
    pooled_plain["pooled" "hugepage"]: Pooled::new(plain_pages());
    pooled_any["pooled"]: Pooled::new(AnyAllocator::new(HeapSlabs::new()));
    budgeted[]: Budgeted::new(Heap, budget());
    budgeted_odd[]: Budgeted::new(Odd::new(), budget());
    budgeted_pooled["pooled"]: Budgeted::new(Pooled::new(HeapSlabs::new()), budget());
    pooled_budgeted["pooled"]: Pooled::new(Budgeted::new(HeapSlabs::new(), budget()));
    budgeted_any["pooled"]: Budgeted::new(AnyAllocator::new(Pooled::new(HeapSlabs::new())), budget());
    any[]: AnyAllocator::new(Heap);
    any_odd[]: AnyAllocator::new(Odd::new());
    any_pooled["pooled"]: AnyAllocator::new(Pooled::new(HeapSlabs::new()));
    any_leaks["pooled"]: AnyAllocator::new(Pooled::new(HeapSlabs::new())).leak();
}

/// Huge pages where the kernel makes them, ordinary ones elsewhere; none that are reserved, which tests would take from
/// each other.
#[cfg(feature = "hugepage")]
fn without_reserved() -> HugePage {
    let builder = HugePage::builder().forbid(Rung::HugeTlb);
    builder.build().expect("a rung is left")
}

#[cfg(feature = "hugepage")]
fn plain_pages() -> HugePage {
    let builder = HugePage::builder().require(Rung::Plain);
    builder.build().expect("a page is to be had")
}

/// One test at a time uses reserved huge pages, and the allocators that the process has one of: those share their
/// figures.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn one_at_a_time() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The rung of reserved huge pages, by itself and as the top of the ladder. Pages are reserved for the time of the test.
#[cfg(all(feature = "hugepage", target_os = "linux"))]
#[test]
fn reserved_huge_pages() {
    let _alone = one_at_a_time();
    // The most that a clause of the suite takes at a time is about 20 pages.
    let Some(_reserved) = crate::reserved::Reserved::pages(64) else {
        println!("skipped: no huge pages are reserved, and none can be");
        return;
    };
    let required = || {
        let builder = HugePage::builder().require(Rung::HugeTlb);
        builder.build().expect("pages are reserved")
    };
    whole(|| AnyAllocator::new(required()));
    whole(|| AnyAllocator::new(HugePage::new()));
    #[cfg(feature = "pooled")]
    {
        whole(|| AnyAllocator::new(Pooled::new(required())));
        whole(|| AnyAllocator::new(Pooled::new(HugePage::new())));
    }
    let alloc = required();
    // Until the last reserved page is taken.
    contract::exhaustion(&alloc, 1 << 30);
    assert!(alloc.report().rungs[0].failures > 0);
}

/// The allocators that the process has one of, in one test.
#[test]
fn process_wide() {
    let _alone = one_at_a_time();
    #[cfg(feature = "mimalloc")]
    {
        contract::blocks(&Mimalloc);
        contract::threads(&Mimalloc);
        contract::exits(&Mimalloc);
        contract::outlives(|| Mimalloc);
        whole(|| AnyAllocator::new(Budgeted::new(Mimalloc, budget())));
        #[cfg(feature = "pooled")]
        whole(|| AnyAllocator::new(Pooled::new(Mimalloc)));
    }
    for backend in linkbuf_alloc::Backend::available() {
        whole(|| backend.allocator());
    }
}

#[cfg(all(feature = "mimalloc", target_os = "linux"))]
#[test]
fn mimalloc_does_not_promise_what_the_machine_has_not() {
    let _alone = one_at_a_time();
    let refused = Mimalloc.allocate(64 << 40).unwrap_err();
    assert_eq!(refused.size, 64 << 40);
}

/// More threads at a time than have counters of their own.
#[cfg(feature = "mimalloc")]
#[test]
fn mimalloc_counts_for_any_number_of_threads() {
    const THREADS: usize = 200;
    let _alone = one_at_a_time();
    let live = || Mimalloc.figures().map(|f| (f.live_blocks, f.live_bytes));
    let before = live().expect("it counts");
    let (taken, given_back) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut buf = LinkBuffer::new_in(Mimalloc);
                buf.write_byte(1).expect("memory for the test");
                taken.wait();
                given_back.wait();
            });
        }
        taken.wait();
        let node = Mimalloc.node_size() as u64;
        let threads = THREADS as u64;
        assert_eq!(
            live(),
            Some((before.0 + threads, before.1 + threads * node))
        );
        given_back.wait();
    });
    assert_eq!(live(), Some(before));
}

fn whole(make: impl Fn() -> AnyAllocator) {
    contract::check(&make as &dyn Fn() -> AnyAllocator);
    replay(&make());
}

/// A budget three levels deep that is never reached.
fn budget() -> Budget {
    Budget::new(1 << 40).child(1 << 30).child(1 << 28)
}

#[test]
fn decorators_pass_everything_on() {
    contract::forwards(|behind| Budgeted::new(behind, budget()));
    contract::forwards(AnyAllocator::new);
    contract::forwards(|behind| AnyAllocator::new(behind).leak());
    contract::forwards(|behind| {
        Budgeted::new(AnyAllocator::new(Budgeted::new(behind, budget())), budget())
    });
    contract::forwards(|_| Process::<Told>::new());
}

/// One that the process has one of.
#[derive(Clone)]
struct Told;

// SAFETY: every promise is the heap's own.
unsafe impl NodeAllocator for Told {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        Telltale.allocate(min)
    }

    unsafe fn deallocate(&self, block: RawBlock) {
        // SAFETY: the caller's promise is the one that the heap asks for.
        unsafe { Telltale.deallocate(block) }
    }

    linkbuf_core::forward_node_allocator!(self => &Telltale);
}

// SAFETY: a reference to one static.
unsafe impl ProcessWide for Told {
    fn process() -> &'static Self {
        &Told
    }
}

/// Every trace that the repository has, on one allocator after another.
fn replay(alloc: &AnyAllocator) {
    static TRACES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../linkbuf-core/tests/conformance"
        );
        let files = std::fs::read_dir(folder).expect("the traces of linkbuf-core");
        let paths = files.map(|file| file.expect("a file").path());
        paths
            .filter(|path| path.extension().is_some_and(|end| end == "trace"))
            .map(|path| {
                let text = std::fs::read_to_string(&path).expect("a text");
                (path.display().to_string(), text)
            })
            .collect()
    });
    assert_eq!(TRACES.len(), 40);
    let named: Vec<(&str, &str)> = TRACES.iter().map(|(n, t)| (&n[..], &t[..])).collect();
    contract::traces(alloc, &named);
}
