//! What a child made by `fork` does not inherit: pieces on reserved huge pages.
//!
//! A copy of such a page, made when parent or child writes to it, may find no reserved page; the child's access is
//! then a `SIGBUS`. So these pieces are kept from children. That leaves holes in a child's addresses, into which its
//! next mapping would go, while buffers that it inherited still point there. So the first thing that a child does,
//! before `fork` returns in it, is to reserve the holes.
//!
//! Invariants:
//! - F1. The list is touched only by who holds the flag. `fork` takes it in the parent, and both sides give it back,
//!   so the child finds the list whole.
//! - F2. A piece stands in the list from before its pages are populated until before it is unmapped.
#![expect(
    unsafe_code,
    reason = "guards a list across a fork, and maps by address"
)]

use std::{
    cell::UnsafeCell,
    ffi::c_int,
    io,
    ptr::NonNull,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// The pieces that a child is not to have: start and length.
struct List {
    busy: AtomicBool,
    pieces: UnsafeCell<Vec<(NonNull<u8>, usize)>>,
}

// SAFETY: the pieces are only touched by who holds the flag (F1), and are addresses, not accesses.
unsafe impl Sync for List {}

static LIST: List = List {
    busy: AtomicBool::new(false),
    pieces: UnsafeCell::new(Vec::new()),
};

/// Forks between the first process and this one that lost pieces.
static FORKS: AtomicUsize = AtomicUsize::new(0);

impl List {
    fn acquire(&self) {
        // Acquire: sees what the last holder did before its release.
        while self
            .busy
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            thread::yield_now();
        }
    }

    fn release(&self) {
        // Pairs with the acquire.
        self.busy.store(false, Ordering::Release);
    }

    fn with<T>(&self, f: impl FnOnce(&mut Vec<(NonNull<u8>, usize)>) -> T) -> T {
        self.acquire();
        // SAFETY: F1, the flag is held, and `f` does not come back here.
        let result = f(unsafe { &mut *self.pieces.get() });
        self.release();
        result
    }
}

/// The process is about to fork: the list stays as it is until it did.
extern "C" fn before() {
    LIST.acquire();
}

extern "C" fn after_in_parent() {
    LIST.release();
}

extern "C" fn after_in_child() {
    // SAFETY: F1, `before` took the flag on the thread that is this one.
    let pieces = unsafe { &mut *LIST.pieces.get() };
    if !pieces.is_empty() {
        FORKS.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "pooled")]
        crate::pool::forked();
    }
    // From here on they are mappings that a grandchild inherits.
    for (start, len) in pieces.drain(..) {
        // If something stands there by now, it is not ours to replace.
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED_NOREPLACE;
        // SAFETY: the flags say to replace nothing, and what is mapped can't be accessed.
        let _ = unsafe { mmap_anonymous(start.as_ptr().cast(), len, ProtFlags::empty(), flags) };
    }
    LIST.release();
}

/// Says that children do not get this piece. An error if that can't be seen to, or there is no memory for the list.
pub(super) fn keep_from_children(start: NonNull<u8>, len: usize) -> io::Result<()> {
    static HANDLERS: OnceLock<c_int> = OnceLock::new();
    let error = *HANDLERS.get_or_init(|| {
        // SAFETY: the functions live as long as the program, and do only what is allowed around a fork: atomics,
        // `mmap`, and reading a list that they guard.
        unsafe { libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child)) }
    });
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    LIST.with(|pieces| {
        pieces
            .try_reserve(1)
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        pieces.push((start, len));
        Ok(())
    })
}

/// The piece is about to be unmapped.
pub(super) fn forget(start: NonNull<u8>) {
    LIST.with(|pieces| {
        if let Some(at) = pieces.iter().position(|(listed, _)| *listed == start) {
            pieces.swap_remove(at);
        }
    });
}

#[inline]
pub(in crate::backend) fn forks() -> usize {
    FORKS.load(Ordering::Relaxed)
}
