//! What a buffer does, seen from outside.
//!
//! The program's heap is one that counts and can be made to fail, thread by thread; each test runs on a thread of its
//! own, so its figures are its own.
//!
//! For tools that watch memory: tests with `leaks` in their name lose some on purpose, or because a destructor panics.

use linkbuf_core::testing::allocators::FailingGlobal;

#[global_allocator]
static HEAP: FailingGlobal = FailingGlobal;

mod alloc_free;
mod conformance;
mod contract;
mod errors;
mod hostile;
mod interop;
mod numbers;
mod past_defects;
mod policy;
mod property;
mod regression;
mod slices;
mod slots;
mod support;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod very_long;
