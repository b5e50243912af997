//! Pieces on huge pages: reserved ones, else transparent ones, else ordinary ones.
#![expect(unsafe_code, reason = "implements an unsafe trait")]

#[cfg(target_os = "linux")]
pub(crate) mod fork;
#[cfg(target_os = "linux")]
mod linux;

use std::{
    io,
    ptr::NonNull,
    sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering},
};

use linkbuf_core::AllocError;

#[cfg(not(target_os = "linux"))]
use self::elsewhere as linux;
#[cfg(all(feature = "pooled", target_os = "linux"))]
pub(super) use self::fork::forks;
#[cfg(target_os = "linux")]
pub use self::linux::Owner;
use super::mapping;
use crate::{
    Rung, RungFigures, clock,
    slab::{Slabs, process_wide},
    source::{self, PageSource, Piece},
};

/// Bytes of a huge page.
const HUGE: usize = 2 << 20;

/// Milliseconds for which a rung that failed is passed over, where there is a lower one: at first, and at most. Each
/// failure that follows another doubles them.
const REST: u32 = 10;
const LONGEST_REST: u32 = 1280;

/// The ladder, from the top down.
const LADDER: [Rung; 3] = [Rung::HugeTlb, Rung::Transparent, Rung::Plain];

/// Pieces of 2 MiB on the highest rung that is to be had, of those that are allowed.
///
/// | rung | how | what goes back |
/// |---|---|---|
/// | [`HugeTlb`](Rung::HugeTlb) | reserved pages (`vm.nr_hugepages`), populated before a piece is handed out | whole pieces |
/// | [`Transparent`](Rung::Transparent) | a mapping aligned to 2 MiB, with `MADV_HUGEPAGE` | whole pieces; one that is half free or more is split by `trim` and `decay`, is [`Plain`](Rung::Plain) from then on, and gives its free pages back |
/// | [`Plain`](Rung::Plain) | an ordinary mapping | each free page, by `trim` and `decay` |
///
/// A rung that is not to be had is left for the next one, and the failure is counted with the system's error number. It
/// is asked again after 10 ms, and twice as long after each further failure, up to 1.28 s: pages that are reserved
/// later are found then. Every piece says which rung it stands on ([`Slabs::report`]).
///
/// **A block that survives on a reserved page holds 2 MiB.** Where few blocks of many live on, `forbid` that rung.
///
/// **No `SIGBUS`.** The kernel raises it when it has no reserved page for a touched address. So a piece on reserved
/// pages is populated with `MADV_POPULATE_WRITE` (Linux 5.14), which reports an error where a touch would raise the
/// signal; without it, the rung is not to be had. Pages that are populated stay, also if the administrator lowers
/// the number of reserved ones. And copying such a page after a `fork` could find none, so a child does not inherit
/// these pieces (`MADV_DONTFORK`): their addresses are reserved in it without access, it cuts no block from them, and
/// can drop buffers that lie in them but not read or write these (that is a `SIGSEGV`). A program that goes on with
/// inherited buffers in a child had better forbid the rung. A child that is made behind the back of the C library, by
/// the bare system call, must not use inherited buffers or allocators at all: another mapping may stand there.
///
/// **What maps them.** Reserved pages come through `hugepage-rs` where its interface serves: when the system's default
/// huge page is one of 2 MiB, because it knows no other, and when it could read that size, which is tried once, where
/// a panic of its own can be caught. Otherwise they come through `memmap2`, which can name the size. The other rungs
/// are `memmap2`'s; `hugepage-rs` has no interface for them. Reading that size takes memory from the heap for a moment.
/// Where there is none the answer is left for later; only if another thread takes the last of it at that very moment
/// can `hugepage-rs` end the process. [`HugePage::new`] and the builder try it beforehand; of the process-wide one, the
/// first piece does.
///
/// On other systems than Linux, only the plain rung is to be had.
///
/// ```
/// use linkbuf_alloc::{HugePages, PageSource};
///
/// let ladder = HugePages::new();
/// let piece = ladder.take(HugePages::PIECE)?;
/// assert!(piece.rung().is_some());
/// // SAFETY: given just now, and not used.
/// unsafe { ladder.give_back(piece) };
/// # Ok::<(), linkbuf_core::AllocError>(())
/// ```
#[derive(Debug)]
pub struct HugePages {
    /// A bit for each rung.
    allowed: u8,
    failed: [Failed; 3],
}

