//! The rungs, with and without reserved pages, and what a child of a fork may do.
#![expect(unsafe_code, reason = "takes and returns blocks, and forks")]

use std::{
    fs, io, process,
    sync::{Mutex, MutexGuard, PoisonError},
};

use linkbuf_core::{NodeAllocator, RawBlock};

use super::*;

const RESERVED: &str = "/proc/sys/vm/nr_hugepages";

/// Reserved pages while it lives, for one test at a time.
struct Reserved {
    before: String,
    _alone: MutexGuard<'static, ()>,
}

impl Reserved {
    /// So many free pages more than there are. Says so in a line if they can't be had.
    fn more(pages: usize) -> Option<Reserved> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let reserved = (|| {
            let before = fs::read_to_string(RESERVED)?;
            let wanted = number(&before)? + pages;
            fs::write(RESERVED, wanted.to_string())?;
            let reserved = Reserved {
                before,
                _alone: alone,
            };
            let got = number(&fs::read_to_string(RESERVED)?)?;
            if got < wanted {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
            Ok::<_, io::Error>(reserved)
        })();
        match reserved {
            Ok(reserved) => Some(reserved),
            Err(error) => {
                println!("skipped, no huge pages can be reserved: {error}");
                None
            }
        }
    }

    fn none_free(&self) {
        fs::write(RESERVED, "0").expect("it could be written before");
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let _ = fs::write(RESERVED, self.before.trim());
    }
}

fn number(text: &str) -> io::Result<usize> {
    text.trim().parse().map_err(io::Error::other)
}

fn only(rung: Rung) -> io::Result<HugePage> {
    HugePage::builder().require(rung).build()
}

fn take(huge: &HugePage, len: usize) -> RawBlock {
    let block = huge.allocate(len).expect("memory for the test");
    fill(&block, 1);
    block
}

fn fill(block: &RawBlock, byte: u8) {
    // SAFETY: the block is the test's.
    unsafe { block.ptr.as_ptr().write_bytes(byte, block.len) };
}

fn give(huge: &HugePage, block: RawBlock) {
    // SAFETY: `huge` gave it, and nobody uses it any more.
    unsafe { huge.deallocate(block) };
}

fn pieces(huge: &HugePage) -> [u64; 3] {
    huge.report().rungs.map(|rung| rung.pieces)
}

/// What became of a child that did this.
fn in_child(task: impl FnOnce() -> bool) -> Status {
    // SAFETY: the child runs `task`, which takes no lock that another thread may hold, and exits.
    match unsafe { libc::fork() } {
        0 => {
            let code = i32::from(!task());
            // SAFETY: no destructor is to run in the child.
            unsafe { libc::_exit(code) }
        }
        pid => child::wait(pid),
    }
}

mod child {
    /// How a child ended.
    #[derive(Debug, PartialEq, Eq)]
    pub(super) enum Status {
        Exit(i32),
        Signal(i32),
    }

    pub(super) fn wait(child: libc::pid_t) -> Status {
        assert!(child > 0, "fork: {}", std::io::Error::last_os_error());
        let mut status = 0;
        // SAFETY: `status` is there for it to write to.
        let waited = unsafe { libc::waitpid(child, &mut status, 0) };
        assert_eq!(waited, child);
        if libc::WIFSIGNALED(status) {
            Status::Signal(libc::WTERMSIG(status))
        } else {
            Status::Exit(libc::WEXITSTATUS(status))
        }
    }
}
use child::Status;

#[test]
fn a_rung_that_fails_is_asked_more_and_more_seldom() {
    let failed = Failed::never();
    assert!(!failed.rests(|| unreachable!("it gives")));
    let mut now = 1_000_000;
    for rest in [10, 20, 40, 80, 160, 320, 640, 1280, 1280] {
        failed.rest(now);
        assert!(failed.rests(|| now) && failed.rests(|| now + rest - 1));
        now += rest;
        assert!(!failed.rests(|| now), "{rest}");
    }
    failed.gave();
    assert!(!failed.rests(|| unreachable!("it gives")));
    failed.rest(now);
    assert!(failed.rests(|| now + 9) && !failed.rests(|| now + 10));
}

