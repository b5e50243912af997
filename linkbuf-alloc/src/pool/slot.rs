//! The blocks of one class that one thread holds: two magazines, and the paths that need no one else.
#![expect(
    unsafe_code,
    reason = "reads and writes magazines through raw pointers"
)]

use std::{
    cell::Cell,
    ptr,
    sync::atomic::{AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering::Relaxed},
};

use linkbuf_core::RawBlock;

use super::{
    class,
    magazine::{CAPACITY, Entry, Magazine},
};

/// Two magazines of a class: blocks are taken from and put on the loaded one; the other follows when it is empty or
/// full.
///
/// The atomics are written by the owner only, with a load and a store, so they cost what plain fields do; other
/// threads read them to count. Two lines that other threads do not write to.
#[repr(C, align(64))]
pub(super) struct Slot {
    /// Blocks in `loaded`.
    len: AtomicU32,
    /// Blocks that `loaded` may hold: 0 while there is no magazine.
    limit: AtomicU32,
    /// Bytes of a block.
    size: usize,
    loaded: Cell<*mut Magazine>,
    /// Requests that `loaded` served.
    hits: AtomicU64,
    /// Null, or a magazine that knows its own length.
    other: AtomicPtr<Magazine>,
    /// That length, for those who count.
    other_len: AtomicU32,
    /// Blocks that a magazine of this class may hold; 0 if threads do not cache it.
    capacity: u32,
    /// Blocks that came from the depot or the memory behind the pool, less those that went there.
    net: AtomicI64,
}

const _: () = assert!(size_of::<Slot>() == 64);

/// What a slot counts.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    /// Its magazines.
    pub(super) magazines: u64,
    /// Blocks in them.
    pub(super) cached: u64,
    pub(super) hits: u64,
    /// Blocks that the thread gave back beyond those it took.
    pub(super) surplus: u64,
}

impl Slot {
    pub(super) fn new(class: usize, capacity: usize) -> Self {
        Slot {
            len: AtomicU32::new(0),
            limit: AtomicU32::new(0),
            size: class::size(class),
            loaded: Cell::new(ptr::null_mut()),
            hits: AtomicU64::new(0),
            other: AtomicPtr::new(ptr::null_mut()),
            other_len: AtomicU32::new(0),
            capacity: capacity.min(CAPACITY) as u32,
            net: AtomicI64::new(0),
        }
    }

    /// The last block that came in, if there is one.
    #[inline(always)]
    pub(super) fn take(&self) -> Option<RawBlock> {
        let len = self.len.load(Relaxed).checked_sub(1)?;
        self.hits
            .store(self.hits.load(Relaxed).wrapping_add(1), Relaxed);
        self.len.store(len, Relaxed);
        // SAFETY: the slot has blocks, so it has a magazine, whose first `len + 1 <= CAPACITY` entries were written
        // (P5), and a `&Slot` is only ever had by its owner (P1).
        let entry = unsafe { Magazine::entry(self.loaded.get(), len as usize) };
        // SAFETY: that entry was written, and is out of the slot from here on.
        Some(unsafe { entry.read() }.block(self.size))
    }

    /// Whether the block found room. It is of this slot's class, and nobody uses it.
    #[inline(always)]
    pub(super) fn give(&self, block: RawBlock) -> bool {
        let len = self.len.load(Relaxed);
        if len >= self.limit.load(Relaxed) || block.len != self.size {
            return false;
        }
        // SAFETY: `len < limit <= CAPACITY`, and with a limit there is a magazine (P5); a `&Slot` is only ever had by
        // its owner (P1).
        let entry = unsafe { Magazine::entry(self.loaded.get(), len as usize) };
        // SAFETY: as above: the place is in the magazine.
        unsafe { entry.write(Entry::of(block)) };
        self.len.store(len + 1, Relaxed);
        true
    }

    /// Bytes of a block.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether there is a magazine to put blocks on.
    pub(super) fn is_loaded(&self) -> bool {
        self.limit.load(Relaxed) != 0
    }

