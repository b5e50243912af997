//! A thread that gives memory back while the program is silent.

use std::{
    fmt, io, mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use linkbuf_core::NodeAllocator;

/// A background thread that calls [`decay`](NodeAllocator::decay) on allocators every so often.
///
/// Caches age while they are used; without such a thread, a program that falls silent keeps what they held then. The
/// thread ends when the `Trimmer` is dropped, which waits for a round that is under way, not for the interval.
///
/// What a pool had too much of goes at the second round that finds it so, at the earliest an interval of the pool
/// apart: for memory to be back within a second, both intervals should be half of that or less.
///
/// ```
/// use std::time::Duration;
/// use linkbuf_alloc::Trimmer;
/// use linkbuf_core::Heap;
///
/// let trimmer = Trimmer::start(Duration::from_millis(250))?;
/// trimmer.watch(Heap);
/// assert_eq!(trimmer.watched(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Trimmer {
    shared: Arc<Shared>,
    interval: Duration,
    thread: Option<JoinHandle<()>>,
}

/// Lets an allocator decay. False when there is no allocator any more.
type Watch = Box<dyn Fn() -> bool + Send>;

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    stopped: Condvar,
}

#[derive(Default)]
struct State {
    stop: bool,
    watches: Vec<Watch>,
    /// Watches that a round has in hand.
    in_hand: usize,
}

impl Trimmer {
    /// Starts the thread, which does nothing until something is watched.
    ///
    /// # Errors
    /// The system's, when it has no thread to give.
    pub fn start(interval: Duration) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("linkbuf-trimmer".to_owned())
            .spawn(move || of_thread.run(interval))?;
        Ok(Trimmer {
            shared,
            interval,
            thread: Some(thread),
        })
    }

    /// From now on, `alloc` decays at every interval. The trimmer holds this handle until it is dropped, and with it
    /// the allocator; for a process-wide one that means nothing.
    pub fn watch<A: NodeAllocator>(&self, alloc: A) {
        self.add(Box::new(move || {
            alloc.decay();
            true
        }));
    }

    /// As [`watch`](Self::watch), but does not keep the pool: when its last handle and block are gone, it goes.
    ///
    /// ```
    /// use std::time::Duration;
    /// use linkbuf_alloc::{Pooled, Trimmer};
    /// use linkbuf_core::Heap;
    ///
    /// let trimmer = Trimmer::start(Duration::from_millis(250))?;
    /// let pool = Pooled::new(Heap);
    /// trimmer.watch_pool(&pool);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "pooled")]
    pub fn watch_pool<A: NodeAllocator>(&self, pool: &crate::Pooled<A>) {
        self.add(Box::new(pool.weak_decay()));
    }

    /// How many allocators it watches. A pool that is gone counts until the next round.
    #[must_use]
    pub fn watched(&self) -> usize {
        let state = self.shared.lock();
        state.watches.len() + state.in_hand
    }

    fn add(&self, watch: Watch) {
        self.shared.lock().watches.push(watch);
    }
}

impl Drop for Trimmer {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.stopped.notify_all();
        // A round that holds the last handle of what owns this trimmer drops it on its own thread, and can't wait for
        // itself. That the thread panicked, if it did, was said when it did.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Trimmer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trimmer")
            .field("interval", &self.interval)
            .field("watched", &self.watched())
            .finish()
    }
}

impl Shared {
    /// The state is whole between any two statements that hold the lock, so a panic elsewhere does not matter.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, interval: Duration) {
        loop {
            let waited = self
                .stopped
                .wait_timeout_while(self.lock(), interval, |state| !state.stop);
            let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if state.stop {
                return;
            }
            let mut watches = mem::take(&mut state.watches);
            state.in_hand = watches.len();
            drop(state);
            // Without the lock: giving memory back takes time, and dropping an allocator may, too.
            watches.retain(|decay| decay());
            let mut state = self.lock();
            state.in_hand = 0;
            watches.append(&mut state.watches);
            state.watches = watches;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Ends when `done`, or hangs, which the test runner reports.
    fn wait_until(done: impl Fn() -> bool) {
        while !done() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn rounds_go_on_until_it_is_dropped() {
        let rounds = Arc::new(AtomicUsize::new(0));
        let trimmer = Trimmer::start(Duration::from_millis(1)).unwrap();
        let counted = Arc::clone(&rounds);
        trimmer.add(Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            true
        }));
        wait_until(|| rounds.load(Ordering::Relaxed) >= 3);
        assert_eq!(trimmer.watched(), 1);
        drop(trimmer);
        // The thread is gone, and so is what it held.
        assert_eq!(Arc::strong_count(&rounds), 1);
    }

    #[test]
    fn a_drop_does_not_wait_for_the_interval() {
        let trimmer = Trimmer::start(Duration::from_secs(1 << 30)).unwrap();
        trimmer.watch(linkbuf_core::Heap);
        drop(trimmer); // or the test never ends
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let trimmer = Trimmer::start(Duration::from_millis(1)).unwrap();
        trimmer.add(Box::new(|| false));
        wait_until(|| trimmer.watched() == 0);
    }

    #[cfg(feature = "pooled")]
    #[test]
    fn a_silent_pool_gives_everything_back_and_is_not_kept() {
        use linkbuf_core::{Heap, LinkBuffer, testing::allocators::Tracking};

        use crate::{PoolLimits, Pooled};

        let tracking = Tracking::new(Heap);
        let limits = PoolLimits::new()
            .magazine(0)
            .decay_interval(Duration::from_millis(2));
        let pool = Pooled::with_limits(tracking.clone(), limits);
        let mut buf = LinkBuffer::new_in(pool.clone());
        buf.write_binary(&[1; 300_000]).unwrap();
        drop(buf);
        let trimmer = Trimmer::start(Duration::from_millis(2)).unwrap();
        trimmer.watch_pool(&pool);
        wait_until(|| tracking.live_blocks() == 0);
        tracking.assert_balanced();
        drop(pool);
        wait_until(|| trimmer.watched() == 0);
    }
}