#[derive(Debug)]
struct Failed {
    times: AtomicU64,
    /// 0: none yet.
    last: AtomicI32,
    /// Milliseconds from the last failure until the rung is asked again; 0 while it gives.
    rest: AtomicU32,
    /// When that was.
    since: AtomicU64,
}

// Relaxed everywhere: they are figures and times, which hand nothing on. Of two threads that meet here, one may ask a
// rung once more than it need, or once less.
impl Failed {
    const fn never() -> Self {
        Failed {
            times: AtomicU64::new(0),
            last: AtomicI32::new(0),
            rest: AtomicU32::new(0),
            since: AtomicU64::new(0),
        }
    }

    /// After a failure the rung is left alone for a while: what is not there now is seldom there a moment later, and to
    /// be refused costs a few microseconds.
    fn rests(&self, now: impl FnOnce() -> u64) -> bool {
        let rest = self.rest.load(Ordering::Relaxed);
        rest != 0 && now().saturating_sub(self.since.load(Ordering::Relaxed)) < u64::from(rest)
    }

    fn note(&self, number: i32) {
        self.times.fetch_add(1, Ordering::Relaxed);
        self.last.store(number, Ordering::Relaxed);
    }

    fn rest(&self, now: u64) {
        self.since.store(now, Ordering::Relaxed);
        let rest = self.rest.load(Ordering::Relaxed).saturating_mul(2);
        let rest = rest.clamp(REST, LONGEST_REST);
        self.rest.store(rest, Ordering::Relaxed);
    }

    fn gave(&self) {
        if self.rest.load(Ordering::Relaxed) != 0 {
            self.rest.store(0, Ordering::Relaxed);
        }
    }
}

impl HugePages {
    /// The whole ladder.
    #[must_use]
    pub const fn new() -> Self {
        HugePages::with(0b111)
    }

    const fn with(allowed: u8) -> Self {
        HugePages {
            allowed,
            failed: [const { Failed::never() }; 3],
        }
    }

    fn allows(&self, rung: Rung) -> bool {
        self.allowed >> rung as u8 & 1 == 1
    }

    /// A piece on one rung.
    fn take_on(&self, rung: Rung, len: usize) -> io::Result<Piece<Owner>> {
        match rung {
            // Without another rung below, a block that fills its last page badly must do.
            Rung::HugeTlb => linux::hugetlb(len, self.allowed == 1 << Rung::HugeTlb as u8),
            Rung::Transparent => linux::transparent(len),
            Rung::Plain => Ok(mapping::plain(len)?.map_owner(Owner::of_map)),
        }
    }

    /// A piece on the highest rung that has one, or the last error.
    fn climb(&self, len: usize) -> io::Result<Piece<Owner>> {
        let mut last = io::ErrorKind::InvalidInput.into();
        for (rung, failed) in LADDER.into_iter().zip(&self.failed) {
            let lower = self.allowed >> rung as u8 > 1;
            if !self.allows(rung) || (lower && failed.rests(clock::milliseconds)) {
                continue;
            }
            match self.take_on(rung, len) {
                Ok(piece) => {
                    failed.gave();
                    return Ok(piece);
                }
                Err(error) => {
                    // What this code refuses, such as a block that would waste much of a page, is no failure of the
                    // rung; and where there is nothing for a large block, there may be something for an ordinary piece.
                    if let Some(number) = error.raw_os_error() {
                        failed.note(number);
                        if len <= HUGE {
                            failed.rest(clock::milliseconds());
                        }
                    }
                    last = error;
                }
            }
        }
        Err(last)
    }
}

impl Default for HugePages {
    fn default() -> Self {
        HugePages::new()
    }
}

// SAFETY: a piece is a private mapping of its own or a window in one, at least as long as was asked for (none is of no
// bytes), exactly so for `PIECE`, which is a huge page; readable and writable and zero. It starts at a page, and is
// unmapped when it comes back and not before. On reserved pages it is populated before it is handed out, so that touching
// it raises no signal; only these do not fork, and they say so, which the trait leaves to this crate. Purged ranges are
// the caller's to purge, and zero afterwards. What can't be had is an error; the type's doc names the one exception.
unsafe impl PageSource for HugePages {
    type Owner = Owner;

    const PIECE: usize = HUGE;

    const NODE: usize = 8192;

    fn take(&self, len: usize) -> Result<Piece<Owner>, AllocError> {
        self.climb(len).map_err(|_| AllocError { size: len })
    }

    unsafe fn give_back(&self, piece: Piece<Owner>) {
        // SAFETY: the caller's promise.
        unsafe { linux::give_back(piece) }
    }

