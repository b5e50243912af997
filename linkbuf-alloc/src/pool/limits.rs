//! What a pool may keep, and for how long.

use std::time::Duration;

use super::{
    class::{self, THREAD_CLASSES},
    magazine::CAPACITY,
};

/// The bounds of a [`Pooled`](super::Pooled) allocator.
///
/// At any time, and whatever the program did before, a pool keeps at most
///
/// ```text
/// max_cached + threads × thread_cap()
/// ```
///
/// bytes that nobody uses, where `threads` counts the threads that used the pool and still run. Its own tables, at most
/// 6 KiB for each of these threads and 544 bytes for every 32 blocks that ever were in the depot at once, are beside
/// these, from the global heap: [`Figures::own_bytes`](crate::Figures::own_bytes).
///
/// ```
/// use linkbuf_alloc::{PoolLimits, Pooled};
/// use linkbuf_core::Heap;
///
/// let limits = PoolLimits::new().max_cached(8 << 20).magazine(32 << 10);
/// assert_eq!(limits.thread_cap(), 2 * 4 * (32 << 10)); // of 4, 8, 16, 32 KiB; 64 KiB do not fit
/// let pool = Pooled::with_limits(Heap, limits);
/// # drop(pool);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    max_cached: usize,
    magazine: usize,
    interval: Duration,
}

impl PoolLimits {
    /// The defaults: 32 MiB in the depot, 128 KiB a magazine (1280 KiB a thread at most), decay after 500 ms.
    #[must_use]
    pub const fn new() -> Self {
        PoolLimits {
            max_cached: 32 << 20,
            magazine: 128 << 10,
            interval: Duration::from_millis(500),
        }
    }

    /// Bytes of whole blocks that the depot keeps for all threads together. With 0 it keeps none.
    #[must_use]
    pub const fn max_cached(mut self, bytes: usize) -> Self {
        self.max_cached = bytes;
        self
    }

    /// Bytes of one magazine. A thread has two magazines for each size from 4 to 64 KiB, of at most 32 blocks each; a
    /// size of which not one block fits is not cached by threads at all.
    #[must_use]
    pub const fn magazine(mut self, bytes: usize) -> Self {
        self.magazine = bytes;
        self
    }

    /// What the depot did not need for so long goes back to the memory behind the pool, at the second look that finds
    /// it so. The looks are taken on the way of requests that leave a thread's cache, by `decay()`, and by a
    /// [`Trimmer`](crate::Trimmer). The resolution is a millisecond.
    #[must_use]
    pub const fn decay_interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// The bytes that [`max_cached`](Self::max_cached) set.
    ///
    /// ```
    /// # use linkbuf_alloc::PoolLimits;
    /// let limits = PoolLimits::new();
    /// assert_eq!((limits.max_cached_bytes(), limits.magazine_bytes()), (32 << 20, 128 << 10));
    /// assert_eq!(limits.interval().as_millis(), 500);
    /// ```
    #[must_use]
    pub const fn max_cached_bytes(&self) -> usize {
        self.max_cached
    }

    /// The bytes that [`magazine`](Self::magazine) set.
    #[must_use]
    pub const fn magazine_bytes(&self) -> usize {
        self.magazine
    }

    /// The time that [`decay_interval`](Self::decay_interval) set.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// The most bytes that one thread's cache ever holds: twice the sum over the thread's sizes of as many whole blocks
    /// as a magazine holds.
    #[must_use]
    pub const fn thread_cap(&self) -> usize {
        let mut bytes = 0;
        let mut class = 0;
        while class < THREAD_CLASSES {
            bytes += 2 * self.capacity(class) * class::size(class);
            class += 1;
        }
        bytes
    }

    /// Blocks of the class that one magazine holds.
    pub(super) const fn capacity(&self, class: usize) -> usize {
        let blocks = self.magazine / class::size(class);
        if blocks < CAPACITY { blocks } else { CAPACITY }
    }

    pub(super) fn interval_ms(&self) -> u64 {
        u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX)
    }
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_of_the_docs() {
        assert_eq!(PoolLimits::new().thread_cap(), 1280 << 10);
        assert_eq!(PoolLimits::new().magazine(0).thread_cap(), 0);
        assert_eq!(PoolLimits::new().magazine(8191).thread_cap(), 2 * 4096);
        // Thirty-two blocks a magazine, however large it may be.
        let most = PoolLimits::new().magazine(usize::MAX).thread_cap();
        assert_eq!(most, 2 * 32 * (4 + 8 + 16 + 32 + 64) * 1024);
    }
}
