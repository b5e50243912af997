//! A linked buffer: what a network program keeps its bytes in.
//!
//! [`LinkBuffer`] is a byte queue over a chain of memory nodes. Its writer works in two phases: reserve, fill in place,
//! keep or discard, and then flush. Its reader copies nothing: next, peek, skip, until, slice, and then release. Owned
//! payloads are attached, headers are patched last, whole buffers are spliced in O(1), all of it goes out with one
//! `writev`; and an idle buffer holds no more than its [`TailPolicy`] allows. Memory comes from a [`NodeAllocator`];
//! the plain [`Heap`] is the one in this crate.
//!
//! ```
//! use linkbuf_core::LinkBuffer;
//! let mut buf = LinkBuffer::new();
//! buf.write_string("hello, ")?;
//! buf.write_string("world\n")?;
//! buf.flush();
//! assert_eq!(buf.until(b'\n')?, b"hello, world\n");
//! buf.release();
//! # Ok::<(), linkbuf_core::Error>(())
//! ```
//!
//! # Where things are
//!
//! | | |
//! |---|---|
//! | write | [`LinkBuffer::malloc`], [`write_binary`](LinkBuffer::write_binary), [`write_be`](LinkBuffer::write_be), [`write_owned`](LinkBuffer::write_owned), [`appender`](LinkBuffer::appender), [`slot`](LinkBuffer::slot), [`malloc_ack`](LinkBuffer::malloc_ack), [`flush`](LinkBuffer::flush) |
//! | insert | [`LinkBuffer::write_direct`], [`insert_slice`](LinkBuffer::insert_slice) |
//! | splice | [`LinkBuffer::append`], [`append_from`](LinkBuffer::append_from), [`append_slice`](LinkBuffer::append_slice), [`append_foreign`](LinkBuffer::append_foreign) |
//! | read | [`LinkBuffer::session`], [`next`](LinkBuffer::next), [`peek`](LinkBuffer::peek), [`skip`](LinkBuffer::skip), [`until`](LinkBuffer::until), [`read_be`](LinkBuffer::read_be), [`read_into`](LinkBuffer::read_into), [`chunks`](LinkBuffer::chunks), [`release`](LinkBuffer::release) |
//! | keep | [`LinkBuffer::slice`], [`Slice`] |
//! | sockets | [`LinkBuffer::book`] for the way in, [`io_slices`](LinkBuffer#method.io_slices) for the way out |
//! | memory | [`NodeAllocator`], [`TailPolicy`], [`LinkBuffer::memory`], [`preallocate`](LinkBuffer::preallocate), [`clear`](LinkBuffer::clear), [`trim`](LinkBuffer::trim) |
//!
//! # Features
//!
//! - `std` (default): `IoSlice`, `std::io::{Read, Write, BufRead}`; without it the crate is `no_std` and needs `alloc`,
//!   and atomics of a pointer's width.
//! - `bytes`: `bytes::{Buf, BufMut}` for buffers, slices and reading sessions; `Bytes` to and from slices.
//! - `testing`: for those who write a `NodeAllocator`: a model, an operation generator, hostile allocators, and the
//!   suite that every allocator must pass.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod allocator;
mod appender;
mod buffer;
#[cfg(feature = "bytes")]
mod bytes_compat;
mod error;
mod heap;
#[cfg(feature = "std")]
mod io_compat;
mod iter_compat;
mod number;
mod policy;
mod raw;
mod reader;
mod slice;
mod slot;
mod stats;
mod sync;
mod vectored;
mod writer;

#[cfg(feature = "testing")]
pub mod testing;

pub use allocator::{AllocError, AllocFigures, NodeAllocator, RawBlock};
pub use appender::Appender;
pub use buffer::LinkBuffer;
pub use error::{Error, Rejected};
pub use heap::Heap;
pub use number::Number;
pub use policy::{Builder, TailPolicy};
pub use reader::Session;
pub use slice::Slice;
pub use slot::{IntSlot, Slot};
pub use stats::Memory;
pub use vectored::Chunks;
