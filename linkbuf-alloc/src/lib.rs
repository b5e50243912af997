//! Where a program's linkbuf buffers get their memory, and how they give it back.
//!
//! `linkbuf-core` is generic over a [`NodeAllocator`] and brings one, the plain heap. This crate has the others:
//!
//! | allocator | feature | its blocks | an idle buffer keeps at most¹ | for |
//! |---|---|---|---|---|
//! | [`Pooled`] | `pooled` (default) | per-thread caches before any other allocator; [`HeapSlabs`] unless you say otherwise | 8 KiB | most programs: a block costs less than an atomic pair |
//! | [`Mmap`] | `mmap` | cut from anonymous mappings, through memmap2 | 8 KiB | memory that must go back to the system, page by page |
//! | [`HugePage`] | `hugepage` | cut from huge pages, as far as there are any: hugetlb, transparent, plain | 16 KiB | large working sets: first touch is several times cheaper |
//! | [`Mimalloc`] | `mimalloc` | mimalloc's own heap, whatever the program's global allocator is | 4 KiB | programs that know and tune mimalloc |
//! | [`linkbuf_core::Heap`] | always | the program's global allocator | 4 KiB | tools that watch the global allocator, as dhat does |
//!
//! ¹ By default; [`TailPolicy`](linkbuf_core::TailPolicy) sets another bound for one buffer, also 0.
//!
//! Pools go before any of them (`Pooled<Mmap>`, `Pooled<HugePage>`, a pool before an allocator of your own);
//! [`Budget`]s limit the bytes that a connection, a group or the process may hold; [`AnyAllocator`] and [`Backend`]
//! choose when the program runs; a [`Trimmer`] gives memory back while the program is silent; [`Process`] names the
//! one of each kind that the process has, by a value of no size.
//!
//! # The default, and who chooses it
//!
//! [`DefaultAllocator`] and [`LinkBuffer`] name one of them. The features `pooled`, `mmap`, `hugepage` and `mimalloc`
//! each add a type and leave the choice alone; it is made by the features `default-…`, and if several crates of a
//! program ask for different ones, the first in this table has it:
//!
//! | feature | `DefaultAllocator` |
//! |---|---|
//! | `default-hugepage` | `Process<Pooled<HugePage>>` |
//! | `default-mmap` | `Process<Pooled<Mmap>>` |
//! | `default-mimalloc` | `Mimalloc` |
//! | none of them, with `pooled` | `Process<Pooled>` |
//! | none of them, without `pooled` | `linkbuf_core::Heap` |
//!
//! They are for programs. A library had better stay generic over `A: NodeAllocator`, or take an [`AnyAllocator`], and
//! set no `default-…` feature, for it would set it for every program that uses the library.
//!
//! ```
//! use linkbuf_alloc::LinkBuffer;
//!
//! # fn main() -> Result<(), linkbuf_core::Error> {
//! let mut buffer = LinkBuffer::default();
//! buffer.write_string("hello")?;
//! buffer.flush();
//! assert_eq!(buffer.next(5)?, b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! [`NodeAllocator`]: linkbuf_core::NodeAllocator
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(all(
        feature = "pooled",
        feature = "mmap",
        feature = "hugepage",
        feature = "mimalloc"
    )),
    expect(
        rustdoc::broken_intra_doc_links,
        reason = "the page names what other features bring"
    )
)]

mod backend;
mod budget;
mod erased;
mod figures;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
mod handle;
#[cfg(feature = "pooled")]
mod pool;
mod process;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
mod slab;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
mod source;
mod trimmer;

#[cfg(feature = "mimalloc")]
pub use backend::Mimalloc;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
pub use backend::{HeapOwner, HeapPages, HeapSlabs};
#[cfg(feature = "hugepage")]
pub use backend::{HugeOwner, HugePage, HugePageBuilder, HugePages};
#[cfg(feature = "mmap")]
pub use backend::{Mmap, MmapPages};
pub use budget::{Budget, Budgeted};
pub use erased::{AnyAllocator, Backend, UnknownBackend};
pub use figures::{CLASSES, ClassFigures, Figures, Rung, RungFigures};
#[cfg(feature = "pooled")]
pub use pool::{PoolLimits, Pooled};
pub use process::{Process, ProcessWide};
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
pub use slab::Slabs;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
pub use source::{Grain, PageSource, Piece, system_page};
pub use trimmer::Trimmer;

/// The allocator that [`LinkBuffer`] takes its memory from; the crate's page says which it is, and why.
///
/// ```
/// use linkbuf_alloc::DefaultAllocator;
///
/// // Generic code takes it like any other allocator; nothing is allocated before the first write.
/// let buffer = linkbuf_core::LinkBuffer::new_in(DefaultAllocator::default());
/// assert_eq!(buffer.memory(), linkbuf_core::Memory::default());
/// assert_eq!(size_of::<DefaultAllocator>(), 0); // whichever it is
/// ```
pub type DefaultAllocator = chosen::Default;

/// The one place where the choice is made.
mod chosen {
    #[cfg(feature = "default-hugepage")]
    pub(crate) type Default = crate::Process<crate::Pooled<crate::HugePage>>;
    #[cfg(all(feature = "default-mmap", not(feature = "default-hugepage")))]
    pub(crate) type Default = crate::Process<crate::Pooled<crate::Mmap>>;
    #[cfg(all(
        feature = "default-mimalloc",
        not(any(feature = "default-mmap", feature = "default-hugepage"))
    ))]
    pub(crate) type Default = crate::Mimalloc;
    #[cfg(all(
        feature = "pooled",
        not(any(
            feature = "default-mimalloc",
            feature = "default-mmap",
            feature = "default-hugepage"
        ))
    ))]
    pub(crate) type Default = crate::Process<crate::Pooled>;
    #[cfg(not(any(feature = "pooled", feature = "default-mimalloc")))]
    pub(crate) type Default = linkbuf_core::Heap;
}

/// A buffer whose memory comes from [`DefaultAllocator`].
///
/// Make one with `LinkBuffer::default()`, which holds for every allocator this name may ever stand for.
///
/// ```
/// use linkbuf_alloc::LinkBuffer;
///
/// struct Connection {
///     input: LinkBuffer,
///     output: LinkBuffer,
/// }
///
/// let idle = Connection { input: LinkBuffer::default(), output: LinkBuffer::default() };
/// assert!(idle.input.is_empty() && idle.output.is_empty());
/// ```
pub type LinkBuffer = linkbuf_core::LinkBuffer<DefaultAllocator>;

/// The README's Rust code runs with this crate's doctests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
