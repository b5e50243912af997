//! The backends, one a file.

#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
mod heap_pages;
#[cfg(feature = "hugepage")]
mod huge_page;
#[cfg(any(feature = "mmap", feature = "hugepage"))]
mod mapping;

#[cfg(feature = "mimalloc")]
mod mimalloc;
#[cfg(feature = "mmap")]
mod mmap;

/// Was this process forked from one that had memory which it has not? Blocks of it may still come back.
#[cfg(feature = "pooled")]
#[inline]
pub(crate) fn lost_memory() -> bool {
    #[cfg(all(feature = "hugepage", target_os = "linux"))]
    return huge_page::forks() != 0;
    #[cfg(not(all(feature = "hugepage", target_os = "linux")))]
    false
}

#[cfg(feature = "mimalloc")]
pub use mimalloc::Mimalloc;

#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
pub use heap_pages::{HeapOwner, HeapPages, HeapSlabs};
#[cfg(feature = "hugepage")]
pub use huge_page::{HugePage, HugePageBuilder, HugePages, Owner as HugeOwner};
#[cfg(feature = "mmap")]
pub use mmap::{Mmap, MmapPages};
