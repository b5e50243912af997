//! What stays resident after a great deal was freed, as the kernel counts it.
#![expect(unsafe_code, reason = "writes to blocks and returns them")]

use std::{thread, time::Duration};

use linkbuf_core::{NodeAllocator, RawBlock};

use crate::alone::{alone, status};

alone! {
    heap_slabs["pooled"]: gives_back(&linkbuf_alloc::HeapSlabs::new());
    pooled["pooled"]: gives_back(&<linkbuf_alloc::Pooled>::default());
    mmap["mmap"]: gives_back(&linkbuf_alloc::Mmap::new());
    pooled_mmap["pooled" "mmap"]: gives_back(&linkbuf_alloc::Pooled::new(linkbuf_alloc::Mmap::new()));
    hugepage["hugepage"]: gives_back(&linkbuf_alloc::HugePage::new());
    pooled_hugepage["pooled" "hugepage"]: gives_back(&linkbuf_alloc::Pooled::new(linkbuf_alloc::HugePage::new()));
    mimalloc["mimalloc"]: gives_back(&linkbuf_alloc::Mimalloc);
    pooled_mimalloc["pooled" "mimalloc"]: gives_back(&linkbuf_alloc::Pooled::new(linkbuf_alloc::Mimalloc));
    low_retention["mimalloc"]: gives_back_at_once();
}

/// Bytes that are taken, in blocks of 8 KiB.
const TAKEN: usize = 64 << 20;
const BLOCK: usize = 8192;
/// What tables, stacks and the like may grow by.
const OTHER: usize = 1 << 20;
/// Calls of `decay`, and the pause between them, until what was freed must be gone.
const DECAYS: usize = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Who gives the blocks back.
#[derive(Clone, Copy, Debug)]
enum By {
    ThisThread,
    Another,
}

fn gives_back<A: NodeAllocator>(alloc: &A) {
    // Tables and caches are made by the first block.
    free(alloc, fill(alloc, 1 << 20), By::ThisThread);
    alloc.trim();
    let before = resident();
    for by in [By::ThisThread, By::Another] {
        let full = fill(alloc, TAKEN);
        assert!(resident() - before >= TAKEN - OTHER);
        free(alloc, full, by);
        alloc.trim();
        let stays = resident().saturating_sub(before);
        assert!(
            stays <= TAKEN / 100 + OTHER,
            "{stays} stay after a trim, freed by {by:?}"
        );

        // And when the program is silent, but for a thread that calls `decay`.
        free(alloc, fill(alloc, TAKEN), by);
        let silent = alloc.clone();
        let trimmer = thread::spawn(move || {
            for _ in 0..DECAYS {
                silent.decay();
                if resident().saturating_sub(before) <= TAKEN / 20 + OTHER {
                    break;
                }
                thread::sleep(PAUSE);
            }
            resident().saturating_sub(before)
        });
        let stays = trimmer.join().expect("the figures can be read");
        assert!(
            stays <= TAKEN / 20 + OTHER,
            "{stays} stay in silence, freed by {by:?}"
        );
    }
}

/// Without a trim, a decay or another call.
#[cfg(feature = "mimalloc")]
fn gives_back_at_once() {
    // SAFETY: the process's only thread.
    let alloc = unsafe { linkbuf_alloc::Mimalloc::low_retention() };
    free(&alloc, fill(&alloc, 1 << 20), By::ThisThread);
    let before = resident();
    for by in [By::ThisThread, By::Another] {
        free(&alloc, fill(&alloc, TAKEN), by);
        let stays = resident().saturating_sub(before);
        assert!(
            stays <= TAKEN / 100 + OTHER,
            "{stays} stay, freed by {by:?}"
        );
    }
}

/// Memory, and not pages of the program's file; reserved huge pages are counted apart.
fn resident() -> usize {
    status("RssAnon") + status("HugetlbPages")
}

/// Blocks on their way to whoever gives them back.
struct Blocks(Vec<RawBlock>);

// SAFETY: the blocks are the holder's alone, and the contract of `NodeAllocator` lets any thread return them.
unsafe impl Send for Blocks {}

/// So many bytes of blocks, every one written to.
fn fill<A: NodeAllocator>(alloc: &A, bytes: usize) -> Blocks {
    let take = |_| {
        let block = alloc.allocate(BLOCK).expect("memory for the test");
        // SAFETY: the block is this test's, and at least so long.
        unsafe { block.ptr.write_bytes(7, BLOCK) };
        block
    };
    Blocks((0..bytes / BLOCK).map(take).collect())
}

fn free<A: NodeAllocator>(alloc: &A, blocks: Blocks, by: By) {
    let give_back = |alloc: &A, blocks: Blocks| {
        for mut block in blocks.0 {
            block.init = BLOCK;
            // SAFETY: `alloc` or a clone of it gave the block, whose first bytes were written; nobody else has it.
            unsafe { alloc.deallocate(block) }
        }
    };
    match by {
        By::ThisThread => give_back(alloc, blocks),
        By::Another => thread::scope(|scope| {
            let other = scope.spawn(|| give_back(alloc, blocks));
            other.join().expect("the blocks go back");
        }),
    }
}
