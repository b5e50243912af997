//! Owned values that a run gives away and watches.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use crate::testing::model::pattern;

/// `pattern(0)`, long enough for every size that the generator makes.
static STATIC: [u8; 1 << 15] = {
    let mut bytes = [0; 1 << 15];
    let mut i = 0;
    while i < bytes.len() {
        bytes[i] = ((131 * i + 17 * (i >> 8)) & 0xff) as u8;
        i += 1;
    }
    bytes
};

/// Makes values and knows which of them still live.
#[derive(Default)]
pub(super) struct Owners {
    counted: Arc<AtomicUsize>,
    shared: Vec<Arc<[u8]>>,
}

/// Counts itself while it lives.
pub(super) struct Counted {
    bytes: Vec<u8>,
    live: Arc<AtomicUsize>,
}

impl Owners {
    /// At most so many bytes; the static has an end.
    pub(super) fn fixed(&mut self, n: usize) -> &'static [u8] {
        &STATIC[..n.min(STATIC.len())]
    }

    pub(super) fn shared(&mut self, n: usize, seed: u8) -> Arc<[u8]> {
        let value: Arc<[u8]> = pattern(seed, n).into();
        self.shared.push(Arc::clone(&value));
        value
    }

    pub(super) fn counted(&mut self, n: usize, seed: u8) -> Counted {
        self.counted.fetch_add(1, Ordering::Relaxed);
        Counted {
            bytes: pattern(seed, n),
            live: Arc::clone(&self.counted),
        }
    }

    #[track_caller]
    pub(super) fn assert_all_gone(&self) {
        assert_eq!(
            self.counted.load(Ordering::Relaxed),
            0,
            "owned values that were never dropped"
        );
        let left = self
            .shared
            .iter()
            .filter(|s| Arc::strong_count(s) != 1)
            .count();
        assert_eq!(left, 0, "shared values of which a clone was never dropped");
    }
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let before = self.live.fetch_sub(1, Ordering::Relaxed);
        assert_ne!(before, 0, "an owned value was dropped twice");
    }
}
