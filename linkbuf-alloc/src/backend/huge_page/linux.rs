//! The upper rungs on Linux.
#![expect(
    unsafe_code,
    reason = "maps reserved pages, and advises the kernel by address"
)]

use std::{
    alloc::Layout,
    fs::File,
    io::{self, Read},
    panic,
    ptr::NonNull,
    sync::atomic::{AtomicU8, Ordering::Relaxed},
};

use memmap2::{Advice, MmapOptions, MmapRaw};
use rustix::mm::{Advice as RawAdvice, madvise};

use super::{super::mapping, HUGE, fork};
use crate::{
    Rung,
    source::{Grain, PAGE, Piece, system_page},
};

/// What keeps a piece.
///
/// ```
/// use linkbuf_alloc::{HugeOwner, HugePages, PageSource};
///
/// fn owner_of<S: PageSource<Owner = HugeOwner>>(_: S) {}
/// owner_of(HugePages::new());
/// ```
#[derive(Debug)]
pub struct Owner(Kept);

#[derive(Debug)]
enum Kept {
    /// A mapping, of which the piece is all or a part.
    Map(MmapRaw),
    /// Memory of `hugepage-rs`, with the layout that it was asked for.
    HugeTlb(Layout),
}

impl Owner {
    pub(super) fn of_map(map: MmapRaw) -> Self {
        Owner(Kept::Map(map))
    }
}

/// Of a block that does not fill its last reserved page, this part may be wasted.
const WASTE: usize = 8;

