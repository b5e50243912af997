//! Tools to test a [`NodeAllocator`](crate::NodeAllocator), or a program that is generic over one.
//!
//! Whoever writes an allocator needs one call: [`contract::check`] puts it through every clause of the trait's
//! contract, then drives whole buffers over it and compares each answer with a plain byte queue.
//!
//! ```
//! use linkbuf_core::{Heap, testing::contract};
//!
//! // in a test of your own: `contract::check(MyAllocator::new)`
//! contract::check(|| Heap);
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`contract`] | the suite that every allocator must pass |
//! | [`model`] | the oracle: a byte queue with a readable and a pending part, and slots |
//! | [`ops`] | every verb of a buffer as data, and a generator from a seed |
//! | [`runner`] | applies an operation to a real buffer and to the model and compares all that can be seen |
//! | [`allocators`] | allocators that count, fail, hand out odd blocks; a global allocator that fails on request |
//! | [`trace`] | reads and replays recorded runs |
//!
//! Everything here panics when it finds a disagreement, as a test should, and is slow on purpose: it checks the
//! whole content after each step.

pub mod allocators;
pub mod contract;
pub mod model;
pub mod ops;
pub mod runner;
pub mod trace;
