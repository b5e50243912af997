//! The allocators that are measured, each a name and a line in one list.

use std::any::Any;

use linkbuf_alloc::{
    AnyAllocator, Figures, HeapSlabs, HugePage, Mimalloc, Mmap, Pooled, Process, ProcessWide, Rung,
};
use linkbuf_core::{Heap, NodeAllocator};

use crate::contenders::malloc::{Libc, MiMalloc, low_retention};
use crate::scenario::Kind;

/// Work that can be done with any allocator.
pub(crate) trait Job {
    /// What comes of it.
    type Out;
    /// Does it.
    fn with<A: NodeAllocator>(self, alloc: A) -> Self::Out;
}

/// An allocator that is measured.
///
/// ```
/// use linkbuf_bench::backends::Backend;
/// for backend in Backend::ALL {
///     assert_eq!(Backend::named(backend.name()), Some(*backend));
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The process-wide pool over slabs of the heap, a handle of no size: what a program gets unless it chooses.
    Pooled,
    /// A pool of one's own, a counted handle.
    PooledHandle,
    /// The process-wide pool, its type hidden.
    PooledAny,
    /// The process-wide pool over mapped memory.
    PooledMmap,
    /// The process-wide pool over huge pages, as far as there are any.
    PooledHugePage,
    /// The slabs under the pool, alone: pieces of the global heap.
    Slabs,
    /// Mapped memory, alone.
    Mmap,
    /// Huge pages, as far as there are any, alone.
    HugePage,
    /// Reserved huge pages or nothing.
    HugeTlb,
    /// Transparent huge pages or nothing.
    Transparent,
    /// The same code on ordinary pages.
    Plain,
    /// mimalloc, as a backend.
    Mimalloc,
    /// The same, set to give memory back as soon as it is freed.
    MimallocLow,
    /// The program's global heap.
    Heap,
    /// The C library's `malloc`, bare: what speed is told beside.
    Malloc,
    /// `mi_malloc`, bare.
    MiMalloc,
}

impl Backend {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Pooled,
        Self::PooledHandle,
        Self::PooledAny,
        Self::PooledMmap,
        Self::PooledHugePage,
        Self::Slabs,
        Self::Mmap,
        Self::HugePage,
        Self::HugeTlb,
        Self::Transparent,
        Self::Plain,
        Self::Mimalloc,
        Self::MimallocLow,
        Self::Heap,
        Self::Malloc,
        Self::MiMalloc,
    ];

    /// Those whose speed is compared.
    pub(crate) const THROUGHPUT: &[Self] = &[
        Self::Pooled,
        Self::PooledHandle,
        Self::PooledAny,
        Self::Slabs,
        Self::Mmap,
        Self::HugePage,
        Self::Mimalloc,
        Self::MiMalloc,
        Self::Malloc,
    ];

    /// The same question put again in another way: those that it is about.
    pub(crate) const IN_SHORT: &[Self] =
        &[Self::Pooled, Self::Mimalloc, Self::MiMalloc, Self::Malloc];

    /// Those that map their memory themselves, and that any machine has.
    pub(crate) const MAPPED: &[Self] = &[Self::HugePage, Self::Transparent, Self::Mmap];

    /// Those whose retention is compared.
    pub(crate) const RETENTION: &[Self] = &[
        Self::Pooled,
        Self::PooledMmap,
        Self::PooledHugePage,
        Self::Slabs,
        Self::Mmap,
        Self::HugeTlb,
        Self::Transparent,
        Self::Plain,
        Self::Mimalloc,
        Self::MimallocLow,
        Self::Heap,
    ];

    /// Its name, of letters, digits, `_` and `-`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pooled => "pooled",
            Self::PooledHandle => "pooled-handle",
            Self::PooledAny => "pooled-any",
            Self::PooledMmap => "pooled-mmap",
            Self::PooledHugePage => "pooled-hugepage",
            Self::Slabs => "slabs",
            Self::Mmap => "mmap",
            Self::HugePage => "hugepage",
            Self::HugeTlb => "hugepage-hugetlb",
            Self::Transparent => "hugepage-thp",
            Self::Plain => "hugepage-plain",
            Self::Mimalloc => "mimalloc",
            Self::MimallocLow => "mimalloc-low",
            Self::Heap => "heap",
            Self::Malloc => "malloc",
            Self::MiMalloc => "mi_malloc",
        }
    }

    /// One of linkbuf's allocators, or what a program would use instead.
    pub fn kind(self) -> Kind {
        match self {
            Self::Heap | Self::Malloc | Self::MiMalloc => Kind::Peer,
            _ => Kind::Linkbuf,
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|b| b.name() == name)
    }

    /// Does `job` with it: with the process's own where there is one, else with a new one.
    ///
    /// # Errors
    /// Why it isn't to be had here.
    pub(crate) fn run<J: Job>(self, job: J) -> Result<J::Out, String> {
        Ok(match self {
            Self::Pooled => job.with(Process::<Pooled>::new()),
            Self::PooledHandle => job.with(Pooled::new(HeapSlabs::new())),
            Self::PooledAny => {
                job.with(AnyAllocator::from_static(<Pooled as ProcessWide>::process()))
            }
            Self::PooledMmap => job.with(Process::<Pooled<Mmap>>::new()),
            Self::PooledHugePage => job.with(Process::<Pooled<HugePage>>::new()),
            Self::Slabs => job.with(Process::<HeapSlabs>::new()),
            Self::Mmap => job.with(Process::<Mmap>::new()),
            Self::HugePage => job.with(Process::<HugePage>::new()),
            Self::HugeTlb => job.with(standing_on(Rung::HugeTlb)?),
            Self::Transparent => job.with(standing_on(Rung::Transparent)?),
            Self::Plain => job.with(standing_on(Rung::Plain)?),
            Self::Mimalloc => job.with(Mimalloc),
            Self::MimallocLow => job.with(low_retention()?),
            Self::Heap => job.with(Heap),
            Self::Malloc => job.with(Libc),
            Self::MiMalloc => job.with(MiMalloc),
        })
    }
}

fn standing_on(rung: Rung) -> Result<HugePage, String> {
    let built = HugePage::builder().require(rung).build();
    built.map_err(|e| format!("there are no {rung} pages: {e}"))
}

/// What an allocator says of itself; by rung, too, where there are any.
pub(crate) fn report<A: NodeAllocator>(alloc: &A) -> Option<Figures> {
    let any: &dyn Any = alloc;
    let huge = any.downcast_ref::<HugePage>().map(|a| a.report());
    let huge = huge.or_else(|| any.downcast_ref::<Process<HugePage>>().map(|a| a.report()));
    let pooled = || any.downcast_ref::<Process<Pooled<HugePage>>>();
    huge.or_else(|| pooled().map(|a| a.report())).or_else(|| {
        let mut figures = Figures::default();
        figures.totals = alloc.figures()?;
        Some(figures)
    })
}