/// A piece on reserved pages, populated. With `wasteful`, also for a block that leaves much of the last one unused.
pub(super) fn hugetlb(len: usize, wasteful: bool) -> io::Result<Piece<Owner>> {
    let whole = len
        .checked_next_multiple_of(HUGE)
        .filter(|whole| *whole > 0 && isize::try_from(*whole).is_ok())
        .ok_or(io::ErrorKind::OutOfMemory)?;
    if !wasteful && whole - len > whole / WASTE {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let (owner, start) = map_reserved(whole)?;
    let mut piece = Piece::new(start, whole, owner)
        .with_init(true)
        .with_rung(Rung::HugeTlb)
        .with_grain(Grain::Whole);
    piece.forks = false;
    // The order matters: no page is there before the piece is kept from children, so none is ever shared with one.
    let settled = fork::keep_from_children(start, whole)
        .and_then(|()| advise(&piece, RawAdvice::LinuxDontFork))
        .and_then(|()| advise(&piece, RawAdvice::LinuxPopulateWrite));
    match settled {
        Ok(()) => Ok(piece),
        Err(error) => {
            // SAFETY: the piece was made above, and nobody has seen it.
            unsafe { give_back(piece) };
            Err(error)
        }
    }
}

fn advise(piece: &Piece<Owner>, advice: RawAdvice) -> io::Result<()> {
    // SAFETY: the piece is ours, and neither advice changes its bytes: nobody has written any.
    unsafe { madvise(piece.start.as_ptr().cast(), piece.len, advice) }.map_err(io::Error::from)
}

/// Reserved pages, not yet populated. `len` is a multiple of their size.
fn map_reserved(len: usize) -> io::Result<(Owner, NonNull<u8>)> {
    if hugepage_rs_serves() == Some(true) {
        let layout = Layout::from_size_align(len, HUGE).map_err(|_| io::ErrorKind::OutOfMemory)?;
        // SAFETY: the layout's size is not 0.
        let start = unsafe { hugepage_rs::alloc(layout) };
        // Nothing came between the failed mapping and this.
        let start = NonNull::new(start).ok_or_else(io::Error::last_os_error)?;
        return Ok((Owner(Kept::HugeTlb(layout)), start));
    }
    // A length that is no multiple would leak when it is dropped.
    debug_assert!(len.is_multiple_of(HUGE));
    let bits = HUGE.trailing_zeros() as u8;
    let map = MmapOptions::new().len(len).huge(Some(bits)).map_anon()?;
    let (map, start) = mapping::raw(map)?;
    Ok((Owner::of_map(map), start))
}

/// Whether `hugepage-rs` maps pages of 2 MiB.
///
/// It maps those of the system's default size, which it reads once, and panics for ever if it can't. So the size is
/// read here before, and then it is made to read it, where its panic would be caught.
///
/// Its reading takes memory from the heap, and so would its panic, which would then end the process: it is left for
/// later where the heap has less than it takes. `None`: not known yet.
fn hugepage_rs_serves() -> Option<bool> {
    static SERVES: Answer = Answer::new();
    SERVES.get(|| {
        // The text is some 1,600 bytes, in a string that grows, and is of ASCII.
        let mut room = Vec::<u8>::new();
        room.try_reserve_exact(64 << 10).ok()?;
        drop(room);
        let size = default_size().ok()?;
        let reads = || {
            panic::catch_unwind(|| {
                // SAFETY: the layout's size is not 0.
                let probe = unsafe { hugepage_rs::alloc(Layout::new::<u8>()) };
                if !probe.is_null() {
                    // SAFETY: given just now for this layout.
                    unsafe { hugepage_rs::dealloc(probe, Layout::new::<u8>()) };
                }
            })
        };
        Some(size == HUGE && reads().is_ok())
    })
}

/// Finds out beforehand what the first piece would have to.
pub(super) fn prepare() {
    hugepage_rs_serves();
    transparent_enabled();
}

/// An answer that is looked for until it is known, by one thread at a time: to the others it is not known meanwhile, nor
/// to a child whose parent was looking. So there is no lock that it could find taken, this one's or `hugepage-rs`'s.
struct Answer(AtomicU8);

impl Answer {
    const UNKNOWN: u8 = 0;
    const NO: u8 = 1;
    const YES: u8 = 2;
    const SOUGHT: u8 = 3;

    const fn new() -> Self {
        Answer(AtomicU8::new(Self::UNKNOWN))
    }

    fn get(&self, find: impl FnOnce() -> Option<bool>) -> Option<bool> {
        // Relaxed: the answer is all there is.
        let sought = self
            .0
            .compare_exchange(Self::UNKNOWN, Self::SOUGHT, Relaxed, Relaxed);
        match sought {
            Ok(_) => {
                let found = find();
                let state = match found {
                    None => Self::UNKNOWN,
                    Some(false) => Self::NO,
                    Some(true) => Self::YES,
                };
                self.0.store(state, Relaxed);
                found
            }
            Err(Self::SOUGHT) => None,
            Err(known) => Some(known == Self::YES),
        }
    }
}

/// Bytes of the system's default huge page. Allocates nothing.
fn default_size() -> io::Result<usize> {
    let mut buf = [0; 8192];
    let text = read("/proc/meminfo", &mut buf)?;
    text.lines()
        .find_map(|line| line.strip_prefix("Hugepagesize:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|kib| kib.trim().parse::<usize>().ok())
        .and_then(|kib| kib.checked_mul(1024))
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The start of a small text file.
fn read<'a>(path: &str, buf: &'a mut [u8]) -> io::Result<&'a str> {
    let mut file = File::open(path)?;
    let mut len = 0;
    while let Some(rest) = buf.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            n => len += n,
        }
    }
    let read = buf.get(..len).unwrap_or_default();
    std::str::from_utf8(read).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// A piece aligned to huge pages, for which the kernel was asked for transparent ones.
pub(super) fn transparent(len: usize) -> io::Result<Piece<Owner>> {
    if !transparent_enabled() {
        return Err(rustix::io::Errno::OPNOTSUPP.into());
    }
    let (map, start) = aligned(len)?;
    let skip = start.addr().get() - map.as_mut_ptr().addr();
    map.advise_range(Advice::HugePage, skip, len)?;
    Ok(Piece::new(start, len, Owner::of_map(map))
        .with_init(true)
        .with_rung(Rung::Transparent)
        .with_grain(Grain::Splits))
}

/// Whether the administrator allows transparent huge pages; read once. Where that can't be read, they are tried.
fn transparent_enabled() -> bool {
    static ENABLED: Answer = Answer::new();
    let enabled = ENABLED.get(|| {
        let mut buf = [0; 128];
        let text = read("/sys/kernel/mm/transparent_hugepage/enabled", &mut buf);
        Some(!text.is_ok_and(|text| text.contains("[never]")))
    });
    enabled != Some(false)
}

/// A mapping with a window of `len` bytes that starts at a multiple of the huge page.
fn aligned(len: usize) -> io::Result<(MmapRaw, NonNull<u8>)> {
    // Linux 6.7 and later align mappings of this size by themselves.
    let (map, start) = mapping::anonymous(len)?;
    if start.addr().get().is_multiple_of(HUGE) {
        return Ok((map, start));
    }
    drop(map);
    let more = len
        .checked_add(HUGE - PAGE)
        .ok_or(io::ErrorKind::OutOfMemory)?;
    let (map, start) = mapping::anonymous(more)?;
    let skip = start.addr().get().next_multiple_of(HUGE) - start.addr().get();
    Ok((map, start.map_addr(|address| address.saturating_add(skip))))
}

/// # Safety
/// As of `PageSource::give_back`.
pub(super) unsafe fn give_back(piece: Piece<Owner>) {
    if !piece.forks {
        fork::forget(piece.start);
    }
    match piece.owner.0 {
        Kept::Map(map) => drop(map),
        Kept::HugeTlb(layout) => {
            // SAFETY: `map_reserved` got it for this layout, and the caller says that nobody uses it.
            unsafe { hugepage_rs::dealloc(piece.start.as_ptr(), layout) }
        }
    }
}

/// # Safety
/// As of `PageSource::split`.
pub(super) unsafe fn split(start: NonNull<u8>, len: usize) -> bool {
    // Else the kernel would join what is about to be purged in parts, and bring it all back.
    // SAFETY: the range is a piece of ours, whose bytes this does not change.
    let apart = unsafe { madvise(start.as_ptr().cast(), len, RawAdvice::LinuxNoHugepage) };
    // Purging parts of a huge page only unmaps them; the memory stays with the page until the kernel breaks it up,
    // which it does under pressure, or to call a part of it cold.
    // SAFETY: as above.
    let _ = unsafe { madvise(start.as_ptr().cast(), system_page(), RawAdvice::LinuxCold) };
    apart.is_ok()
}

#[inline]
pub(super) fn losses() -> usize {
    fork::forks()
}
