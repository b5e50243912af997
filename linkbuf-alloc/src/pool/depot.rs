//! What the threads share: full magazines by class, behind a lock each, within one bound in bytes.

use std::{
    collections::VecDeque,
    sync::{
        MutexGuard,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use linkbuf_core::RawBlock;

use super::{
    class::{self, THREAD_CLASSES},
    magazine::{Loose, Magazine},
};
use crate::{
    figures::CLASSES,
    fork::{Forks, Lock},
};

/// Exchanges of one class between two looks at the clock.
const LOOK_EVERY: u32 = 64;

pub(super) struct Depot {
    shelves: [Lock<Shelf>; CLASSES],
    /// Bytes of the blocks on all shelves. A claim is made here before a block is put down, so it never says too little.
    bytes: AtomicUsize,
    max_bytes: usize,
}

/// One class. `Vec`s that never shrink would hold on to memory, but only to a pointer per magazine.
struct Shelf {
    full: VecDeque<Box<Magazine>>,
    empty: VecDeque<Box<Magazine>>,
    /// Blocks that travel alone: of large classes, of odd lengths, of threads without a cache.
    loose: VecDeque<Loose>,
    /// The fewest of each since the last decay: what nobody needed.
    low: Low,
    /// Blocks in full magazines.
    blocks: u64,
    /// Requests served here one by one. The threads count those that a magazine serves.
    hits: u64,
    exchanges: u32,
}

#[derive(Clone, Copy, Default)]
struct Low {
    full: usize,
    empty: usize,
    loose: usize,
}

/// What one shelf holds and has done.
#[derive(Clone, Copy, Default)]
pub(super) struct ShelfFigures {
    pub(super) blocks: u64,
    pub(super) hits: u64,
    /// Bytes of its magazines and tables.
    pub(super) own_bytes: u64,
}

/// What a shelf gives up.
pub(super) enum Surplus {
    Full(Box<Magazine>),
    Loose(RawBlock),
}

impl Shelf {
    const fn new() -> Self {
        Shelf {
            full: VecDeque::new(),
            empty: VecDeque::new(),
            loose: VecDeque::new(),
            low: Low {
                full: 0,
                empty: 0,
                loose: 0,
            },
            blocks: 0,
            hits: 0,
            exchanges: 0,
        }
    }

    fn own_bytes(&self) -> u64 {
        let magazines = (self.full.len() + self.empty.len()) * size_of::<Magazine>();
        let listed = (self.full.capacity() + self.empty.capacity()) * size_of::<Box<Magazine>>();
        let loose = self.loose.capacity() * size_of::<Loose>();
        (magazines + listed + loose) as u64
    }

    fn note_low(&mut self) {
        self.low.full = self.low.full.min(self.full.len());
        self.low.empty = self.low.empty.min(self.empty.len());
        self.low.loose = self.low.loose.min(self.loose.len());
    }

    fn count_exchange(&mut self) -> bool {
        self.exchanges = self.exchanges.wrapping_add(1);
        self.exchanges.is_multiple_of(LOOK_EVERY)
    }

    fn take_full(&mut self, warm: bool) -> Option<Box<Magazine>> {
        let magazine = if warm {
            self.full.pop_back()
        } else {
            self.full.pop_front()
        }?;
        self.blocks -= magazine.len() as u64;
        self.low.full = self.low.full.min(self.full.len());
        Some(magazine)
    }

    fn take_empty(&mut self) -> Option<Box<Magazine>> {
        let magazine = self.empty.pop_back()?;
        self.low.empty = self.low.empty.min(self.empty.len());
        Some(magazine)
    }

    /// Keeps an empty magazine for the next that needs one; frees it where there is no room to note it.
    fn put_empty(&mut self, magazine: Option<Box<Magazine>>) {
        if let Some(magazine) = magazine
            && self.empty.try_reserve(1).is_ok()
        {
            self.empty.push_back(magazine);
        }
    }
}

/// The answer to a thread that came for a full magazine.
pub(super) enum Restocked {
    /// Here it is, and the thread's empty one stays.
    Full(Box<Magazine>),
    /// There is none; the empty one goes back.
    Nothing(Option<Box<Magazine>>),
}

/// The answer to a thread that came with a full magazine.
pub(super) enum Unloaded {
    /// It stays, and here is an empty one if there was one.
    Kept(Option<Box<Magazine>>),
    /// It would break the bound.
    Refused(Box<Magazine>),
}

impl Depot {
    pub(super) const fn new(max_bytes: usize) -> Self {
        Depot {
            shelves: [const { Lock::new(Shelf::new()) }; CLASSES],
            bytes: AtomicUsize::new(0),
            max_bytes,
        }
    }

    /// Bytes of the blocks it holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// All its locks.
    pub(super) fn locks(&self) -> impl Iterator<Item = &dyn Forks> {
        self.shelves.iter().map(|shelf| shelf as &dyn Forks)
    }

    fn shelf(&self, class: usize) -> Option<MutexGuard<'_, Shelf>> {
        Some(self.shelves.get(class)?.lock())
    }

    /// Room for `bytes` within the bound. The count orders nothing: the blocks themselves go through a lock.
    fn claim(&self, bytes: usize) -> bool {
        let before = self.bytes.fetch_add(bytes, Relaxed);
        let fits = before.saturating_add(bytes) <= self.max_bytes;
        if !fits {
            self.release(bytes);
        }
        fits
    }

    fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    /// A full magazine against an empty one. Says whether it is time to look at the clock.
    pub(super) fn restock(&self, class: usize, empty: Option<Box<Magazine>>) -> (Restocked, bool) {
        let Some(mut shelf) = self.shelf(class) else {
            return (Restocked::Nothing(empty), false);
        };
        let look = shelf.count_exchange();
        let Some(full) = shelf.take_full(true) else {
            return (Restocked::Nothing(empty), look);
        };
        shelf.put_empty(empty);
        drop(shelf);
        self.release(full.len() * class::size(class));
        (Restocked::Full(full), look)
    }

    /// An empty magazine against a full one, within the bound. Says whether it is time to look at the clock.
    pub(super) fn unload(&self, class: usize, full: Box<Magazine>) -> (Unloaded, bool) {
        let bytes = full.len() * class::size(class);
        if !self.claim(bytes) {
            // The clock is looked at too: what is over the bound may be of a class that nobody needs any more.
            let look = self.shelf(class).is_some_and(|mut s| s.count_exchange());
            return (Unloaded::Refused(full), look);
        }
        if let Some(mut shelf) = self.shelf(class) {
            let look = shelf.count_exchange();
            if shelf.full.try_reserve(1).is_ok() {
                shelf.blocks += full.len() as u64;
                shelf.full.push_back(full);
                return (Unloaded::Kept(shelf.take_empty()), look);
            }
        }
        self.release(bytes);
        (Unloaded::Refused(full), false)
    }

    pub(super) fn take_empty(&self, class: usize) -> Option<Box<Magazine>> {
        self.shelf(class)?.take_empty()
    }

    pub(super) fn put_empty(&self, class: usize, magazine: Option<Box<Magazine>>) {
        if let Some(mut shelf) = self.shelf(class) {
            shelf.put_empty(magazine);
        }
    }

    /// One block, for a request that no magazine serves. Says whether it is time to look at the clock.
    pub(super) fn take_one(&self, class: usize) -> (Option<RawBlock>, bool) {
        let Some(mut shelf) = self.shelf(class) else {
            return (None, false);
        };
        let look = shelf.count_exchange();
        let block = match shelf.loose.pop_back() {
            Some(loose) => Some(loose.0),
            None => Self::from_magazine(&mut shelf, class),
        };
        if let Some(block) = block {
            shelf.hits += 1;
            shelf.note_low();
            self.release(block.len);
        }
        (block, look)
    }

    /// One block of the warmest magazine.
    fn from_magazine(shelf: &mut Shelf, class: usize) -> Option<RawBlock> {
        let magazine = shelf.full.back_mut()?;
        let entry = magazine.pop();
        let drained = magazine.len() == 0;
        if drained {
            let magazine = shelf.full.pop_back();
            shelf.put_empty(magazine);
        }
        let entry = entry?;
        shelf.blocks -= 1;
        Some(entry.block(class::size(class)))
    }

    /// Keeps one block, if it is of a kept length and within the bound. Says whether it is time to look at the clock.
    pub(super) fn put_one(&self, block: RawBlock) -> (Result<(), RawBlock>, bool) {
        let Some(class) = class::of_block(block.len) else {
            return (Err(block), false);
        };
        if !self.claim(block.len) {
            let look = self.shelf(class).is_some_and(|mut s| s.count_exchange());
            return (Err(block), look);
        }
        if let Some(mut shelf) = self.shelf(class) {
            let look = shelf.count_exchange();
            if shelf.loose.try_reserve(1).is_ok() {
                shelf.loose.push_back(Loose(block));
                return (Ok(()), look);
            }
        }
        self.release(block.len);
        (Err(block), false)
    }

    /// Takes out what no request needed since the last call, coldest first, a piece at a time and with no lock held
    /// while `give_up` has it.
    pub(super) fn decay(&self, mut give_up: impl FnMut(usize, Surplus)) {
        for class in 0..CLASSES {
            let Some(low) = self.shelf(class).map(|shelf| shelf.low) else {
                continue;
            };
            for _ in 0..low.full {
                let full = self.shelf(class).and_then(|mut s| s.take_full(false));
                let Some(full) = full else { break };
                self.release(full.len() * class::size(class));
                give_up(class, Surplus::Full(full));
            }
            for _ in 0..low.loose {
                let loose = self.shelf(class).and_then(|mut s| s.loose.pop_front());
                let Some(loose) = loose else { break };
                self.release(loose.0.len);
                give_up(class, Surplus::Loose(loose.0));
            }
            for _ in 0..low.empty {
                drop(self.take_empty(class));
            }
            if let Some(mut shelf) = self.shelf(class) {
                shelf.low = Low {
                    full: shelf.full.len(),
                    empty: shelf.empty.len(),
                    loose: shelf.loose.len(),
                };
            }
        }
    }

    /// Takes out everything, and frees the magazines that are empty.
    pub(super) fn clear(&self, mut give_up: impl FnMut(usize, Surplus)) {
        for class in 0..CLASSES {
            let Some((full, loose, empty)) = self.shelf(class).map(|mut shelf| {
                shelf.blocks = 0;
                shelf.low = Low::default();
                let full = std::mem::take(&mut shelf.full);
                let loose = std::mem::take(&mut shelf.loose);
                (full, loose, std::mem::take(&mut shelf.empty))
            }) else {
                continue;
            };
            drop(empty);
            for magazine in full {
                self.release(magazine.len() * class::size(class));
                give_up(class, Surplus::Full(magazine));
            }
            for block in loose {
                self.release(block.0.len);
                give_up(class, Surplus::Loose(block.0));
            }
        }
    }

    pub(super) fn figures(&self, class: usize) -> ShelfFigures {
        self.shelf(class).map_or(ShelfFigures::default(), |shelf| {
            debug_assert!(class < THREAD_CLASSES || shelf.full.is_empty());
            ShelfFigures {
                blocks: shelf.blocks + shelf.loose.len() as u64,
                hits: shelf.hits,
                own_bytes: shelf.own_bytes(),
            }
        })
    }
}
