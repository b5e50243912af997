//! Blocks from mimalloc, whichever allocator the program itself uses.
#![expect(unsafe_code, reason = "calls mimalloc")]

mod counters;

use std::{
    ffi::c_int,
    io::Read,
    ptr::NonNull,
    sync::atomic::{AtomicU64, Ordering},
};

use libmimalloc_sys as mi;
use linkbuf_core::{AllocError, AllocFigures, NodeAllocator, RawBlock};

use crate::clock;

/// Blocks from mimalloc's process-wide heap, as a handle of no size.
///
/// They are asked for by `mi_malloc`, which wastes nothing on the sizes of pages; the aligned call that a global
/// allocator goes through gives 10 KiB for 8. An ordinary node is 3072 bytes, which is a size of mimalloc's own: with
/// its headers it stays within 4 KiB.
///
/// **What comes back, and when.** mimalloc gives nothing back while a program is silent: 1 GiB that was freed stays
/// resident until somebody calls [`trim`](NodeAllocator::trim) or [`decay`](NodeAllocator::decay). Either takes about
/// 4 ms for it, works from any thread, and also reaches what other threads took or freed; what it does not reach is a
/// handful of partly used 64 KiB regions that each thread keeps for each size it allocates. As mimalloc knows one pool
/// of memory, both also give back what the rest of the program freed, if that uses mimalloc too. With
/// [`low_retention`](Self::low_retention) memory goes back as soon as it is freed.
///
/// **Figures.** Live blocks and bytes are counted, thread by thread, for about a nanosecond each way. mimalloc does not
/// tell what it holds, so the other figures are 0.
///
/// **Forks.** mimalloc has locks of its own, and a child of a program with several threads may find one taken.
///
/// **Sizes.** mimalloc reserves addresses first and memory when it is touched, and gives 64 TiB if asked. A request
/// beyond what the machine has of memory and swap together is refused here (on Linux).
///
/// ```
/// use linkbuf_alloc::Mimalloc;
/// use linkbuf_core::{LinkBuffer, NodeAllocator};
///
/// let mut buf = LinkBuffer::new_in(Mimalloc);
/// buf.write_string("hello")?;
/// assert_eq!(buf.memory().live, 3072);
/// drop(buf);
/// Mimalloc.trim();
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Mimalloc;

/// Requests from here on are compared with what the machine has.
const LARGE: usize = 1 << 30;
/// Calls of `decay` within this time of the last do nothing.
const DECAY_EVERY_MS: u64 = 500;

/// How long freed regions wait before they are given back. The number is the same in mimalloc 2 and 3.
const PURGE_DELAY: mi::mi_option_t = 15;
/// How many full regions a thread keeps to itself, of each size. mimalloc 3 only.
const PAGE_FULL_RETAIN: mi::mi_option_t = 37;
/// From this on it is mimalloc 3. (Its feature `v2`, which any crate of a program may set, chooses the other.)
const VERSION_3: c_int = 30_000;

impl Mimalloc {
    /// The least that mimalloc can be made to keep: regions that empty go back to the system at once, also in a silent
    /// program without a trimmer, and no thread keeps full regions to itself.
    ///
    /// The price is a system call per emptied region (64 KiB and more). A block that is taken and given back costs what
    /// it did, as its region stays; 64 that are taken and given back in turn cost 1.5 to 2 µs each, and not 0.1. Put a
    /// pool in front, or call it where connections are many and mostly idle.
    ///
    /// The settings are the process's and hold for all its use of mimalloc. `MIMALLOC_PURGE_DELAY=0` in the
    /// environment does nearly the same.
    ///
    /// # Safety
    /// No other thread calls into mimalloc meanwhile: it keeps its settings in plain variables. The start of `main`
    /// is the place for it.
    ///
    /// ```
    /// use linkbuf_alloc::Mimalloc;
    /// use linkbuf_core::LinkBuffer;
    ///
    /// // SAFETY: the program's only thread.
    /// let alloc = unsafe { Mimalloc::low_retention() };
    /// let buf = LinkBuffer::new_in(alloc);
    /// # drop(buf);
    /// ```
    pub unsafe fn low_retention() -> Mimalloc {
        // What is waiting to be given back would wait for ever once the delay is 0.
        collect();
        // SAFETY: sets a number; the caller keeps other threads away.
        unsafe { mi::mi_option_set(PURGE_DELAY, 0) };
        // SAFETY: has no conditions.
        if unsafe { mi::mi_version() } >= VERSION_3 {
            // SAFETY: as above.
            unsafe { mi::mi_option_set(PAGE_FULL_RETAIN, 0) };
        }
        Mimalloc
    }
}