/// Of a child's pools, those that lost nothing cache on; the one that did caches again when it has nothing of it.
#[cfg(feature = "pooled")]
#[test]
fn a_child_caches_where_nothing_was_lost() {
    use crate::{HeapSlabs, Pooled};

    let Some(_reserved) = Reserved::more(2) else {
        return;
    };
    fn keeps<A: NodeAllocator>(pool: &Pooled<A>) -> bool {
        let before = pool.figures().cached_bytes;
        let block = pool.allocate(1 << 20).expect("memory for the test");
        // SAFETY: given just now, and nobody wrote to it.
        unsafe { pool.deallocate(block) };
        // Too large for the thread's cache: the depot has it, or nobody.
        pool.figures().cached_bytes > before
    }
    let over_heap = Pooled::new(HeapSlabs::new());
    let over_plain = Pooled::new(only(Rung::Plain).expect("ordinary memory"));
    let hurt = Pooled::new(HugePage::new());
    assert!(keeps(&over_heap) && keeps(&over_plain) && keeps(&hurt));
    let inherited = hurt.allocate(4096).expect("memory for the test");
    assert_eq!(pieces(hurt.inner()), [1, 0, 0]);
    over_heap.trim();
    over_plain.trim();
    let ended = in_child(|| {
        let made_here = Pooled::new(HugePage::new());
        let others = keeps(&over_heap) && keeps(&over_plain) && keeps(&made_here);
        let careful = !keeps(&hurt);
        hurt.trim();
        let still = !keeps(&hurt);
        // SAFETY: `hurt` gave it, and nobody uses it any more.
        unsafe { hurt.deallocate(inherited) };
        hurt.trim();
        others && careful && still && keeps(&hurt)
    });
    assert_eq!(ended, Status::Exit(0));
    // SAFETY: as above, in this process.
    unsafe { hurt.deallocate(inherited) };
}

#[test]
fn forbidding_every_rung_is_an_error() {
    let all = HugePage::builder()
        .forbid(Rung::HugeTlb)
        .forbid(Rung::Transparent)
        .forbid(Rung::Plain);
    let refused = all.build().expect_err("nothing is left");
    assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    let both = HugePage::builder()
        .require(Rung::Plain)
        .require(Rung::Transparent);
    assert_eq!(
        both.build().expect_err("both at once").kind(),
        io::ErrorKind::InvalidInput
    );
}

#[test]
fn the_plain_rung_gives_back_by_the_page() {
    let huge = only(Rung::Plain).expect("ordinary memory");
    let (a, b) = (take(&huge, 8192), take(&huge, 8192));
    assert_eq!((a.init, pieces(&huge)), (8192, [0, 0, 1]));
    give(&huge, b);
    assert_eq!(huge.trim(), 8192);
    give(&huge, a);
    huge.trim();
    assert_eq!(pieces(&huge), [0, 0, 0]);
}

#[test]
fn transparent_pieces_are_aligned_and_fall_to_plain_when_split() {
    let Ok(huge) = only(Rung::Transparent) else {
        println!("skipped, no transparent huge pages");
        return;
    };
    let a = take(&huge, 4096);
    assert!(a.ptr.addr().get().is_multiple_of(HUGE));
    let large = take(&huge, 3 * HUGE + 1);
    assert!(large.ptr.addr().get().is_multiple_of(HUGE));
    assert_eq!(large.len, 3 * HUGE + 4096);
    assert_eq!(pieces(&huge), [0, 2, 0]);
    give(&huge, large);
    assert_eq!(huge.trim(), HUGE - 4096);
    assert_eq!(pieces(&huge), [0, 0, 1]);
    assert_eq!(huge.report().totals.mapped_bytes, HUGE as u64);
    give(&huge, a);
    assert_eq!(pieces(&huge), [0, 0, 0]);
}

#[test]
fn a_rung_that_runs_dry_is_left_for_the_next() {
    let Some(reserved) = Reserved::more(2) else {
        return;
    };
    let huge = HugePage::new();
    let on_reserved = take(&huge, 4096);
    assert_eq!(pieces(&huge), [1, 0, 0]);
    // It goes on without them, and what it has stays.
    reserved.none_free();
    assert_eq!(huge.report().rungs[0].failures, 0);
    let mut out = vec![on_reserved];
    while huge.report().rungs[0].failures == 0 {
        out.push(take(&huge, 64 << 10));
    }
    let [dry, transparent, plain] = huge.report().rungs;
    assert_eq!((dry.failures, dry.last_error), (1, Some(libc::ENOMEM)));
    assert_eq!(transparent.pieces + plain.pieces, 1);
    out.iter().for_each(|block| fill(block, 2));
    out.drain(..).for_each(|block| give(&huge, block));
    huge.trim();
    assert_eq!(pieces(&huge), [0, 0, 0]);
    let refused = only(Rung::HugeTlb).expect_err("none are reserved");
    assert_eq!(refused.raw_os_error(), Some(libc::ENOMEM));
}

