//! Where slabs come from: pieces of memory from the heap, from mappings, from huge pages.
#![expect(
    unsafe_code,
    reason = "declares the unsafe trait, and that a piece may change threads"
)]

use std::ptr::NonNull;

use linkbuf_core::AllocError;

use crate::{Rung, RungFigures};

/// Bytes of the smallest block, and the unit in which a slab keeps books.
pub(crate) const PAGE: usize = 4096;

/// What of a [`Piece`] can go back to the system.
///
/// ```
/// // A page that is larger than the system's ordinary ones is all there or not at all.
/// assert_ne!(linkbuf_alloc::Grain::Page, linkbuf_alloc::Grain::Whole);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grain {
    /// Each of the system's ordinary pages.
    Page,
    /// Nothing but the whole, until it was [split](PageSource::split).
    Splits,
    /// Nothing but the whole.
    Whole,
}

/// A piece of memory that a [`PageSource`] gave, on its way to a slab or back.
///
/// ```
/// use linkbuf_alloc::{HeapPages, PageSource};
///
/// let source = HeapPages::new();
/// let piece = source.take(HeapPages::PIECE)?;
/// assert_eq!((piece.bytes(), piece.rung()), (256 << 10, None));
/// // SAFETY: given just now, and not used.
/// unsafe { source.give_back(piece) };
/// # Ok::<(), linkbuf_core::AllocError>(())
/// ```
#[derive(Debug)]
pub struct Piece<O> {
    pub(crate) start: NonNull<u8>,
    pub(crate) len: usize,
    pub(crate) init: bool,
    pub(crate) rung: Option<Rung>,
    pub(crate) grain: Grain,
    /// A child process made by `fork` has it, too. Always so, but for this crate's own pieces on reserved huge pages:
    /// what stands before slabs, a pool for one, knows of no others.
    pub(crate) forks: bool,
    pub(crate) owner: O,
}

impl<O> Piece<O> {
    /// A piece of `bytes` bytes from `start` on, and what gives it back. Unless said otherwise its bytes are not
    /// initialised, it stands on no rung, and nothing goes back of it but the whole.
    #[must_use]
    pub const fn new(start: NonNull<u8>, bytes: usize, owner: O) -> Self {
        Piece {
            start,
            len: bytes,
            init: false,
            rung: None,
            grain: Grain::Whole,
            forks: true,
            owner,
        }
    }

    /// Says whether all of it is initialised, whatever the values.
    #[must_use]
    pub fn with_init(self, init: bool) -> Self {
        Piece { init, ..self }
    }

    /// Says what pages it stands on, where the source mapped it.
    #[must_use]
    pub fn with_rung(self, rung: Rung) -> Self {
        let rung = Some(rung);
        Piece { rung, ..self }
    }

    /// Says what of it can be purged.
    #[must_use]
    pub fn with_grain(self, grain: Grain) -> Self {
        Piece { grain, ..self }
    }

    /// Its first byte.
    pub const fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// Its length in bytes.
    pub const fn bytes(&self) -> usize {
        self.len
    }

    /// Whether all of it is initialised.
    pub const fn is_init(&self) -> bool {
        self.init
    }

    /// The pages it stands on; `None` of memory that the source did not map itself.
    pub const fn rung(&self) -> Option<Rung> {
        self.rung
    }

    /// What of it can be purged.
    pub const fn grain(&self) -> Grain {
        self.grain
    }

    /// What gives it back.
    pub const fn owner(&self) -> &O {
        &self.owner
    }

    /// What gives it back, by value.
    pub fn into_owner(self) -> O {
        self.owner
    }

    /// The same memory, held by another value.
    #[cfg(any(feature = "mmap", feature = "hugepage"))]
    pub(crate) fn map_owner<P>(self, map: impl FnOnce(O) -> P) -> Piece<P> {
        Piece {
            start: self.start,
            len: self.len,
            init: self.init,
            rung: self.rung,
            grain: self.grain,
            forks: self.forks,
            owner: map(self.owner),
        }
    }
}

// SAFETY: `start` is an address. Who reads or writes there must have had the piece from its source, which promises
// that nobody else uses the memory and that it takes it back on any thread; what is not an address is `Send` by itself.
unsafe impl<O: Send> Send for Piece<O> {}

