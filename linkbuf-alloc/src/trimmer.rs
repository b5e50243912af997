//! A thread that gives memory back while the program is silent.

use std::{
    fmt, io, mem, process,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use linkbuf_core::NodeAllocator;

use crate::try_box::try_box;

/// A background thread that calls [`decay`](NodeAllocator::decay) on allocators every so often.
///
/// Caches age while they are used; without such a thread, a program that falls silent keeps what they held then. The
/// thread ends when the `Trimmer` is dropped, which waits for a round that is under way, not for the interval.
///
/// What a pool had too much of goes at the second round that finds it so, to the memory behind, which may take one more
/// round until it goes to the system; and rounds are at the earliest an interval of the pool apart. So memory is back
/// after the longer of both intervals, three times, and what is left of the one that was under way: for it to be back
/// within a second, both should be a quarter of that or less.
///
/// A child that is made by `fork` has no trimmer's thread. There the `Trimmer` watches nothing, and [`watch`](Self::watch)
/// is refused; start another.
///
/// ```
/// use std::time::Duration;
/// use linkbuf_alloc::Trimmer;
/// use linkbuf_core::Heap;
///
/// let trimmer = Trimmer::start(Duration::from_millis(250))?;
/// trimmer.watch(Heap)?;
/// assert_eq!(trimmer.watched(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Trimmer {
    shared: Arc<Shared>,
    interval: Duration,
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread.
    process: u32,
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
    /// Only the thread takes a place out. `None`: it has this one in hand.
    watches: Vec<Option<Watch>>,
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
            process: process::id(),
        })
    }

    /// From now on, `alloc` decays at every interval. The trimmer holds this handle until it is dropped, and with it
    /// the allocator; for a process-wide one that means nothing.
    ///
    /// # Errors
    /// `OutOfMemory` when there is none to note it, which takes a few words; `Unsupported` in a process that inherited
    /// the trimmer by a `fork`, and not its thread. Nothing is watched then.
    pub fn watch<A: NodeAllocator>(&self, alloc: A) -> io::Result<()> {
        self.add(move || {
            alloc.decay();
            true
        })
    }

    /// As [`watch`](Self::watch), but does not keep the pool: when its last handle and block are gone, it goes.
    ///
    /// # Errors
    /// As of [`watch`](Self::watch).
    ///
    /// ```
    /// use std::time::Duration;
    /// use linkbuf_alloc::{Pooled, Trimmer};
    /// use linkbuf_core::Heap;
    ///
    /// let trimmer = Trimmer::start(Duration::from_millis(250))?;
    /// let pool = Pooled::new(Heap);
    /// trimmer.watch_pool(&pool)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[cfg(feature = "pooled")]
    pub fn watch_pool<A: NodeAllocator>(&self, pool: &crate::Pooled<A>) -> io::Result<()> {
        self.add(pool.weak_decay())
    }

    /// How many allocators it watches. A pool that is gone counts until the next round.
    #[must_use]
    pub fn watched(&self) -> usize {
        if self.is_inherited() {
            return 0;
        }
        self.shared.lock().watches.len()
    }

    fn add(&self, watch: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
        if self.is_inherited() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let watch = try_box(watch).ok_or(io::ErrorKind::OutOfMemory)?;
        let watches = &mut self.shared.lock().watches;
        watches
            .try_reserve(1)
            .map_err(|_| io::ErrorKind::OutOfMemory)?;
        watches.push(Some(watch));
        Ok(())
    }

    /// Whether this process was forked from the one that has the thread. Its lock may be taken for ever then.
    fn is_inherited(&self) -> bool {
        self.process != process::id()
    }
}

impl Drop for Trimmer {
    fn drop(&mut self) {
        if self.is_inherited() {
            // To wait for a thread that is not there, or to let go of it, is not allowed.
            mem::forget(self.thread.take());
            return;
        }
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
            // A round needs no memory: where there is none is where it is wanted.
            let mut at = 0;
            while let Some(place) = state.watches.get_mut(at) {
                let Some(watch) = place.take() else { break };
                drop(state);
                // Without the lock: giving memory back takes time, and dropping an allocator may, too.
                let stays = watch();
                let kept = stays.then_some(watch);
                state = self.lock();
                if kept.is_none() {
                    // Others only add to the end.
                    state.watches.swap_remove(at);
                } else if let Some(place) = state.watches.get_mut(at) {
                    *place = kept;
                    at += 1;
                }
                if state.stop {
                    return;
                }
            }
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
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            true
        };
        trimmer.add(count).unwrap();
        wait_until(|| rounds.load(Ordering::Relaxed) >= 3);
        assert_eq!(trimmer.watched(), 1);
        drop(trimmer);
        // The thread is gone, and so is what it held.
        assert_eq!(Arc::strong_count(&rounds), 1);
    }

    #[test]
    fn a_drop_does_not_wait_for_the_interval() {
        let trimmer = Trimmer::start(Duration::from_secs(1 << 30)).unwrap();
        trimmer.watch(linkbuf_core::Heap).unwrap();
        drop(trimmer); // or the test never ends
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let trimmer = Trimmer::start(Duration::from_millis(1)).unwrap();
        trimmer.add(|| false).unwrap();
        wait_until(|| trimmer.watched() == 0);
    }

    #[test]
    fn each_is_called_in_every_round_whoever_goes() {
        let trimmer = Trimmer::start(Duration::from_millis(1)).unwrap();
        let calls: Arc<[AtomicUsize; 9]> = Arc::default();
        for each in 0..9 {
            let calls = Arc::clone(&calls);
            // Every third goes after its second call.
            let watch = move || {
                let before = calls[each].fetch_add(1, Ordering::Relaxed);
                each % 3 != 0 || before == 0
            };
            trimmer.add(watch).unwrap();
        }
        wait_until(|| calls[8].load(Ordering::Relaxed) >= 5 && trimmer.watched() == 6);
        drop(trimmer);
        for (each, calls) in calls.iter().enumerate() {
            let calls = calls.load(Ordering::Relaxed);
            assert!(
                if each % 3 == 0 {
                    calls == 2
                } else {
                    calls >= 4
                },
                "{each}: {calls}"
            );
        }
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
        trimmer.watch_pool(&pool).unwrap();
        wait_until(|| tracking.live_blocks() == 0);
        tracking.assert_balanced();
        drop(pool);
        wait_until(|| trimmer.watched() == 0);
    }
}
