//! An allocator chosen while the program runs.
#![expect(unsafe_code, reason = "forwards an unsafe trait through a vtable")]

mod choice;

use std::{any::type_name, fmt, mem::needs_drop, sync::Arc};

use linkbuf_core::{AllocError, AllocFigures, NodeAllocator, RawBlock, TailPolicy};

pub use choice::{Backend, UnknownBackend};

/// Any allocator, as one type: for programs that read from a configuration file where memory is to come from.
///
/// A block taken and given back costs 15 instructions and 13 ns more than on the concrete type `Pooled` (22 ns, not 9),
/// which is inlined where this is two indirect calls; a buffer that rewinds its node pays nothing. A handle is three
/// words. Its clone, taken once per block, is free when the allocator has no size or is [`leak`](Self::leak)ed, and
/// counts one more user (an atomic add and subtract) otherwise.
///
/// ```
/// use linkbuf_alloc::AnyAllocator;
/// use linkbuf_core::{Heap, LinkBuffer};
///
/// let chosen = AnyAllocator::new(Heap);
/// let mut buf = LinkBuffer::new_in(chosen);
/// buf.write_string("hello")?;
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Clone)]
pub struct AnyAllocator(Held);

#[derive(Clone)]
enum Held {
    Static(&'static dyn Erased),
    Shared(Arc<dyn Erased>),
}

/// [`NodeAllocator`] without what keeps it from being a trait object: `Clone`.
///
/// # Safety
/// As `NodeAllocator`, for all users of one value.
unsafe trait Erased: Send + Sync + 'static {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError>;

    /// # Safety
    /// As `NodeAllocator::deallocate`.
    unsafe fn deallocate(&self, block: RawBlock);

    fn good_size(&self, min: usize) -> usize;
    fn page_size(&self) -> usize;
    fn node_size(&self) -> usize;
    fn default_tail_policy(&self) -> TailPolicy;
    fn trim(&self) -> usize;
    fn decay(&self) -> usize;
    fn figures(&self) -> Option<AllocFigures>;
    fn name(&self) -> &'static str;
}

// SAFETY: every method is that of `A`, on one value, which promises the same.
unsafe impl<A: NodeAllocator> Erased for A {
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        NodeAllocator::allocate(self, min)
    }

    unsafe fn deallocate(&self, block: RawBlock) {
        // SAFETY: the caller's promise is the one asked for.
        unsafe { NodeAllocator::deallocate(self, block) }
    }

    fn good_size(&self, min: usize) -> usize {
        NodeAllocator::good_size(self, min)
    }

    fn page_size(&self) -> usize {
        NodeAllocator::page_size(self)
    }

    fn node_size(&self) -> usize {
        NodeAllocator::node_size(self)
    }

    fn default_tail_policy(&self) -> TailPolicy {
        NodeAllocator::default_tail_policy(self)
    }

    fn trim(&self) -> usize {
        NodeAllocator::trim(self)
    }

    fn decay(&self) -> usize {
        NodeAllocator::decay(self)
    }

    fn figures(&self) -> Option<AllocFigures> {
        NodeAllocator::figures(self)
    }

    fn name(&self) -> &'static str {
        type_name::<A>()
    }
}

impl AnyAllocator {
    /// Hides the type of `alloc`. Takes memory for it once, unless it has no size.
    pub fn new<A: NodeAllocator>(alloc: A) -> Self {
        if size_of::<A>() == 0 && !needs_drop::<A>() {
            // The box of a value of no size takes no memory, so none is leaked.
            AnyAllocator(Held::Static(Box::leak(Box::new(alloc))))
        } else {
            AnyAllocator(Held::Shared(Arc::new(alloc)))
        }
    }

    /// Hides the type of an allocator that lives as long as the program. Takes no memory.
    pub const fn from_static<A: NodeAllocator>(alloc: &'static A) -> Self {
        AnyAllocator(Held::Static(alloc))
    }

    /// The same allocator for the life of the program: clones of what is returned cost nothing.
    #[must_use]
    pub fn leak(self) -> Self {
        match self.0 {
            Held::Static(alloc) => AnyAllocator(Held::Static(alloc)),
            // What is leaked is a handle of the allocator, which keeps it.
            Held::Shared(alloc) => {
                let alloc: &'static Arc<dyn Erased> = Box::leak(Box::new(alloc));
                AnyAllocator(Held::Static(&**alloc))
            }
        }
    }

    #[inline]
    fn get(&self) -> &dyn Erased {
        match &self.0 {
            Held::Static(alloc) => *alloc,
            Held::Shared(alloc) => &**alloc,
        }
    }
}

impl fmt::Debug for AnyAllocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyAllocator")
            .field(&format_args!("{}", self.get().name()))
            .finish()
    }
}

#[deny(
    clippy::missing_trait_methods,
    reason = "what is not forwarded would answer for itself"
)]
// SAFETY: every method is that of the one allocator that all clones share; a clone copies a reference or raises a count.
unsafe impl NodeAllocator for AnyAllocator {
    #[inline]
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        self.get().allocate(min)
    }

    #[inline]
    unsafe fn deallocate(&self, block: RawBlock) {
        // SAFETY: the caller's promise is the one asked for, of the allocator that all clones share.
        unsafe { self.get().deallocate(block) }
    }

    #[inline]
    fn good_size(&self, min: usize) -> usize {
        self.get().good_size(min)
    }

    fn page_size(&self) -> usize {
        self.get().page_size()
    }

    fn node_size(&self) -> usize {
        self.get().node_size()
    }

    fn default_tail_policy(&self) -> TailPolicy {
        self.get().default_tail_policy()
    }

    fn trim(&self) -> usize {
        self.get().trim()
    }

    fn decay(&self) -> usize {
        self.get().decay()
    }

    fn figures(&self) -> Option<AllocFigures> {
        self.get().figures()
    }
}
