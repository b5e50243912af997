//! All pieces of an allocator, in the order of their addresses.
//!
//! Invariants:
//! - T1. `index` is sorted by address, no two pieces overlap, and entry `i` names a slot that holds the piece there.
//! - T2. Bit `i` of `fits[order]` says whether piece `i` has room for a block of that order.
//! - T3. There is room in every list for what a piece adds to it before any of them is changed, so a failed insertion
//!   changes nothing; removing allocates nothing.

use std::collections::TryReserveError;

use super::{bits::ORDERS, piece::Slab, row::Row};

#[derive(Debug)]
struct Entry {
    start: usize,
    slot: usize,
    /// What `fits` holds of it.
    fits: u8,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are held, and a box could fail to be made"
)]
enum Slot<O> {
    Held(Slab<O>),
    /// The next vacant one.
    Vacant(Option<usize>),
}

#[derive(Debug)]
pub(super) struct Table<O> {
    index: Vec<Entry>,
    slots: Vec<Slot<O>>,
    vacant: Option<usize>,
    fits: [Row; ORDERS],
}

impl<O> Table<O> {
    pub(super) const fn new() -> Self {
        Table {
            index: Vec::new(),
            slots: Vec::new(),
            vacant: None,
            fits: [const { Row::new() }; ORDERS],
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Bytes that its lists take.
    pub(super) fn own_bytes(&self) -> usize {
        let rows: usize = self.fits.iter().map(Row::own_bytes).sum();
        let index = self.index.capacity() * size_of::<Entry>();
        index + self.slots.capacity() * size_of::<Slot<O>>() + rows
    }

    /// Room for one more piece.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        self.index.try_reserve(1)?;
        self.slots.try_reserve(1)?;
        for row in &mut self.fits {
            row.reserve()?;
        }
        Ok(())
    }

    /// Adds a piece; [`reserve`](Self::reserve) made room for it.
    pub(super) fn insert(&mut self, slab: Slab<O>) {
        let start = slab.start();
        let slot = match self.vacant {
            Some(slot) => slot,
            None => {
                self.slots.push(Slot::Vacant(None));
                self.slots.len() - 1
            }
        };
        if let Some(place) = self.slots.get_mut(slot) {
            if let Slot::Vacant(next) = place {
                self.vacant = *next;
            }
            *place = Slot::Held(slab);
        }
        let at = self.index.partition_point(|entry| entry.start < start);
        let fits = 0;
        self.index.insert(at, Entry { start, slot, fits });
        for row in &mut self.fits {
            row.insert(at);
        }
        self.refresh(at);
    }

    /// Takes a piece out.
    pub(super) fn remove(&mut self, at: usize) -> Option<Slab<O>> {
        if at >= self.index.len() {
            return None;
        }
        let Entry { slot, .. } = self.index.remove(at);
        for row in &mut self.fits {
            row.remove(at);
        }
        let next = self.vacant;
        let place = self.slots.get_mut(slot)?;
        self.vacant = Some(slot);
        match std::mem::replace(place, Slot::Vacant(next)) {
            Slot::Held(slab) => Some(slab),
            Slot::Vacant(_) => None,
        }
    }

    /// Where the piece that holds an address stands.
    pub(super) fn find(&self, address: usize) -> Option<usize> {
        let after = self.index.partition_point(|entry| entry.start <= address);
        let at = after.checked_sub(1)?;
        let slab = self.get(at)?;
        (address - slab.start() < slab.piece.len).then_some(at)
    }

    /// Where the first piece at or after an address stands.
    pub(super) fn first_from(&self, address: usize) -> usize {
        self.index.partition_point(|entry| entry.start < address)
    }

    pub(super) fn get(&self, at: usize) -> Option<&Slab<O>> {
        match self.slots.get(self.index.get(at)?.slot)? {
            Slot::Held(slab) => Some(slab),
            Slot::Vacant(_) => None,
        }
    }

    /// To change a piece; [`refresh`](Self::refresh) afterwards.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Slab<O>> {
        match self.slots.get_mut(self.index.get(at)?.slot)? {
            Slot::Held(slab) => Some(slab),
            Slot::Vacant(_) => None,
        }
    }

    /// The lowest piece with room for a block of an order.
    pub(super) fn first_with(&mut self, order: usize) -> Option<usize> {
        self.fits.get_mut(order)?.first()
    }

    /// The lowest piece, of those from `at` on, with room for a block of the largest order.
    pub(super) fn roomy_from(&self, at: usize) -> Option<usize> {
        self.fits.last()?.first_from(at)
    }

    /// Restores T2 for a piece that was changed.
    pub(super) fn refresh(&mut self, at: usize) {
        let now = self.get(at).map_or(0, Slab::fits);
        let Some(entry) = self.index.get_mut(at) else {
            return;
        };
        let mut changed = entry.fits ^ now;
        entry.fits = now;
        while changed != 0 {
            let order = changed.trailing_zeros() as usize;
            changed &= changed - 1;
            if let Some(row) = self.fits.get_mut(order) {
                row.set(at, now >> order & 1 == 1);
            }
        }
    }
}
