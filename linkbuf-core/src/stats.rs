//! What a buffer holds, in bytes and by kind.

use core::fmt;

/// Bytes of memory that a buffer holds, by kind.
///
/// `live + spare + pinned` is what the buffer has taken from its allocator and not given back; `foreign` is memory of
/// others that it refers to, and `overhead` its headers and tables from the global heap.
///
/// ```
/// use linkbuf_core::LinkBuffer;
/// let mut buf = LinkBuffer::new();
/// assert_eq!(buf.memory().total(), 0);
/// buf.write_binary(&[7; 100])?;
/// assert_eq!(buf.memory().nodes, 1);
/// # Ok::<(), linkbuf_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// Bytes of allocator blocks in the chain, with those that gathered reads use.
    pub live: usize,
    /// Bytes of allocator blocks kept for the next write.
    pub spare: usize,
    /// Bytes of allocator blocks that the buffer has let go and slices still hold.
    pub pinned: usize,
    /// Attached bytes in the chain: of values that were handed over, and of slices.
    pub foreign: usize,
    /// Bytes of headers and tables.
    pub overhead: usize,
    /// Nodes in the chain.
    pub nodes: usize,
}

impl Memory {
    /// Bytes of memory that exist because of this buffer: all but `foreign`.
    pub fn total(&self) -> usize {
        self.live + self.spare + self.pinned + self.overhead
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} B live in {} nodes, {} B spare, {} B pinned by slices, {} B foreign, {} B overhead",
            self.live, self.nodes, self.spare, self.pinned, self.foreign, self.overhead
        )
    }
}
