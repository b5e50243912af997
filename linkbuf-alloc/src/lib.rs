//! Where a program says which memory its linkbuf buffers come from.
//!
//! `linkbuf-core` is generic over a [`NodeAllocator`](linkbuf_core::NodeAllocator) and brings one: the plain heap.
//! This crate gives the choice a name, [`DefaultAllocator`], and a buffer that uses it, [`LinkBuffer`]. A program
//! that spells its buffers this way follows the choice without being edited; a library had better stay generic
//! over `A: NodeAllocator` and leave the choice to the program.
//!
//! Today there is one backend, so there is nothing to choose and no feature to set: [`DefaultAllocator`] is
//! [`linkbuf_core::Heap`], the allocator that the program registered as its global one. Your own `NodeAllocator`
//! needs nothing of this crate: hand it to `linkbuf_core::LinkBuffer::new_in`.
//!
//! ```
//! use linkbuf_alloc::LinkBuffer;
//!
//! # fn main() -> Result<(), linkbuf_core::Error> {
//! let mut buffer = LinkBuffer::default();
//! buffer.write_string("hello")?;
//! buffer.flush();
//! assert_eq!(buffer.next(5)?, b"hello");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

/// The allocator that [`LinkBuffer`] takes its memory from: the plain heap.
///
/// ```
/// use linkbuf_alloc::DefaultAllocator;
///
/// // Generic code takes it like any other allocator; nothing is allocated before the first write.
/// let buffer = linkbuf_core::LinkBuffer::new_in(DefaultAllocator::default());
/// assert_eq!(buffer.memory(), linkbuf_core::Memory::default());
/// ```
pub type DefaultAllocator = linkbuf_core::Heap;

/// A buffer whose memory comes from [`DefaultAllocator`].
///
/// Make one with `LinkBuffer::default()`, which holds for every allocator this name may ever stand for.
///
/// ```
/// use linkbuf_alloc::LinkBuffer;
///
/// struct Connection {
///     input: LinkBuffer,
///     output: LinkBuffer,
/// }
///
/// let idle = Connection { input: LinkBuffer::default(), output: LinkBuffer::default() };
/// assert!(idle.input.is_empty() && idle.output.is_empty());
/// ```
pub type LinkBuffer = linkbuf_core::LinkBuffer<DefaultAllocator>;

/// The README's Rust code runs with this crate's doctests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
