//! Pieces from the program's global heap.
#![expect(
    unsafe_code,
    reason = "calls the global allocator by layout, and purges pages"
)]

use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc},
    ptr::NonNull,
};

use linkbuf_core::AllocError;

use crate::{
    slab::{Slabs, process_wide},
    source::{self, Grain, PAGE, PageSource, Piece, system_page},
};

/// Pieces of 256 KiB from the program's global heap, so that heap profilers see them.
///
/// Each is asked for with a system page more than that, to align it by hand: heaps reuse a hole of ordinary alignment,
/// and many can't reuse one that was aligned for them. So the heap holds 1.6 % more than the figures say. The memory
/// behind a piece is purged before the piece is freed, because few heaps give it back by themselves.
///
/// Where the kernel gives transparent huge pages unasked (`always`), what is purged within a huge page may come back
/// as soon as the kernel joins the page again; mapped memory does not have this.
///
/// ```
/// use linkbuf_alloc::{HeapPages, Slabs};
/// use linkbuf_core::NodeAllocator;
///
/// let slabs = Slabs::new_in(HeapPages::new());
/// let block = slabs.allocate(5000)?;
/// assert_eq!(block.len, 8192);
/// // SAFETY: given just now, and not used again.
/// unsafe { slabs.deallocate(block) };
/// # Ok::<(), linkbuf_core::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapPages(());

impl HeapPages {
    /// The heap.
    #[must_use]
    pub const fn new() -> Self {
        HeapPages(())
    }
}

/// The allocation that a piece lies in.
///
/// ```
/// use linkbuf_alloc::{HeapOwner, HeapPages, PageSource};
///
/// fn owner_of<S: PageSource<Owner = HeapOwner>>(_: S) {}
/// owner_of(HeapPages::new());
/// ```
#[derive(Debug)]
pub struct HeapOwner {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the global heap takes its memory back on any thread.
unsafe impl Send for HeapOwner {}

/// What the heaps align to anyway.
const ALIGN: usize = 16;

// SAFETY: a piece lies in one allocation of the global heap, which is freed when the piece comes back: it is exclusive
// and stays, and a child inherits it. One of `PIECE` bytes or less is moved up to the next system page, by less than the
// page that was asked for beyond it. `alloc_zeroed` initialises the large ones; purged pages are zero or as they were.
// A layout that can't be is refused, and so is a piece of no bytes. Nothing here panics.
unsafe impl PageSource for HeapPages {
    type Owner = HeapOwner;

    const PIECE: usize = 256 << 10;

    /// One MiB: taking a piece anew costs its page faults.
    const SPARES: usize = 4;

    fn take(&self, len: usize) -> Result<Piece<HeapOwner>, AllocError> {
        let refused = AllocError { size: len };
        // A large one is a single block: it needs no alignment, and the heaps map fresh pages for it, which are zero.
        let single = len > Self::PIECE;
        let page = system_page().max(PAGE);
        let room = if single { 0 } else { page };
        let size = len.checked_add(room).filter(|_| len > 0);
        let layout = size
            .and_then(|size| Layout::from_size_align(size, ALIGN).ok())
            .ok_or(refused)?;
        let taken = if single {
            // SAFETY: the layout's size is not 0.
            unsafe { alloc_zeroed(layout) }
        } else {
            // SAFETY: the layout's size is not 0.
            unsafe { alloc(layout) }
        };
        let taken = NonNull::new(taken).ok_or(refused)?;
        let skip = taken.addr().get().next_multiple_of(page) - taken.addr().get();
        let start = if single {
            taken
        } else {
            taken.map_addr(|start| start.saturating_add(skip))
        };
        let owner = HeapOwner {
            start: taken,
            layout,
        };
        Ok(Piece::new(start, len, owner)
            .with_init(single)
            .with_grain(Grain::Page))
    }

    unsafe fn give_back(&self, piece: Piece<HeapOwner>) {
        if piece.len <= Self::PIECE {
            // SAFETY: the piece is aligned, as long as some pages, and nobody's any more.
            unsafe { source::purge(piece.start, piece.len / system_page() * system_page()) };
        }
        let HeapOwner { start, layout } = piece.owner;
        // SAFETY: `take` got this memory for this layout.
        unsafe { dealloc(start.as_ptr(), layout) }
    }

    unsafe fn purge(&self, start: NonNull<u8>, len: usize) -> bool {
        // SAFETY: the caller's promise; the piece is part of a live allocation.
        unsafe { source::purge(start, len) }
    }
}

/// Blocks cut from pieces of the global heap.
///
/// `HeapSlabs::default()` is a handle of the one that the process has, [`new`](Self::new) makes one of its own. An
/// idle buffer keeps at most 8 KiB: a node of 4 KiB, its header, and a few small things.
///
/// ```
/// use linkbuf_alloc::HeapSlabs;
/// use linkbuf_core::LinkBuffer;
///
/// let mut buf = LinkBuffer::new_in(HeapSlabs::default());
/// buf.write_string("hello")?;
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
pub type HeapSlabs = Slabs<HeapPages>;

impl HeapSlabs {
    /// An allocator of its own, over the global heap.
    #[must_use]
    pub fn new() -> Self {
        Slabs::new_in(HeapPages::new())
    }
}

process_wide!(HeapSlabs, HeapPages, HeapPages::new());
