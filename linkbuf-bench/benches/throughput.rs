//! The same workloads under criterion's own command line: `cargo bench -p linkbuf-bench -- W3/linkbuf`.
//!
//! `cargo run --profile bench -p linkbuf-bench` is the whole thing: it starts criterion in rounds, reads its
//! estimates and prints the table.

fn main() {
    linkbuf_bench::measure::run_criterion(0);
}