    unsafe fn purge(&self, start: NonNull<u8>, len: usize) -> bool {
        // SAFETY: the caller's promise; the piece is a private mapping, on ordinary pages or split.
        unsafe { source::purge(start, len) }
    }

    unsafe fn split(&self, start: NonNull<u8>, len: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { linux::split(start, len) }
    }

    fn failures(&self) -> [RungFigures; 3] {
        self.failed.each_ref().map(|failed| {
            let last = failed.last.load(Ordering::Relaxed);
            RungFigures {
                failures: failed.times.load(Ordering::Relaxed),
                last_error: (last != 0).then_some(last),
                ..RungFigures::default()
            }
        })
    }

    #[inline]
    fn losses(&self) -> usize {
        linux::losses()
    }
}

/// Blocks cut from huge pages, as far as there are any.
///
/// `HugePage::default()` is a handle of the one that the process has, with the whole [ladder](HugePages);
/// [`builder`](Self::builder) makes one of its own. The memory is beside the program's heap, so heap profilers don't
/// see it, and reserved pages don't count as resident; [`report`](Slabs::report) counts both. An idle buffer keeps at
/// most 16 KiB: a node of 8 KiB, its header, and a few small things.
///
/// ```
/// use linkbuf_alloc::{HugePage, Rung};
/// use linkbuf_core::LinkBuffer;
///
/// let huge = HugePage::builder().forbid(Rung::HugeTlb).build()?;
/// let mut buf = LinkBuffer::new_in(huge.clone());
/// buf.write_string("hello")?;
/// let [_, transparent, plain] = huge.report().rungs;
/// assert_eq!(transparent.pieces + plain.pieces, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type HugePage = Slabs<HugePages>;

impl HugePage {
    /// An allocator of its own, with the whole ladder.
    #[must_use]
    pub fn new() -> Self {
        linux::prepare();
        Slabs::new_in(HugePages::new())
    }

    /// To make one that stands on certain rungs.
    pub const fn builder() -> HugePageBuilder {
        HugePageBuilder {
            allowed: 0b111,
            required: false,
        }
    }
}

process_wide!(HugePage, HugePages, HugePages::new());

/// Chooses the rungs of a [`HugePage`]. All are allowed at first.
///
/// ```
/// use linkbuf_alloc::{HugePage, Rung};
///
/// // Either it is there, or the program says so when it starts.
/// match HugePage::builder().require(Rung::HugeTlb).build() {
///     Ok(huge) => assert_eq!(huge.report().rungs[0].failures, 0),
///     Err(error) => println!("no reserved pages: {error}"),
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct HugePageBuilder {
    allowed: u8,
    required: bool,
}

impl HugePageBuilder {
    /// Every piece stands on this rung, or there is none: the others are forbidden.
    pub const fn require(mut self, rung: Rung) -> Self {
        self.allowed &= 1 << rung as u8;
        self.required = true;
        self
    }

    /// No piece stands on this rung.
    pub const fn forbid(mut self, rung: Rung) -> Self {
        self.allowed &= !(1 << rung as u8);
        self
    }

    /// The allocator. If a rung is required, a piece on it is taken to see that it is to be had, and given back.
    ///
    /// # Errors
    /// The system's error if the required rung is not to be had; `InvalidInput` if no rung is left.
    pub fn build(self) -> io::Result<HugePage> {
        let source = HugePages::with(self.allowed);
        if source.allows(Rung::HugeTlb) {
            linux::prepare();
        }
        if self.allowed == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no rung is allowed",
            ));
        }
        if self.required {
            let piece = source.climb(HUGE)?;
            // SAFETY: the source gave it just now.
            unsafe { source.give_back(piece) };
        }
        Ok(Slabs::new_in(source))
    }
}

/// What keeps a piece, off Linux: a mapping.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub struct Owner(memmap2::MmapRaw);

#[cfg(not(target_os = "linux"))]
impl Owner {
    fn of_map(map: memmap2::MmapRaw) -> Self {
        Owner(map)
    }
}

/// Systems without huge pages.
#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::*;

    pub(super) fn hugetlb(_: usize, _: bool) -> io::Result<Piece<Owner>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn transparent(_: usize) -> io::Result<Piece<Owner>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn prepare() {}

    pub(super) unsafe fn give_back(piece: Piece<Owner>) {
        drop(piece.owner.0);
    }

    pub(super) unsafe fn split(_: NonNull<u8>, _: usize) -> bool {
        false
    }

    pub(super) fn losses() -> usize {
        0
    }
}

#[cfg(all(test, target_os = "linux", not(miri)))]
mod tests;
