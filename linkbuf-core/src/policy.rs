//! Every threshold and bound, in one place, with the builder that sets them.

use crate::{allocator::NodeAllocator, buffer::LinkBuffer, heap::Heap};

/// Owned values from this length on are attached, shorter ones copied. On sockets, copying wins below and `writev` of
/// the original wins from about here up.
pub(crate) const COPY_THRESHOLD: usize = 4096;
/// The largest size to which booked reads grow by themselves.
pub(crate) const BOOK_MAX: usize = 64 << 10;
/// A copied value that does not fit its node goes on in one node of its size, up to this one.
pub(crate) const COPY_NODE_MAX: usize = 64 << 10;
/// A further node of an unflushed message has this share of what is pending, if that is more than an ordinary node.
pub(crate) const PENDING_SHARE: usize = 4;
/// Fresh memory is cleared in steps of this many bytes, just ahead of the writer.
pub(crate) const CLEAR_STEP: usize = 512;
/// A spare that fits is looked for among this many.
pub(crate) const SPARE_SEARCH: usize = 8;
/// A buffer that keeps n bytes keeps one free header per this many of them (two in a page).
pub(crate) const BYTES_PER_FREE_HEADER: usize = 2048;
/// The part of what a buffer keeps that its tables (slots, slices across nodes) may take: one in so many bytes.
pub(crate) const COLD_SHARE: usize = 8;
/// The part of what a buffer keeps that its scratch for gathered reads may take: one in so many bytes, and at least
/// the minimum, which is enough for most lines and headers.
pub(crate) const SCRATCH_SHARE: usize = 16;
pub(crate) const SCRATCH_MIN: usize = 256;
/// Lists of the views of slices across nodes that a buffer keeps to fill again: how many, and how long each may be.
pub(crate) const LISTS_MAX: usize = 4;
pub(crate) const LIST_KEEP: usize = 64;
pub(crate) const LIST_MIN: usize = 4;
/// Reads that use less than a quarter of the booked size in a row, before that size is halved.
pub(crate) const BOOK_PATIENCE: u8 = 2;

/// What a buffer keeps when it was read empty and released.
///
/// The bound holds all told: nodes, headers, tables. It also bounds, at any time, the spare nodes that a buffer keeps
/// beside the bytes it holds. And a node larger than both a page and the bound is not written to again after a flush,
/// so that a trickle of small messages does not hold on to the node of a large one.
///
/// ```
/// use linkbuf_core::{LinkBuffer, TailPolicy};
/// let mut buf = LinkBuffer::builder().tail_policy(TailPolicy::Release).build();
/// buf.write_binary(&[1; 10_000])?;
/// buf.flush();
/// buf.skip(10_000)?;
/// buf.release();
/// assert_eq!(buf.memory().total(), 0);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TailPolicy {
    /// Nothing: for very many connections that are idle for long. Each message allocates.
    Release,
    /// At most one page of the allocator: the default. Small messages never allocate.
    Page,
    /// At most so many bytes (no more than 4 GiB): for busy connections. Messages up to about this size never allocate.
    Keep(usize),
}

/// The settings of one buffer, resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    /// Bytes kept when idle, all told.
    pub(crate) keep: u32,
    pub(crate) node_size: u32,
    pub(crate) copy_threshold: u32,
    pub(crate) detach_below: u32,
    pub(crate) page: u32,
    pub(crate) book_min: u32,
    pub(crate) book_max: u32,
    pub(crate) scrub: bool,
}

impl Config {
    pub(crate) const fn new(page: usize, node_size: usize, tail: TailPolicy) -> Config {
        let keep = match tail {
            TailPolicy::Release => 0,
            TailPolicy::Page => page,
            TailPolicy::Keep(n) => n,
        };
        let node = clamp_u32(node_size, 1);
        Config {
            keep: clamp_u32(keep, 0),
            node_size: node,
            copy_threshold: COPY_THRESHOLD as u32,
            detach_below: 0,
            page: clamp_u32(page, 1),
            book_min: node,
            book_max: if node as usize > BOOK_MAX {
                node
            } else {
                BOOK_MAX as u32
            },
            scrub: false,
        }
    }

    /// Bytes kept when idle, all told.
    #[inline]
    pub(crate) fn keep(&self) -> usize {
        self.keep as usize
    }

    /// A tail whose block is larger is sealed by a flush.
    pub(crate) fn seal_above(&self) -> usize {
        self.keep.max(self.page) as usize
    }
}