/// Gives the pieces of memory that [`Slabs`](crate::Slabs) cuts blocks from.
///
/// # Safety
///
/// An implementation promises:
/// - **Size.** [`PIECE`](Self::PIECE) is a multiple of 64 KiB, and at most 2 MiB. `take(len)` gives at least `len`
///   bytes (at most `isize::MAX`), and exactly `len` where `len` is `PIECE`. A `len` of 0 is refused.
/// - **Aligned.** A piece of the length `PIECE` starts at a multiple of the system's page size, and of 4096.
/// - **Forks.** Every piece is inherited by child processes.
/// - **Exclusive.** A piece overlaps no other memory in use, and stays readable and writable until it is given back.
///   Touching it raises no signal.
/// - **Initialised.** If `init` says so, all bytes are.
/// - **Purged memory** stays part of its piece; its bytes are unspecified, and those that were initialised still are.
/// - **No method panics** or aborts, or calls the allocator that it serves.
///
/// ```
/// use std::{alloc::Layout, ptr::NonNull};
/// use linkbuf_alloc::{Grain, PageSource, Piece, Slabs};
/// use linkbuf_core::{AllocError, LinkBuffer};
///
/// /// Pieces of the heap that are never purged.
/// struct Leave;
///
/// // SAFETY: pieces are allocations of the heap, aligned to the system's pages, which are of 64 KiB at most.
/// unsafe impl PageSource for Leave {
///     type Owner = Layout;
///     const PIECE: usize = 1 << 20;
///     fn take(&self, len: usize) -> Result<Piece<Layout>, AllocError> {
///         let refused = AllocError { size: len };
///         let layout = Layout::from_size_align(len, 1 << 16).ok().filter(|_| len > 0);
///         let layout = layout.ok_or(refused)?;
///         // SAFETY: the layout's size is not 0.
///         let start = NonNull::new(unsafe { std::alloc::alloc(layout) }).ok_or(refused)?;
///         Ok(Piece::new(start, len, layout).with_grain(Grain::Whole))
///     }
///     unsafe fn give_back(&self, piece: Piece<Layout>) {
///         // SAFETY: `take` got the piece with this layout.
///         unsafe { std::alloc::dealloc(piece.start().as_ptr(), piece.into_owner()) }
///     }
///     unsafe fn purge(&self, _: NonNull<u8>, _: usize) -> bool {
///         false
///     }
/// }
///
/// let slabs = Slabs::new_in(Leave);
/// let mut buf = LinkBuffer::new_in(slabs.clone());
/// buf.write_string("hello")?;
/// assert_eq!(slabs.report().totals.mapped_bytes, 1 << 20);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
pub unsafe trait PageSource: Send + Sync + 'static {
    /// What it takes to give a piece back.
    type Owner: Send;

    /// Bytes of an ordinary piece. Larger ones are asked for when a single block is larger.
    const PIECE: usize;

    /// How many empty pieces a slab keeps until it is trimmed.
    const SPARES: usize = 1;

    /// Payload bytes of an ordinary node over this memory: a block's length, 4096 or more.
    const NODE: usize = 4096;

    /// Gives a piece of at least `len` bytes. Slabs ask for multiples of 4096, and never for nothing.
    ///
    /// # Errors
    /// [`AllocError`] when there is no memory for it, and where `len` is 0.
    fn take(&self, len: usize) -> Result<Piece<Self::Owner>, AllocError>;

    /// Takes a piece back.
    ///
    /// # Safety
    /// This source gave the piece, `start`, `len` and `owner` are what was given, and nobody uses the memory any more.
    unsafe fn give_back(&self, piece: Piece<Self::Owner>);

    /// Gives the memory behind a range back to the system; the addresses stay, and memory comes anew when they are
    /// touched. False if that can't be done, and then nothing has changed.
    ///
    /// # Safety
    /// The range lies in one piece of this source, of [`Grain::Page`] or split, both its ends are multiples of
    /// [`system_page`], and nobody uses it.
    unsafe fn purge(&self, start: NonNull<u8>, len: usize) -> bool;

    /// Makes a piece that stands on large pages stand on ordinary ones, so that parts of it can be purged. False if
    /// that can't be done.
    ///
    /// # Safety
    /// This source gave the piece with this start and length, and it is of [`Grain::Splits`].
    unsafe fn split(&self, start: NonNull<u8>, len: usize) -> bool {
        let _ = (start, len);
        false
    }

    /// Its failures by rung: how often each was asked for in vain, and the last error.
    fn failures(&self) -> [RungFigures; 3] {
        Default::default()
    }

    /// Changes when this process lost the pieces that do not [`fork`](Piece::forks), having been made by a fork.
    #[doc(hidden)]
    fn losses(&self) -> usize {
        0
    }
}

/// Bytes of the system's ordinary pages: 4096 on most machines.
#[must_use]
pub fn system_page() -> usize {
    #[cfg(all(unix, not(miri)))]
    {
        rustix::param::page_size()
    }
    #[cfg(any(not(unix), miri))]
    {
        PAGE
    }
}

/// Gives the memory behind whole system pages back. False if the system can't.
///
/// # Safety
/// The range is memory of one live allocation or private mapping, on ordinary pages, both ends are multiples of
/// [`system_page`], and nobody uses it.
pub(crate) unsafe fn purge(start: NonNull<u8>, len: usize) -> bool {
    debug_assert!(start.addr().get().is_multiple_of(system_page()));
    debug_assert!(len.is_multiple_of(system_page()));
    #[cfg(all(unix, not(miri)))]
    {
        use rustix::mm::{Advice, madvise};
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let advice = Advice::LinuxDontNeed;
        // Elsewhere the advice keeps the contents, and frees them at the system's leisure.
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let advice = Advice::DontNeed;
        // SAFETY: nobody uses the range, so it is no matter that its bytes become others (zeros, which are initialised).
        unsafe { madvise(start.as_ptr().cast(), len, advice) }.is_ok()
    }
    #[cfg(any(not(unix), miri))]
    {
        let _ = (start, len);
        false
    }
}
