//! `cargo run --profile bench -p linkbuf-bench -- --help`

use std::process::ExitCode;

/// Counts allocator calls in passes of their own; see `linkbuf_bench::memory`.
#[global_allocator]
static HEAP: linkbuf_bench::memory::Counting = linkbuf_bench::memory::Counting;

fn main() -> ExitCode {
    linkbuf_bench::cli::main()
}
