//! What most buffers never need, apart and made when it is first needed: slots, view lists, a long search's memory.
#![expect(
    unsafe_code,
    reason = "a box that reports failure has to be allocated by hand"
)]

use alloc::{
    alloc::{Layout, alloc},
    boxed::Box,
    vec::Vec,
};
use core::sync::atomic::{self, Ordering};

use super::view_list::ListMemory;
use crate::{
    allocator::AllocError,
    error::Error,
    policy::{LIST_KEEP, LIST_MIN, LISTS_MAX},
};

/// Slot keys in a range; a table takes a range from the process at once.
const KEYS: u64 = 1 << 20;

/// Names one slot among all of the process: for all its time where there are 64-bit atomics, which count 2⁴⁴ ranges
/// before a key comes again; elsewhere for 2³² ranges, as a `usize` counts them. A range lasts a table for 2²⁰ slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SlotKey {
    key: u64,
    /// Where in its table it was made: where to look first.
    index: usize,
}

/// A slot's bytes (I10).
#[derive(Clone, Copy)]
pub(super) struct SlotRange {
    pub(super) key: u64,
    pub(super) ptr: *mut u8,
    pub(super) len: usize,
}

#[derive(Default)]
pub(super) struct Cold {
    /// The open slots, in the order of their bytes.
    slots: Vec<SlotRange>,
    next_key: u64,
    key_end: u64,
    /// The slots of buffers that were appended, in order, behind `slots`. New ones go into the last table.
    appended: Vec<Vec<SlotRange>>,
    lists: Vec<ListMemory>,
    /// What the store counts for all of this among what it keeps.
    pub(super) counted: usize,
    /// A pattern too long for the chain's own memory of its last failed search.
    pattern: Vec<u8>,
}

/// A range of keys that no other table of the process has.
fn next_range() -> u64 {
    // Relaxed: only the numbers matter.
    #[cfg(target_has_atomic = "64")]
    {
        static NEXT: atomic::AtomicU64 = atomic::AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
    #[cfg(not(target_has_atomic = "64"))]
    {
        static NEXT: atomic::AtomicUsize = atomic::AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) as u64
    }
}

/// A box for `value`, or the value back.
fn try_box<T>(value: T) -> Result<Box<T>, AllocError> {
    const { assert!(size_of::<T>() != 0) };
    let layout = Layout::new::<T>();
    // SAFETY: the size is not 0 (asserted).
    let at = unsafe { alloc(layout) }.cast::<T>();
    if at.is_null() {
        return Err(AllocError {
            size: layout.size(),
        });
    }
    // SAFETY: fresh memory of this layout.
    unsafe { at.write(value) };
    // SAFETY: allocated by the global allocator with the layout of `T`, and initialised.
    Ok(unsafe { Box::from_raw(at) })
}

impl Cold {
    pub(super) fn create() -> Result<Box<Cold>, Error> {
        Ok(try_box(Cold::default())?)
    }

