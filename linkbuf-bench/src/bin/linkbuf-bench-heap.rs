//! What the heap part of `linkbuf-bench` starts: one subject under dhat, which has to be the global allocator.

use std::process::ExitCode;

#[global_allocator]
static HEAP: dhat::Alloc = dhat::Alloc;

fn main() -> ExitCode {
    linkbuf_bench::heap::main()
}