    /// Loads the other magazine if it has blocks.
    pub(super) fn turn_to_blocks(&self) {
        if self.other_len.load(Relaxed) > 0 {
            self.turn();
        }
    }

    /// Loads the other magazine if it has room.
    pub(super) fn turn_to_room(&self) {
        if !self.other.load(Relaxed).is_null() && self.other_len.load(Relaxed) < self.capacity {
            self.turn();
        }
    }

    fn turn(&self) {
        let loaded = self.take_loaded();
        let other = self.take_other();
        self.set_other(loaded);
        self.load(other);
    }

    /// Counts blocks that came (or, below 0, went) otherwise than from or to the thread's user.
    pub(super) fn count_net(&self, blocks: i64) {
        self.net.store(self.net.load(Relaxed) + blocks, Relaxed);
    }

    /// Puts `magazine` in the place of the loaded one, which must have been taken out.
    pub(super) fn load(&self, magazine: Option<Box<Magazine>>) {
        debug_assert!(self.loaded.get().is_null());
        let Some(magazine) = magazine else { return };
        self.len.store(magazine.len() as u32, Relaxed);
        self.loaded.set(Box::into_raw(magazine));
        self.limit.store(self.capacity, Relaxed);
    }

    /// Puts `magazine` in the place of the other one, which must have been taken out.
    pub(super) fn set_other(&self, magazine: Option<Box<Magazine>>) {
        debug_assert!(self.other.load(Relaxed).is_null());
        let Some(magazine) = magazine else { return };
        self.other_len.store(magazine.len() as u32, Relaxed);
        self.other.store(Box::into_raw(magazine), Relaxed);
    }

    pub(super) fn take_loaded(&self) -> Option<Box<Magazine>> {
        let loaded = self.loaded.replace(ptr::null_mut());
        self.limit.store(0, Relaxed);
        let len = self.len.load(Relaxed);
        self.len.store(0, Relaxed);
        // SAFETY: null, or what `load` made of a box, taken out of the slot just now, so owned here (P5).
        let mut magazine = (!loaded.is_null()).then(|| unsafe { Box::from_raw(loaded) })?;
        // SAFETY: `len` counts the blocks of the loaded magazine (P5).
        unsafe { magazine.set_len(len as usize) };
        Some(magazine)
    }

    pub(super) fn take_other(&self) -> Option<Box<Magazine>> {
        let other = self.other.load(Relaxed);
        self.other.store(ptr::null_mut(), Relaxed);
        self.other_len.store(0, Relaxed);
        // SAFETY: null, or what `set_other` made of a box, taken out of the slot just now, so owned here (P5).
        (!other.is_null()).then(|| unsafe { Box::from_raw(other) })
    }

    /// What it counts. From any thread: nothing is read but atomics.
    ///
    /// # Safety
    /// The slot lives.
    pub(super) unsafe fn counts_of(slot: *const Slot) -> Counts {
        // SAFETY: the slot lives; each borrow is of one atomic field.
        let len = unsafe { &(*slot).len };
        // SAFETY: as above.
        let other_len = unsafe { &(*slot).other_len };
        // SAFETY: as above.
        let limit = unsafe { &(*slot).limit };
        // SAFETY: as above.
        let other = unsafe { &(*slot).other };
        // SAFETY: as above.
        let hits = unsafe { &(*slot).hits };
        // SAFETY: as above.
        let net = unsafe { &(*slot).net };
        let cached = u64::from(len.load(Relaxed)) + u64::from(other_len.load(Relaxed));
        // What came in is with the user or in the magazines; where that is less than nothing, blocks that other
        // threads took came back here.
        let with_user = net.load(Relaxed).saturating_sub_unsigned(cached);
        let magazines = [limit.load(Relaxed) != 0, !other.load(Relaxed).is_null()];
        Counts {
            magazines: magazines.into_iter().map(u64::from).sum(),
            cached,
            hits: hits.load(Relaxed),
            surplus: with_user.min(0).unsigned_abs(),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // The blocks went before; these are the magazines.
        drop(self.take_loaded());
        drop(self.take_other());
    }
}
