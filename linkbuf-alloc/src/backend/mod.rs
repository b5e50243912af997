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

/// How many of the forks that led to this process took memory away. Blocks of it may still come back.
#[cfg(feature = "pooled")]
#[inline]
pub(crate) fn losses() -> usize {
    #[cfg(all(feature = "hugepage", target_os = "linux"))]
    return huge_page::forks();
    #[cfg(not(all(feature = "hugepage", target_os = "linux")))]
    0
}

#[cfg(all(feature = "hugepage", target_os = "linux", not(miri)))]
pub(crate) use huge_page::fork as huge_page_fork;

#[cfg(feature = "mimalloc")]
pub use mimalloc::Mimalloc;

#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
pub use heap_pages::{HeapOwner, HeapPages, HeapSlabs};
#[cfg(feature = "hugepage")]
pub use huge_page::{HugePage, HugePageBuilder, HugePages, Owner as HugeOwner};
#[cfg(feature = "mmap")]
pub use mmap::{Mmap, MmapOwner, MmapPages};
