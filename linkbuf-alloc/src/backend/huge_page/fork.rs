//! What a child made by `fork` does not inherit: pieces on reserved huge pages.
//!
//! A copy of such a page, made when parent or child writes to it, may find no reserved page; the child's access is
//! then a `SIGBUS`. So these pieces are kept from children. That leaves holes in a child's addresses, into which its
//! next mapping would go, while buffers that it inherited still point there. So the first thing that a child does,
//! before `fork` returns in it, is to reserve the holes.
//!
//! Invariant F1: a piece stands in the list from before its pages are populated until before it is unmapped.
#![expect(unsafe_code, reason = "keeps a lock over a fork, and maps by address")]

use std::{
    io,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering},
};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

use crate::fork::Lock;
#[cfg(not(miri))]
use crate::fork::{Forks, install};

/// The first byte of a piece, which is an address here and nothing else.
struct Start(NonNull<u8>);

// SAFETY: nobody reads or writes through it.
unsafe impl Send for Start {}

/// The pieces that a child is not to have: start and length. `fork` has the lock from before until after.
static LIST: Lock<Vec<(Start, usize)>> = Lock::new(Vec::new());

/// Forks between the first process and this one that lost pieces.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// The process is about to fork: the list stays as it is until it did.
///
/// # Safety
/// As [`Forks::hold`].
#[cfg(not(miri))]
pub(crate) unsafe fn before() {
    // SAFETY: the caller's promise; the list is a static.
    unsafe { LIST.hold() }
}

/// The process has forked.
///
/// # Safety
/// As [`Forks::release`].
#[cfg(not(miri))]
pub(crate) unsafe fn after() {
    // SAFETY: the caller's promise.
    unsafe { LIST.release() }
}

/// This process is a child, and its only thread has mapped nothing yet.
#[cfg(not(miri))]
pub(crate) fn in_child() {
    let pieces = &mut *LIST.lock();
    if !pieces.is_empty() {
        // Relaxed: there is no other thread, and those to come see it when they are made.
        FORKS.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "pooled")]
        crate::pool::forked();
    }
    // From here on they are mappings that a grandchild inherits.
    for (Start(start), len) in pieces.drain(..) {
        // If something stands there by now, it is not ours to replace.
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED_NOREPLACE;
        // SAFETY: the flags say to replace nothing, and what is mapped can't be accessed.
        let _ = unsafe { mmap_anonymous(start.as_ptr().cast(), len, ProtFlags::empty(), flags) };
    }
}

/// Says that children do not get this piece. An error if that can't be seen to, or there is no memory for the list.
pub(super) fn keep_from_children(start: NonNull<u8>, len: usize) -> io::Result<()> {
    #[cfg(not(miri))]
    install()?;
    let mut pieces = LIST.lock();
    pieces
        .try_reserve(1)
        .map_err(|_| io::ErrorKind::OutOfMemory)?;
    pieces.push((Start(start), len));
    Ok(())
}

/// The piece is about to be unmapped.
pub(super) fn forget(start: NonNull<u8>) {
    let mut pieces = LIST.lock();
    if let Some(at) = pieces.iter().position(|(listed, _)| listed.0 == start) {
        pieces.swap_remove(at);
    }
}

#[inline]
pub(in crate::backend) fn forks() -> usize {
    FORKS.load(Ordering::Relaxed)
}