// SAFETY: a block is one allocation of mimalloc, whose contract is malloc's: exclusive, stays where it is, freed once,
// from any thread. It is as long as was asked for, which is less than `isize::MAX`: beyond what the machine has, or at
// least from there on, a request is refused. `init` is 0. Nothing here allocates otherwise or panics. The handle has no
// size.
unsafe impl NodeAllocator for Mimalloc {
    #[inline]
    fn allocate(&self, min: usize) -> Result<RawBlock, AllocError> {
        let refused = AllocError { size: min };
        if min >= LARGE && min > honourable() {
            return Err(refused);
        }
        // SAFETY: has no conditions.
        let ptr = unsafe { mi::mi_malloc(min) };
        let ptr = NonNull::new(ptr.cast::<u8>()).ok_or(refused)?;
        counters::taken(min);
        Ok(RawBlock {
            ptr,
            len: min,
            init: 0,
        })
    }

    #[inline]
    unsafe fn deallocate(&self, block: RawBlock) {
        counters::given_back(block.len);
        // SAFETY: `mi_malloc` gave this pointer, and the caller gives it up.
        unsafe { mi::mi_free(block.ptr.as_ptr().cast()) }
    }

    #[inline]
    fn good_size(&self, min: usize) -> usize {
        // SAFETY: has no conditions.
        unsafe { mi::mi_good_size(min) }.max(min)
    }

    /// Collects, and returns by how much the process's resident memory shrank meanwhile (0 off Linux, where it is not
    /// looked at). Other threads make that figure what it is, a little more or less.
    fn trim(&self) -> usize {
        let before = resident();
        collect();
        before.saturating_sub(resident())
    }

    /// As [`trim`](NodeAllocator::trim), at most twice a second: mimalloc does not tell how long a region has been
    /// free, so all that is free goes.
    fn decay(&self) -> usize {
        /// Milliseconds at which the last call did something, plus 1.
        static LAST: AtomicU64 = AtomicU64::new(0);
        let now = clock::milliseconds();
        // `Relaxed`, and again below: it only decides who collects, and hands no data on.
        let last = LAST.load(Ordering::Relaxed);
        if last != 0 && now < last + DECAY_EVERY_MS {
            return 0;
        }
        let mine = LAST.compare_exchange(last, now + 1, Ordering::Relaxed, Ordering::Relaxed);
        if mine.is_err() {
            return 0;
        }
        self.trim()
    }

    fn figures(&self) -> Option<AllocFigures> {
        Some(counters::sum())
    }
}

/// Gives back all that is free, of this thread and of the regions that no thread owns: in mimalloc 3 that is all that
/// were full once, whoever freed their blocks.
fn collect() {
    // A thread that has not allocated has no heap in mimalloc's eyes, and its collection would do nothing.
    // SAFETY: has no conditions.
    let first = unsafe { mi::mi_malloc(1) };
    // SAFETY: just given, or null, which is allowed.
    unsafe { mi::mi_free(first) };
    // SAFETY: has no conditions.
    unsafe { mi::mi_collect(true) };
}

/// The most that one request may ask for.
#[cfg(target_os = "linux")]
fn honourable() -> usize {
    let machine = rustix::system::sysinfo();
    let units = machine.totalram.saturating_add(machine.totalswap);
    let unit = usize::try_from(machine.mem_unit).unwrap_or(1);
    usize::try_from(units).map_or(usize::MAX, |units| units.saturating_mul(unit))
}

/// The most that one request may ask for.
#[cfg(not(target_os = "linux"))]
fn honourable() -> usize {
    isize::MAX as usize - 1
}

/// The process's resident bytes; 0 where they can't be had. Takes no memory from the heap.
fn resident() -> usize {
    let mut text = [0; 128];
    let read = std::fs::File::open("/proc/self/statm").and_then(|mut file| file.read(&mut text));
    let text = text.get(..read.unwrap_or(0)).unwrap_or_default();
    let pages = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok());
    pages.unwrap_or(0).saturating_mul(page())
}

#[cfg(unix)]
fn page() -> usize {
    rustix::param::page_size()
}

#[cfg(not(unix))]
fn page() -> usize {
    0
}
