//! The suite for allocators: the default one passes it, the test doubles do, and broken ones don't.

#![expect(
    unsafe_code,
    reason = "implements the unsafe trait `NodeAllocator`, wrongly on purpose"
)]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

use linkbuf_core::{
    AllocError, AllocFigures, Heap, NodeAllocator, RawBlock,
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

/// The heap with figures and a limit, kept wrongly.
#[derive(Clone)]
struct Books {
    wrong: Wrong,
    /// Blocks that are out, and their bytes.
    out: Arc<(AtomicU64, AtomicU64)>,
    refused: Arc<AtomicBool>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    /// Mapped bytes are not the sum of what is known.
    Balance,
    /// What came back on a thread that has a name is not counted: threads of the suite have none, those of tests do.
    OnOtherThreads,
    /// `trim` gives nothing back.
    Trim,
    /// After a refusal there is never memory again.
    Recovery,
    /// There is no limit.
    Limit,
}

/// More than any clause takes but `exhaustion`.
const LIMIT: u64 = 64 << 20;

impl Books {
    fn new(wrong: Wrong) -> Self {
        Books {
            wrong,
            out: Arc::default(),
            refused: Arc::default(),
        }
    }
}

// SAFETY: blocks are the heap's and go back to it; only what is said of them is wrong.
unsafe impl NodeAllocator for Books {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let limited = !matches!(self.wrong, Wrong::Limit);
        let full = self.out.1.load(SeqCst) + min as u64 > LIMIT;
        if limited && full || self.wrong == Wrong::Recovery && self.refused.load(SeqCst) {
            self.refused.store(true, SeqCst);
            return Err(AllocError { size: min });
        }
        let block = Heap.allocate(min)?;
        self.out.0.fetch_add(1, SeqCst);
        self.out.1.fetch_add(block.len as u64, SeqCst);
        Ok(block)
    }

    unsafe fn deallocate(&self, block: RawBlock) {
        if self.wrong != Wrong::OnOtherThreads || std::thread::current().name().is_some() {
            self.out.0.fetch_sub(1, SeqCst);
            self.out.1.fetch_sub(block.len as u64, SeqCst);
        }
        // SAFETY: the heap gave the block.
        unsafe { Heap.deallocate(block) }
    }

    fn figures(&self) -> Option<AllocFigures> {
        let mut figures = AllocFigures::default();
        figures.live_blocks = self.out.0.load(SeqCst);
        figures.live_bytes = self.out.1.load(SeqCst);
        if self.wrong == Wrong::Trim {
            figures.cached_bytes = 100_000;
        }
        figures.mapped_bytes = figures.live_bytes + figures.cached_bytes;
        if self.wrong == Wrong::Balance {
            figures.mapped_bytes += 1;
        }
        Some(figures)
    }
}

#[test]
fn clauses_about_memory_and_threads_find_what_is_wrong() {
    type Clause = fn(&Books);
    let clauses: [(&str, Clause, &[Wrong]); 5] = [
        ("blocks", contract::blocks, &[Wrong::Balance]),
        ("idle", contract::idle, &[Wrong::Balance]),
        (
            "exits",
            contract::exits,
            &[Wrong::Balance, Wrong::OnOtherThreads],
        ),
        (
            "trims",
            |books| contract::trims(books, 99_999),
            &[Wrong::Balance, Wrong::OnOtherThreads, Wrong::Trim],
        ),
        (
            "exhaustion",
            |books| contract::exhaustion(books, 96 << 20),
            &[Wrong::Balance, Wrong::Recovery, Wrong::Limit],
        ),
    ];
    for (name, clause, found) in clauses {
        for wrong in [
            Wrong::Nothing,
            Wrong::Balance,
            Wrong::OnOtherThreads,
            Wrong::Trim,
            Wrong::Recovery,
            Wrong::Limit,
        ] {
            let books = Books::new(wrong);
            let verdict = catch_unwind(AssertUnwindSafe(|| clause(&books)));
            assert_eq!(
                verdict.is_err(),
                found.contains(&wrong),
                "{name} with {wrong:?}"
            );
        }
    }
}