/// `n` as a `u32` of at least `low`; what does not fit becomes the largest that does.
const fn clamp_u32(n: usize, low: u32) -> u32 {
    if n > u32::MAX as usize {
        u32::MAX
    } else if (n as u32) < low {
        low
    } else {
        n as u32
    }
}

/// Sets up a [`LinkBuffer`]. Values out of range are brought to the nearest that is in it.
///
/// ```
/// use linkbuf_core::{LinkBuffer, TailPolicy};
/// let buf = LinkBuffer::builder()
///     .node_size(8192)
///     .tail_policy(TailPolicy::Keep(64 << 10))
///     .copy_threshold(2048)
///     .build();
/// assert_eq!(buf.memory().total(), 0); // nothing is allocated before the first write
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder<A: NodeAllocator = Heap> {
    alloc: A,
    tail: TailPolicy,
    node_size: usize,
    copy_threshold: usize,
    detach_below: usize,
    book: Option<(usize, usize)>,
    scrub: bool,
}

impl Builder<Heap> {
    /// The defaults of the plain heap.
    pub fn new() -> Self {
        Builder::new_in(Heap)
    }
}

impl Default for Builder<Heap> {
    fn default() -> Self {
        Builder::new()
    }
}

impl<A: NodeAllocator> Builder<A> {
    /// The defaults that `alloc` asks for.
    pub fn new_in(alloc: A) -> Self {
        Builder {
            tail: alloc.default_tail_policy(),
            node_size: alloc.node_size(),
            copy_threshold: COPY_THRESHOLD,
            detach_below: 0,
            book: None,
            scrub: false,
            alloc,
        }
    }

    /// Payload bytes of an ordinary node; at least 1. Larger requests get a node of their own size.
    ///
    /// A tail policy keeps a node between messages only if it has room for it and its header (128 bytes on 64-bit
    /// machines).
    pub fn node_size(mut self, bytes: usize) -> Self {
        self.node_size = bytes;
        self
    }

    /// Owned values of at least so many bytes are attached and not copied (4096 by default).
    pub fn copy_threshold(mut self, bytes: usize) -> Self {
        self.copy_threshold = bytes;
        self
    }

    /// What the buffer keeps when it is idle.
    pub fn tail_policy(mut self, policy: TailPolicy) -> Self {
        self.tail = policy;
        self
    }

    /// With it, memory that the writer hands out is zero or holds this buffer's own pending bytes that were just
    /// discarded, never what an earlier use of the memory left there. Costs a clearing of each node per use.
    pub fn scrub(mut self, on: bool) -> Self {
        self.scrub = on;
        self
    }

    /// Slices shorter than this, of blocks larger than a page, are copied out instead of pinning the block (0 by
    /// default: never). Set it where small slices are kept for long, as the keys of a cache are.
    pub fn detach_below(mut self, bytes: usize) -> Self {
        self.detach_below = bytes;
        self
    }

    /// The bounds of the size that booked reads adapt to (a node, and 64 KiB). Reads that fill it double it, reads
    /// that use less than a quarter of it halve it.
    pub fn book_sizes(mut self, min: usize, max: usize) -> Self {
        self.book = Some((min, max));
        self
    }

    /// The buffer. Allocates nothing.
    #[must_use]
    pub fn build(self) -> LinkBuffer<A> {
        let mut config = Config::new(self.alloc.page_size(), self.node_size, self.tail);
        config.copy_threshold = clamp_u32(self.copy_threshold, 1);
        config.detach_below = clamp_u32(self.detach_below, 0);
        config.scrub = self.scrub;
        if let Some((min, max)) = self.book {
            config.book_min = clamp_u32(min, 1);
            config.book_max = clamp_u32(max, config.book_min);
        }
        LinkBuffer::with_config(self.alloc, config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_is_clamped() {
        let c = Config::new(4096, usize::MAX, TailPolicy::Keep(usize::MAX));
        assert_eq!(c.node_size, u32::MAX);
        assert_eq!(c.book_max, u32::MAX);
        assert_eq!(Config::new(4096, 0, TailPolicy::Release).node_size, 1);
    }

    #[test]
    fn a_release_policy_does_not_seal_ordinary_nodes() {
        let c = Config::new(4096, 3072, TailPolicy::Release);
        assert_eq!((c.keep, c.seal_above()), (0, 4096));
    }
}
