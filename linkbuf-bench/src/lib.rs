//! Measures linkbuf beside `BytesMut` and others, and its backends beside each other: how fast, and what stays.
//!
//! ```text
//! cargo run --profile bench -p linkbuf-bench -- --quick
//! ```
//!
//! runs everything in under two minutes and ends with tables, a summary and a page; `--help` tells what else there is.
//!
//! How a figure comes about: every workload is a criterion group with a function per contender. The program starts
//! itself again as a criterion benchmark, one short run per workload, in rounds. Within a round all contenders of a
//! workload are measured within a second; a ratio is formed within the round, and the table shows the median over the
//! rounds with its quartiles. Machines drift and neighbours come and go, so times differ from run to run; ratios
//! within a round hardly do.
//!
//! | module | holds |
//! |---|---|
//! | [`scenarios`] | the workloads W1–W9 and A1–A4, a file each: what is to be done, the timed loop, contenders and bars |
//! | [`replay`] | the recorded traffic: its format, the RESP parser, the proxy that each contender makes of it |
//! | `contenders` | who does the workloads |
//! | [`scenario`] | what a scenario, a contender and a bar are |
//! | [`measure`] | criterion, and the rounds |
//! | `part`, `runner`, `progress`, `interrupt` | a run as a list of steps: what is done, shown, and kept of each |
//! | [`backends`] | the allocators that are measured, by name |
//! | [`retention`] | what stays resident, and for how long: one process per allocator |
//! | [`heap`] | what the global heap has given out, by dhat: a second binary, one process per subject |
//! | [`memory`] | the counting allocator |
//! | [`resident`] | what the system says of this process's memory |
//! | [`results`] | all that a run found, as it is kept in its JSON file |
//! | `files` | where results lie, how they are written and read |
//! | [`compare`] | what changed between two runs, beyond noise |
//! | [`report`] | statistics, bars, tables, the page and its plots, the advice |
//! | [`cli`] | the command line |

pub mod backends;
mod block;
mod child;
pub mod cli;
pub mod compare;
mod contenders;
mod files;
pub mod heap;
mod idle;
mod interrupt;
mod machine;
pub mod measure;
pub mod memory;
mod names;
mod part;
mod progress;
pub mod replay;
pub mod report;
pub mod resident;
pub mod results;
pub mod retention;
mod runner;
pub mod scenario;
pub mod scenarios;