#[test]
fn reserved_pages_go_back_whole_and_not_in_part() {
    let Some(_reserved) = Reserved::more(8) else {
        return;
    };
    let huge = only(Rung::HugeTlb).expect("just reserved");
    let (a, b) = (take(&huge, 8192), take(&huge, 8192));
    assert_eq!((a.init, pieces(&huge)), (8192, [1, 0, 0]));
    give(&huge, b);
    assert_eq!(huge.trim(), 0);
    // Only whole pages are to be had, so a block may get more than it asked for.
    let large = take(&huge, HUGE + 1);
    assert_eq!((large.len, pieces(&huge)), (2 * HUGE, [2, 0, 0]));
    give(&huge, large);
    give(&huge, a);
    assert_eq!(huge.trim(), HUGE);
    assert_eq!(pieces(&huge), [0, 0, 0]);
    // With the ladder, that would be waste.
    let ladder = HugePage::new();
    let large = take(&ladder, HUGE + 1);
    assert_eq!(ladder.report().rungs[0].pieces, 0);
    give(&ladder, large);
}

#[test]
fn a_child_does_without_the_reserved_pages_of_its_parent() {
    let Some(reserved) = Reserved::more(2) else {
        return;
    };
    let huge = HugePage::new();
    let (inherited, other) = (take(&huge, 8192), take(&huge, 8192));
    assert_eq!(pieces(&huge), [1, 0, 0]);
    // Not one page is left: copying any would be the signal.
    reserved.none_free();
    let ended = in_child(|| {
        let mut out = Vec::new();
        for _ in 0..600 {
            let block = take(&huge, 8192);
            if block.ptr == inherited.ptr || pieces(&huge)[0] != 1 {
                return false;
            }
            out.push(block);
        }
        let hole = inherited.ptr.addr().get()..inherited.ptr.addr().get() + HUGE;
        let apart = out
            .iter()
            .all(|block| !hole.contains(&block.ptr.addr().get()));
        out.into_iter().for_each(|block| give(&huge, block));
        // Blocks of the parent's pieces can be dropped, and the books stay right.
        give(&huge, inherited);
        give(&huge, other);
        huge.trim();
        let grandchild = in_child(|| {
            give(&huge, take(&huge, 8192));
            true
        });
        apart && pieces(&huge) == [0, 0, 0] && grandchild == Status::Exit(0)
    });
    assert_eq!(ended, Status::Exit(0));
    // The parent has what it had, and can write to it.
    fill(&inherited, 3);
    let touched = in_child(|| {
        // The hole is reserved: no mapping of the child's comes to lie there.
        let mapped: Vec<_> = (0..64).map(|_| mapping::plain(HUGE)).collect();
        fill(&inherited, 4);
        mapped.is_empty()
    });
    assert_eq!(touched, Status::Signal(libc::SIGSEGV));
    give(&huge, inherited);
    give(&huge, other);
    assert_eq!(huge.trim(), HUGE);
}

#[test]
fn a_child_has_what_stands_on_the_other_rungs() {
    for rung in [Rung::Transparent, Rung::Plain] {
        let Ok(huge) = only(rung) else {
            println!("skipped, no {rung:?}");
            continue;
        };
        let block = take(&huge, 8192);
        let ended = in_child(|| {
            fill(&block, 9);
            give(&huge, block);
            give(&huge, take(&huge, 100_000));
            huge.trim();
            process::id() != 0
        });
        assert_eq!(ended, Status::Exit(0));
        // SAFETY: the block is the test's, and was filled.
        let bytes = unsafe { std::slice::from_raw_parts(block.ptr.as_ptr(), block.len) };
        assert!(bytes.iter().all(|byte| *byte == 1));
        give(&huge, block);
    }
}
