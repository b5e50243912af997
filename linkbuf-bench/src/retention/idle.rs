//! R5: many buffers, 1 MiB passed through each in turn, and what each keeps while it is idle.

use super::buffers::Passing;
use super::subjects::{Subject, Work};
use super::watch::{Base, bytes};
use super::{Found, Sizes};
use crate::memory::count;

/// Bytes that go through a buffer, all in before the first goes out.
pub(super) const MESSAGE: usize = 1 << 20;
/// The figures that bars are set on.
pub(super) const HELD: &str = "held per buffer";
pub(super) const RESIDENT: &str = "resident after trim()";
pub(super) const PAGE: &str = "page";

/// How many are made where `n` are asked for, and as how many buffers they count.
pub(super) fn number<S: Subject>(subject: &S, n: usize) -> (usize, f64) {
    let n = n.min(subject.at_most()).div_ceil(S::Buffer::COUNTS);
    (n, bytes((n * S::Buffer::COUNTS) as u64))
}

/// R5, as work for any subject.
pub(super) struct Idle(pub(super) Sizes);

impl Work for Idle {
    type Out = Result<Found, String>;

    fn with<S: Subject>(self, subject: S) -> Result<Found, String> {
        let (n, number) = number(&subject, self.0.buffers);
        let mut buffers = Vec::new();
        // Without memory yet, but for their own, which is in the base.
        buffers.resize_with(n, || subject.buffer());
        let base = Base::now()?;
        let ((), heap) = count(|| {
            for buffer in &mut buffers {
                buffer.pass(MESSAGE);
            }
        });
        // Others don't tell, so it is counted.
        let held = subject.held(&buffers).unwrap_or(heap.live.unsigned_abs());
        let mut found = Found::default();
        found.count("buffers", number);
        found.each(HELD, bytes(held) / number);
        found.each("resident", base.more()? / number);
        subject.trim();
        found.each(RESIDENT, base.more()? / number);
        if let Some(page) = subject.page() {
            found.each(PAGE, bytes(page as u64));
        }
        Ok(found)
    }
}
