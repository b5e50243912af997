//! The crate's integration tests.
//!
//! | module | what it holds |
//! |---|---|
//! | [`suite`] | the suite that every `NodeAllocator` must pass, for every backend, decorator, rung and policy |
//! | [`alone`] | runs a test in a process of its own |
//! | [`fork`] | buffers in a process that forks |
//! | [`limits`] | all memory gone: `RLIMIT_AS` |
//! | [`resident`] | what stays resident after a great deal was freed |
//! | [`reserved`] | reserves huge pages for a test |
//! | [`budget`] | budgets against a plain model, and from many threads |
//! | [`erased`] | backends by name |
//! | [`sources`] | what every source of pieces answers |
//! | [`refused`] | the global heap refuses a thread's or a backend's first memory |

use linkbuf_core::testing::allocators::FailingGlobal;

#[cfg(target_os = "linux")]
mod alone;
mod budget;
mod erased;
#[cfg(target_os = "linux")]
mod fork;
#[cfg(target_os = "linux")]
mod limits;
mod refused;
#[cfg(all(target_os = "linux", feature = "hugepage"))]
mod reserved;
#[cfg(all(
    target_os = "linux",
    any(
        feature = "pooled",
        feature = "mmap",
        feature = "hugepage",
        feature = "mimalloc"
    )
))]
mod resident;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
mod sources;
mod suite;

/// The heap fails on request, and so do the tables that allocators keep there.
#[global_allocator]
static HEAP: FailingGlobal = FailingGlobal;

#[test]
fn the_heap_can_be_made_to_fail() {
    assert!(FailingGlobal::is_installed());
}
