//! The workloads, a file each: W1–W9 of buffers, shapes that traffic really has (`rpc` to `trickle`), A1–A4 of the
//! allocators behind them. A file holds the trait that says what a contender has to do, the timed loop, and the list of
//! contenders with the bars; what they do it with is in `contenders` and `backends`.
//!
//! Inputs go through `black_box` before every operation and outputs after it, and the contender's state once before
//! the loop: from then on the compiler has to assume that each `black_box` may look at it, so it lives in memory
//! between operations as it would in a program.

mod a1_one;
mod a2_many;
mod a3_handover;
mod a4_first_touch;
mod allocator;
mod fanout;
mod frame;
mod lines;
mod pattern;
mod proxy;
mod rpc;
mod socket;
mod tls;
mod trickle;
mod w1_small;
mod w2_reserve;
mod w3_frame_attached;
mod w4_frame_copied;
mod w5_splice;
mod w6_slice;
mod w7_lines;
mod w8_bulk;
mod w9_idle;

pub(crate) use fanout::{ATTACH_FROM, FanOut, HEADER, OUTPUTS};
pub(crate) use frame::{Frame, FrameQueue, IOVECS};
pub(crate) use lines::{LineServer, OK, key};
pub(crate) use proxy::Proxy;
pub(crate) use rpc::{Call, Head, Part, Rpc};
pub(crate) use socket::Outbound;
pub(crate) use tls::{Record, Tls};
pub(crate) use trickle::{MESSAGE, Trickle};
pub(crate) use w1_small::SmallQueue;
pub(crate) use w2_reserve::ReserveQueue;
pub(crate) use w5_splice::Splice;
pub(crate) use w6_slice::{CUT, Cut};
pub(crate) use w7_lines::Lines;
pub(crate) use w8_bulk::{Bulk, CHUNK, PASS};
pub use w9_idle::{Idle, idle};

use crate::replay;
use crate::scenario::Scenario;

/// Everything that is timed, in the order of the table.
///
/// ```
/// let ids: Vec<_> = linkbuf_bench::scenarios::all().iter().map(|s| s.id).collect();
/// assert_eq!(ids[..3], ["W1", "W2", "W3"]);
/// ```
pub fn all() -> Vec<Scenario> {
    let mut all = vec![
        w1_small::scenario(),
        w2_reserve::scenario(),
        w3_frame_attached::scenario(),
        w4_frame_copied::scenario(),
        w5_splice::scenario(),
        w6_slice::scenario(),
        w7_lines::scenario(),
        w8_bulk::scenario(),
        rpc::scenario(),
        lines::scenario(),
        proxy::scenario(),
        fanout::of_a_large_payload(),
        fanout::of_a_small_payload(),
        tls::scenario(),
        trickle::scenario(),
    ];
    all.extend(replay::scenarios());
    all.extend([
        a1_one::of_4_kib(),
        a1_one::of_8_kib(),
        a2_many::bare(),
        a2_many::touched(),
        a3_handover::scenario(),
        a4_first_touch::scenario(),
    ]);
    all
}
