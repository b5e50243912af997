//! Byte limits in a hierarchy: process, group, connection.

mod budgeted;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

pub use budgeted::Budgeted;

/// A limit on bytes, with parents whose limits hold as well.
///
/// [`Budgeted`] charges every block to one, for as long as anything holds the block: a buffer, a slice cut from it, a
/// queue on another thread. A charge is made at each level up to the root, or at none: one slow connection comes to the
/// end of its own budget before it can take its group's, and a group before it can take the process's.
///
/// No level is ever charged beyond its limit. The converse has an exception: while one thread's request is on its way
/// to being refused further up, its bytes are charged below, so that another request may be refused which would have
/// fitted a moment later.
///
/// A handle: clones are the same budget, and a child keeps its parents. A block costs an atomic per level when it is
/// taken and another when it comes back, together about 17 ns for each level and 30 ns besides; twice as much where two
/// threads do nothing else on levels that they share. Buffers that reuse their nodes do not come here.
///
/// ```
/// use linkbuf_alloc::{Budget, Budgeted};
/// use linkbuf_core::{Heap, LinkBuffer};
///
/// let process = Budget::new(1 << 30);
/// let connection = process.child(64 << 10);
/// let mut buf = LinkBuffer::new_in(Budgeted::new(Heap, connection.clone()));
/// buf.write_binary(&[7; 60_000])?;
/// assert!(connection.used() >= 60_000 && process.used() == connection.used());
/// assert!(buf.write_binary(&[7; 60_000]).is_err());
/// assert_eq!(buf.malloc_len(), 60_000);
/// drop(buf);
/// assert_eq!((connection.used(), process.used()), (0, 0));
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Budget(Arc<Level>);

struct Level {
    limit: AtomicUsize,
    used: AtomicUsize,
    peak: AtomicUsize,
    parent: Option<Budget>,
}

// Of the orderings: `used` alone decides, and a read-modify-write always sees the last value, so no charge is lost and
// none passes the limit, however the operations are ordered otherwise. On top of it a give-back is `Release` and a
// charge `Acquire`: who is granted bytes that another thread gave back comes after the return of the block itself, so
// that the memory behind is bounded as well as the number. `limit` and `peak` hand nothing on and are `Relaxed`.
impl Budget {
    /// A budget of its own. `usize::MAX` is no limit: it only counts.
    #[must_use]
    pub fn new(limit: usize) -> Budget {
        Budget::with_parent(limit, None)
    }

    /// A budget below this one: what is charged to it is charged here too. The limits of children may add up to more
    /// than this one's.
    #[must_use]
    pub fn child(&self, limit: usize) -> Budget {
        Budget::with_parent(limit, Some(self.clone()))
    }

    fn with_parent(limit: usize, parent: Option<Budget>) -> Budget {
        Budget(Arc::new(Level {
            limit: AtomicUsize::new(limit),
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            parent,
        }))
    }

    /// Bytes charged at present, here and to all below.
    #[must_use]
    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// The most bytes that were charged at once, as they were seen whenever a block was given out. A request that is
    /// refused is no part of it; but while threads charge at the same time, one that is on its way may be counted with
    /// another's block, and a peak of an instant may be missed.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.0.peak.load(Ordering::Relaxed)
    }

    /// The most bytes that may be charged.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.0.limit.load(Ordering::Relaxed)
    }

    /// Sets another limit. If more is charged already, that stays, and nothing is granted until enough came back.
    pub fn set_limit(&self, limit: usize) {
        self.0.limit.store(limit, Ordering::Relaxed);
    }

    /// Bytes that could be charged now, by this level's limit and all above. Other threads may be faster.
    #[must_use]
    pub fn available(&self) -> usize {
        self.levels()
            .map(|level| {
                let limit = level.limit.load(Ordering::Relaxed);
                limit.saturating_sub(level.used.load(Ordering::Relaxed))
            })
            .min()
            .unwrap_or(0)
    }

    /// This level, its parent, and so on to the root.
    fn levels(&self) -> impl Iterator<Item = &Level> {
        std::iter::successors(Some(&*self.0), |level| {
            level.parent.as_ref().map(|parent| &*parent.0)
        })
    }

    /// Charges `bytes` at each level, or at none.
    fn charge(&self, bytes: usize) -> bool {
        for (depth, level) in self.levels().enumerate() {
            if !level.charge(bytes) {
                for charged in self.levels().take(depth) {
                    charged.give_back(bytes);
                }
                return false;
            }
        }
        true
    }

    /// Charges were granted and stand: a block is out.
    fn note_peak(&self) {
        for level in self.levels() {
            let used = level.used.load(Ordering::Relaxed);
            if used > level.peak.load(Ordering::Relaxed) {
                level.peak.fetch_max(used, Ordering::Relaxed);
            }
        }
    }

    /// Takes back a charge that was granted.
    fn give_back(&self, bytes: usize) {
        for level in self.levels() {
            level.give_back(bytes);
        }
    }
}

impl Level {
    fn charge(&self, bytes: usize) -> bool {
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            let limit = self.limit.load(Ordering::Relaxed);
            let Some(more) = used.checked_add(bytes).filter(|more| *more <= limit) else {
                return false;
            };
            // `Acquire` pairs with `Release` in `give_back`.
            match self
                .used
                .compare_exchange_weak(used, more, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return true,
                Err(now) => used = now,
            }
        }
    }

    fn give_back(&self, bytes: usize) {
        // `Release` pairs with `Acquire` in `charge`.
        let used = self.used.fetch_sub(bytes, Ordering::Release);
        debug_assert!(used >= bytes, "more came back than was charged");
    }
}

impl Drop for Level {
    /// Frees parents that nobody else has one after another: a chain of any length takes no stack.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(mut level) = next.and_then(|Budget(level)| Arc::into_inner(level)) {
            next = level.parent.take();
        }
    }
}

/// From this level to the root: bytes used, of how many, and the peak.
impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Budget")?;
        let mut list = f.debug_list();
        for level in self.levels() {
            let read = |figure: &AtomicUsize| figure.load(Ordering::Relaxed);
            let (used, limit, peak) = (read(&level.used), read(&level.limit), read(&level.peak));
            list.entry(&format_args!("{used} of {limit}, peak {peak}"));
        }
        list.finish()
    }
}