    /// Bytes of heap.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Cold>()
            + self.slots.capacity() * size_of::<SlotRange>()
            + self.lists.capacity() * size_of::<ListMemory>()
            + self.lists.iter().map(ListMemory::bytes).sum::<usize>()
            + self.pattern.capacity()
            + self.appended.capacity() * size_of::<Vec<SlotRange>>()
            + self
                .appended
                .iter()
                .map(|t| t.capacity() * size_of::<SlotRange>())
                .sum::<usize>()
    }

    pub(super) fn has_slots(&self) -> bool {
        !self.slots.is_empty() || !self.appended.is_empty()
    }

    /// Opens a slot behind all others, if there are a place and a key at hand.
    #[inline]
    pub(super) fn open_ready(&mut self, ptr: *mut u8, len: usize) -> Option<SlotKey> {
        let (index, key) = (self.slots.len(), self.next_key);
        if index == self.slots.capacity() || key == self.key_end || !self.appended.is_empty() {
            return None;
        }
        self.next_key = key + 1;
        self.slots.push(SlotRange { key, ptr, len });
        Some(SlotKey { key, index })
    }

    /// Opens a slot behind all others.
    pub(super) fn open(&mut self, ptr: *mut u8, len: usize) -> Result<SlotKey, Error> {
        let table = self.appended.last_mut().unwrap_or(&mut self.slots);
        if table.try_reserve(1).is_err() {
            let size = size_of::<SlotRange>() * (table.len() + 1);
            return Err(AllocError { size }.into());
        }
        if self.next_key == self.key_end {
            self.next_key = KEYS.wrapping_mul(next_range());
            self.key_end = self.next_key.wrapping_add(KEYS);
        }
        let key = self.next_key;
        self.next_key += 1;
        let index = table.len();
        table.push(SlotRange { key, ptr, len });
        Ok(SlotKey { key, index })
    }

    /// The bytes of an open slot. O(1), and one step for each buffer with slots that was appended since the flush.
    pub(super) fn find(&self, key: SlotKey) -> Option<SlotRange> {
        let there =
            |table: &Vec<SlotRange>| table.get(key.index).copied().filter(|s| s.key == key.key);
        there(&self.slots).or_else(|| self.appended.iter().find_map(there))
    }

    /// Closes all slots. True: `bytes` has changed.
    #[inline]
    pub(super) fn close_all(&mut self) -> bool {
        self.slots.clear();
        !self.appended.is_empty() && self.drop_appended()
    }

    #[cold]
    #[inline(never)]
    fn drop_appended(&mut self) -> bool {
        self.appended = Vec::new();
        true
    }

    /// Keeps the first slots, as long as `keep` says so; the rest are closed. One call for each slot up to there.
    pub(super) fn close_from(&mut self, mut keep: impl FnMut(SlotRange) -> bool) {
        let mut cut = |table: &mut Vec<SlotRange>| {
            let n = table.iter().take_while(|s| keep(**s)).count();
            let all = n == table.len();
            table.truncate(n);
            all
        };
        let mut kept = 0;
        if cut(&mut self.slots) {
            // The table that is cut may have slots left.
            for table in &mut self.appended {
                kept += 1;
                if !cut(table) {
                    break;
                }
            }
        }
        self.appended.truncate(kept);
        if self.appended.last().is_some_and(Vec::is_empty) {
            self.appended.pop();
        }
    }

    /// Takes over the open slots of a buffer that is being appended, behind the own ones; all or none. O(1),
    /// amortised, for each buffer that was appended to the other since its flush.
    pub(super) fn adopt(&mut self, other: &mut Cold) -> Result<(), Error> {
        if !self.has_slots() && other.appended.is_empty() {
            // The tables change places, so that each buffer has one to fill again.
            core::mem::swap(&mut self.slots, &mut other.slots);
            return Ok(());
        }
        let tables = 1 + other.appended.len();
        if self.appended.try_reserve(tables).is_err() {
            let size = tables * size_of::<Vec<SlotRange>>();
            return Err(AllocError { size }.into());
        }
        let theirs = core::mem::take(&mut other.slots);
        self.appended.extend((!theirs.is_empty()).then_some(theirs));
        self.appended.append(&mut other.appended);
        Ok(())
    }

    /// Memory for `n` views: a list that nobody reads any more, or new. Either goes back by `keep_list`.
    pub(super) fn list(&mut self, n: usize) -> Result<ListMemory, Error> {
        if let Some(i) = self.lists.iter().position(|l| l.cap() >= n && l.idle()) {
            return Ok(self.lists.swap_remove(i));
        }
        Ok(ListMemory::alloc(n.max(LIST_MIN).next_power_of_two())?)
    }

    /// Keeps a list to be filled again: where there is a place for it, or in the place of a smaller one.
    pub(super) fn keep_list(&mut self, list: ListMemory) {
        if list.cap() > LIST_KEEP {
            return;
        }
        if self.lists.len() < LISTS_MAX {
            if self
                .lists
                .try_reserve_exact(LISTS_MAX - self.lists.len())
                .is_ok()
            {
                self.lists.push(list);
            }
        } else if let Some(least) = self.lists.iter_mut().min_by_key(|l| l.cap())
            && least.cap() < list.cap()
        {
            *least = list;
        }
    }

    /// Remembers the pattern of a failed search; if there is no memory, the next search starts over.
    pub(super) fn set_pattern(&mut self, pattern: &[u8]) -> bool {
        self.pattern.clear();
        if self.pattern.try_reserve_exact(pattern.len()).is_err() {
            return false;
        }
        self.pattern.extend_from_slice(pattern);
        true
    }

    pub(super) fn pattern(&self) -> &[u8] {
        &self.pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_slot_is_not_found_again() {
        let mut cold = Cold::default();
        let mut bytes = [0u8; 8];
        let p = bytes.as_mut_ptr();
        let a = cold.open(p, 4).unwrap();
        let b = cold.open(p.wrapping_add(4), 4).unwrap();
        assert!(cold.find(a).is_some_and(|s| s.ptr == p));
        cold.close_from(|s| s.ptr == p);
        assert!(cold.find(a).is_some() && cold.find(b).is_none());
        let c = cold.open(p.wrapping_add(4), 4).unwrap();
        assert!(cold.find(b).is_none() && cold.find(c).is_some());
        cold.close_all();
        assert!(cold.find(a).is_none() && !cold.has_slots());
    }

    #[test]
    fn tables_name_their_slots_apart() {
        let mut byte = 0u8;
        let mut keys = Vec::new();
        for _ in 0..3 {
            let mut cold = Cold::default();
            keys.extend((0..3).map(|_| cold.open(&raw mut byte, 1).unwrap().key));
            // The last of its range, and then the first of another one.
            cold.next_key = cold.key_end - 1;
            keys.extend((0..2).map(|_| cold.open(&raw mut byte, 1).unwrap().key));
        }
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }

    #[test]
    fn slots_of_appended_tables_are_found_and_cut_in_order() {
        let mut bytes = [0u8; 8];
        let p = bytes.as_mut_ptr();
        let mut cold = Cold::default();
        let a = cold.open(p, 1).unwrap();
        let mut other = Cold::create().unwrap();
        let b = other.open(p.wrapping_add(1), 1).unwrap();
        cold.adopt(&mut other).unwrap();
        let c = cold.open(p.wrapping_add(2), 1).unwrap();
        assert!([a, b, c].iter().all(|k| cold.find(*k).is_some()));
        let mut n = 0;
        cold.close_from(|_| {
            n += 1;
            n <= 2
        });
        assert!(cold.find(a).is_some() && cold.find(b).is_some() && cold.find(c).is_none());
    }
}
