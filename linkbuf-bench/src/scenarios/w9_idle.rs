//! W9: the heap bytes that an idle buffer keeps after 1 MiB passed through it. Counted, not timed.

use crate::contenders::bytes_mut::Advance;
use crate::contenders::linkbuf::Linked;
use crate::contenders::linked_bytes;
use crate::memory::count;
use crate::scenario::Level;

use super::w8_bulk::{Bulk, CHUNK};

/// What one contender keeps when it is idle.
///
/// ```
/// // Nothing is counted in a program that doesn't install the counting allocator.
/// let idle = linkbuf_bench::scenarios::idle(|_| true);
/// assert!(idle.iter().any(|row| row.contender == "bytes_mut"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    /// Who.
    pub contender: &'static str,
    /// Heap bytes that it still holds.
    pub bytes: i64,
    /// How many it may hold, if there is a bar.
    pub bar: Option<(Level, i64)>,
}

/// Heap bytes of `make`'s buffer after `pass` took 1 MiB in and out of it; the buffer itself isn't on the heap.
fn kept<B: Bulk>(make: impl FnOnce() -> B) -> i64 {
    let chunk = [b'x'; CHUNK];
    let (buffer, tally) = count(|| {
        let mut buffer = make();
        buffer.pass(|_| &chunk, &mut [0; CHUNK], |_| ());
        buffer
    });
    drop(buffer);
    tally.live
}

/// Passes 1 MiB through those whose name is `wanted`, and weighs what stays. Needs the counting allocator.
///
/// ```
/// assert_eq!(linkbuf_bench::scenarios::idle(|name| name.starts_with("linkbuf")).len(), 2);
/// ```
pub fn idle(wanted: impl Fn(&str) -> bool) -> Vec<Idle> {
    type Contender = (&'static str, fn() -> i64, Option<(Level, i64)>);
    let all: [Contender; 4] = [
        ("linkbuf", || kept(Linked::new), Some((Level::Must, 4096))),
        (
            "linkbuf-release",
            || kept(Linked::releasing),
            Some((Level::Must, 0)),
        ),
        ("bytes_mut", || kept(Advance::new), None),
        ("linked_bytes", || kept(linked_bytes::Copied::new), None),
    ];
    all.into_iter()
        .filter(|(name, ..)| wanted(name))
        .map(|(contender, kept, bar)| Idle {
            contender,
            bytes: kept(),
            bar,
        })
        .collect()
}
