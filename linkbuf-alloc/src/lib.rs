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
//! # One's own, and the process's
//!
//! For every type of this crate that holds memory, `default()` is the one that the process has: `Mmap::default()`,
//! `Pooled::<Mmap>::default()`, a handle each, and `Process::<Mmap>::default()` the same without a size. What makes one
//! of its own takes arguments or is called `new`, or `build`: `Mmap::new()`, `Pooled::new(Mmap::new())`. [`Mimalloc`] is
//! only ever the process's. A program that has an allocator of its own and wants it process-wide implements
//! [`ProcessWide`], or [`ProcessPool`] for a pool before it.
//!
//! # Forking
//!
//! On Linux a child that is made by `fork` may use and drop what it inherited, also where other threads of the parent
//! were inside an allocator at that moment: `fork` waits until no lock of this crate is held, for a few microseconds as
//! a rule. This holds for every allocator that gave a block before `fork` was called, process-wide or not (unless there
//! was no memory to note it, or another fork was under way for long, which is tried again with the next). What the
//! threads that the child has not had in their hands stays out in it: in a pool, what their caches held
//! ([`thread_cap`](PoolLimits::thread_cap) a thread). What [`Budget`]s they had charged stays charged, and a
//! [`Trimmer`] does nothing.
//!
//! Two things are otherwise. Pieces on reserved huge pages are not inherited ([`HugePages`] says what a child can do with
//! buffers that lie there), and a pool that may have such blocks keeps none in the child until the last of them came
//! back and it was trimmed; if it stands before a [`HugePage`] directly, that is, and for good if not. And mimalloc's own
//! locks are mimalloc's: where other threads use it, a child had better not.
//!
//! Handlers of the program's own (`pthread_atfork`) that were installed before the first block was taken run while those
//! locks are held: they must not use this crate, nor fork, nor wait for a thread that uses it. Those that are installed
//! later may.
//!
//! The standard library's locks are its own: if another thread of the parent is just starting or ending, a thread that
//! the child starts may wait for it for ever (seen with Rust 1.95). That is so without this crate, too.
//!
//! A child that is made behind the back of the C library, by the bare system call, has none of this. Off Linux a child
//! of a program with several threads must not use this crate.
//!
//! # Running out of memory
//!
//! No allocator panics or ends the process because there is no memory: a request that can't be served is an error, also
//! where the tables are what could not grow. Constructors (`new`, `leak`, `child`) take a few words and end the process
//! where these are not to be had, as `Box::new` does. [`HugePages`] names one exception.
//!
//! ```
//! use linkbuf_alloc::LinkBuffer;
//!
//! # fn main() -> Result<(), linkbuf_core::Error> {
//! let mut buffer: LinkBuffer = LinkBuffer::default();
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
#[cfg(any(feature = "pooled", feature = "hugepage", feature = "mimalloc"))]
mod clock;
mod erased;
mod figures;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
#[cfg_attr(
    not(all(target_os = "linux", not(miri))),
    expect(
        dead_code,
        reason = "nobody asks for the locks where there is no register of forks"
    )
)]
mod fork;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
mod handle;
#[cfg(feature = "pooled")]
mod pool;
mod process;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
mod slab;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
mod source;
#[cfg(any(feature = "pooled", feature = "mimalloc"))]
mod thread_exit;
mod trimmer;
mod try_box;

#[cfg(feature = "mimalloc")]
pub use backend::Mimalloc;
#[cfg(any(feature = "pooled", feature = "mmap", feature = "hugepage"))]
pub use backend::{HeapOwner, HeapPages, HeapSlabs};
#[cfg(feature = "hugepage")]
pub use backend::{HugeOwner, HugePage, HugePageBuilder, HugePages};
#[cfg(feature = "mmap")]
pub use backend::{Mmap, MmapOwner, MmapPages};
pub use budget::{Budget, Budgeted};
pub use erased::{AnyAllocator, Backend, UnknownBackend};
pub use figures::{CLASSES, ClassFigures, Figures, Rung, RungFigures};
#[cfg(feature = "pooled")]
pub use pool::{PoolLimits, Pooled, ProcessPool};
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
/// With another allocator named it is a buffer over that: `LinkBuffer<Mmap>`. Make one with `LinkBuffer::default()`
/// where its type is known, as in a field, and with `LinkBuffer::new_in(alloc)` where it is not.
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
/// let over_the_heap = LinkBuffer::new_in(linkbuf_core::Heap);
/// # drop(over_the_heap);
/// ```
pub type LinkBuffer<A = DefaultAllocator> = linkbuf_core::LinkBuffer<A>;

/// The README's Rust code runs with this crate's doctests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
