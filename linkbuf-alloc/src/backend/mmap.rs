//! Pieces that are anonymous mappings.
#![expect(unsafe_code, reason = "implements an unsafe trait")]

use std::ptr::NonNull;

use linkbuf_core::AllocError;
use memmap2::MmapRaw;

use super::mapping;
use crate::{
    slab::{Slabs, process_wide},
    source::{self, PageSource, Piece},
};

/// Pieces of 2 MiB, each an anonymous mapping on the system's ordinary pages.
///
/// A page takes memory when it is first touched; it is zero then, so nobody clears it.
///
/// ```
/// use linkbuf_alloc::{MmapPages, Slabs};
/// use linkbuf_core::NodeAllocator;
///
/// let slabs = Slabs::new_in(MmapPages::new());
/// let block = slabs.allocate(5000)?;
/// assert_eq!((block.len, block.init), (8192, 8192));
/// // SAFETY: given just now, and not used again.
/// unsafe { slabs.deallocate(block) };
/// # Ok::<(), linkbuf_core::AllocError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MmapPages(());

impl MmapPages {
    /// The system's memory.
    #[must_use]
    pub const fn new() -> Self {
        MmapPages(())
    }
}

/// The mapping that a piece is.
///
/// ```
/// use linkbuf_alloc::{MmapOwner, MmapPages, PageSource};
///
/// fn owner_of<S: PageSource<Owner = MmapOwner>>(_: S) {}
/// owner_of(MmapPages::new());
/// ```
#[derive(Debug)]
pub struct MmapOwner(MmapRaw);

// SAFETY: a piece is a private mapping of its own, readable and writable and zero, as long as was asked for (none is
// of no bytes), which starts at a page and is unmapped when its owner is dropped, hence not before it comes back; a
// child inherits it; purged ranges are the caller's to purge, and zero afterwards. What the system refuses is an error.
unsafe impl PageSource for MmapPages {
    type Owner = MmapOwner;

    const PIECE: usize = 2 << 20;

    fn take(&self, len: usize) -> Result<Piece<MmapOwner>, AllocError> {
        let piece = mapping::plain(len).map_err(|_| AllocError { size: len })?;
        Ok(piece.map_owner(MmapOwner))
    }

    unsafe fn give_back(&self, piece: Piece<MmapOwner>) {
        drop(piece.owner.0);
    }

    unsafe fn purge(&self, start: NonNull<u8>, len: usize) -> bool {
        // SAFETY: the caller's promise; the piece is a private mapping on ordinary pages.
        unsafe { source::purge(start, len) }
    }
}

/// Blocks cut from anonymous mappings.
///
/// `Mmap::default()` is a handle of the one that the process has, [`new`](Self::new) makes one of its own. The memory
/// is beside the program's heap, so heap profilers don't see it; [`report`](Slabs::report) does. An idle buffer keeps
/// at most 8 KiB: a node of 4 KiB, its header, and a few small things.
///
/// ```
/// use linkbuf_alloc::Mmap;
/// use linkbuf_core::LinkBuffer;
///
/// let mut buf = LinkBuffer::new_in(Mmap::default());
/// buf.write_string("hello")?;
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
pub type Mmap = Slabs<MmapPages>;

impl Mmap {
    /// An allocator of its own.
    #[must_use]
    pub fn new() -> Self {
        Slabs::new_in(MmapPages::new())
    }
}

process_wide!(Mmap, MmapPages, MmapPages::new());
