//! Tests of the bench: that every case does what it claims, and that results are told right.

mod compare;
mod heap;
mod memory;
mod page;
mod partial;
mod program;
mod replay;
mod report;
mod resident;
mod retention;
mod scenarios;

/// As in the program: it counts.
#[global_allocator]
static HEAP: linkbuf_bench::memory::Counting = linkbuf_bench::memory::Counting;
