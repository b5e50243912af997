//! The suite for allocators: the default one passes it, the test doubles do, and broken ones don't.

#![expect(
    unsafe_code,
    reason = "implements the unsafe trait `NodeAllocator`, wrongly on purpose"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use linkbuf_core::{
    AllocError, Heap, NodeAllocator, RawBlock,
    testing::{
        allocators::{Failing, FailingGlobal, Odd, Tracking, Violation},
        contract,
        trace::Trace,
    },
};

#[test]
fn the_heap_passes() {
    contract::check(|| Heap);
}

#[test]
fn odd_blocks_pass() {
    contract::check(Odd::new);
}

#[test]
fn nested_doubles_pass() {
    let alloc = Tracking::new(Failing::new(Odd::new()));
    contract::blocks(&alloc);
    contract::refusals(&alloc);
    contract::threads(&alloc);
    alloc.assert_balanced();
}

#[test]
fn the_test_heap_is_installed() {
    assert!(FailingGlobal::is_installed());
}

/// One way of breaking the contract.
#[derive(Clone, Copy)]
enum Broken {
    TooShort,
    MoreInitThanBytes,
    GoodSizeShrinks,
    TakesAbsurdSizes,
    WrongSizeInError,
}

// SAFETY: it isn't. The suite notices before the lie is used: lengths are shortened or only claimed for a request that
// the suite drops at once.
unsafe impl NodeAllocator for Broken {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let block = match self {
            Self::TakesAbsurdSizes => Heap.allocate(min.min(1 << 22)),
            Self::WrongSizeInError => Heap.allocate(min).map_err(|_| AllocError { size: 0 }),
            _ => Heap.allocate(min),
        };
        let mut block = block?;
        match self {
            Self::TooShort => block.len = min - 1,
            Self::MoreInitThanBytes => block.init = block.len + 1,
            _ => {}
        }
        Ok(block)
    }

    unsafe fn deallocate(&self, block: RawBlock) {
        // SAFETY: only blocks that were given unchanged get this far.
        unsafe { Heap.deallocate(block) }
    }

    fn good_size(&self, min: usize) -> usize {
        match self {
            Self::GoodSizeShrinks => min / 2,
            _ => min,
        }
    }
}

#[test]
fn broken_allocators_fail_the_suite_which_leaks() {
    for broken in [
        Broken::TooShort,
        Broken::MoreInitThanBytes,
        Broken::GoodSizeShrinks,
        Broken::TakesAbsurdSizes,
        Broken::WrongSizeInError,
    ] {
        let verdict = catch_unwind(AssertUnwindSafe(|| {
            contract::blocks(&broken);
            contract::refusals(&broken);
        }));
        assert!(verdict.is_err());
    }
}

#[test]
fn tracking_notes_what_comes_back_wrongly() {
    let alloc = Tracking::with_quarantine(Heap);
    let block = alloc.allocate(100).unwrap();
    let short = RawBlock { len: 99, ..block };
    // SAFETY: wrong on purpose; `Tracking` notes it and does nothing.
    unsafe { alloc.deallocate(short) };
    // SAFETY: given by this allocator.
    unsafe { alloc.deallocate(block) };
    // SAFETY: wrong on purpose, as above.
    unsafe { alloc.deallocate(block) };
    // SAFETY: the quarantine keeps the block allocated, so the write is in bounds; it is wrong all the same.
    unsafe { block.ptr.write(1) };
    let address = block.ptr.as_ptr() as usize;
    assert_eq!(
        alloc.violations(),
        [
            Violation::WrongLength {
                given: 100,
                returned: 99
            },
            Violation::ReturnedTwice { address },
            Violation::WrittenAfterReturn { address },
        ]
    );
    assert!(catch_unwind(AssertUnwindSafe(|| alloc.assert_balanced())).is_err());
}

#[test]
fn tracking_notes_what_never_comes_back() {
    let alloc = Tracking::new(Heap);
    let block = alloc.allocate(100).unwrap();
    assert_eq!((alloc.live_blocks(), alloc.live_bytes()), (1, block.len));
    assert!(catch_unwind(AssertUnwindSafe(|| alloc.assert_balanced())).is_err());
    // SAFETY: given by this allocator.
    unsafe { alloc.deallocate(block) };
    alloc.assert_balanced();
    assert_eq!(alloc.peak_bytes(), block.len);
    assert_eq!(alloc.allocations(), 1);
}

#[test]
fn a_plan_fails_one_allocation_or_all_that_follow() {
    let alloc = Failing::new(Heap);
    for lasting in [false, true] {
        alloc.plan().arm(1, lasting);
        let answers: Vec<bool> = (0..4)
            .map(|_| {
                let block = alloc.allocate(8);
                if let Ok(block) = block {
                    // SAFETY: given by this allocator just now.
                    unsafe { alloc.deallocate(block) };
                }
                block.is_ok()
            })
            .collect();
        assert!(alloc.plan().disarm());
        assert_eq!(answers, [true, false, !lasting, !lasting]);
    }
}

#[test]
fn a_trace_that_differs_is_told_by_line() {
    let text = "new 0 0 => ok 0 0\nwrite 0 3 97 => ok | 0 3\nnext 0 3 => ok 3 00 | 0 0\n";
    let parted = Trace::parse(text).unwrap().replay(&Heap).unwrap_err();
    assert_eq!((parted.line, parted.op.as_str()), (3, "next 0 3"));
    assert_eq!(parted.what, "`err | 0 3` instead of `ok 3 00 | 0 0`");
    assert_eq!(Trace::parse("new 0 0\n").unwrap_err().line, 1);
    assert_eq!(Trace::parse("\nnew x 0 => ok 0 0\n").unwrap_err().line, 2);
    let unknown = Trace::parse("flush 9 => ok | 0 0").unwrap();
    assert!(unknown.replay(&Heap).is_err());
}
