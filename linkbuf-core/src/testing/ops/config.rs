//! How a buffer of a run is configured.

use super::Rng;
use crate::{Builder, LinkBuffer, NodeAllocator, TailPolicy};

/// Every setting of a buffer.
///
/// ```
/// use linkbuf_core::{Heap, testing::ops::{Config, Rng}};
///
/// let config = Config::random(&mut Rng::new(1));
/// assert!(config.build(Heap).is_empty());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Payload bytes of an ordinary node.
    pub node_size: usize,
    /// What stays after draining.
    pub tail_policy: TailPolicy,
    /// Whether old bytes are cleared.
    pub scrub: bool,
    /// From how many bytes on an owned value is attached.
    pub copy_threshold: usize,
    /// Below how many bytes a slice of a large block is copied out.
    pub detach_below: usize,
    /// Bounds of booked reads; `None`: the buffer's own.
    pub book_sizes: Option<(usize, usize)>,
}

impl Config {
    /// Settings that put borders everywhere: nodes of a few bytes as well as ordinary ones.
    pub fn random(rng: &mut Rng) -> Self {
        let tail_policy = *rng.pick(&[
            TailPolicy::Page,
            TailPolicy::Release,
            TailPolicy::Page,
            TailPolicy::Keep(0),
            TailPolicy::Keep(1000),
            TailPolicy::Keep(20_000),
            TailPolicy::Keep(1 << 24),
        ]);
        Self {
            node_size: *rng.pick(&[64, 64, 1, 16, 100, 128, 256, 512, 512, 3584, 3584, 4096]),
            tail_policy,
            scrub: rng.below(4) == 0,
            copy_threshold: *rng.pick(&[4096, 4096, 64, 16, 0, 1, 512, usize::MAX]),
            detach_below: *rng.pick(&[0, 0, 0, 32, 5000]),
            book_sizes: *rng.pick(&[None, None, Some((64, 256)), Some((1, 1)), Some((512, 8192))]),
        }
    }

    /// A buffer with these settings.
    pub fn build<A: NodeAllocator>(&self, alloc: A) -> LinkBuffer<A> {
        let builder = Builder::new_in(alloc)
            .node_size(self.node_size)
            .tail_policy(self.tail_policy)
            .scrub(self.scrub)
            .copy_threshold(self.copy_threshold)
            .detach_below(self.detach_below);
        match self.book_sizes {
            Some((min, max)) => builder.book_sizes(min, max),
            None => builder,
        }
        .build()
    }

    /// Bytes that a buffer with these settings may keep once it was read empty and released.
    pub fn retention(&self, page_size: usize) -> usize {
        match self.tail_policy {
            TailPolicy::Release => 0,
            TailPolicy::Page => page_size,
            TailPolicy::Keep(bytes) => bytes,
        }
    }
}
