//! What a few slices hold on to: of the messages of a connection, one in 64 is kept, and the rest goes.

use super::blocks::at_random;
use super::buffers::Passing;
use super::subjects::{Subject, Work};
use super::watch::{Base, bytes};
use super::{Found, Sizes};

/// Bytes of a message, which is cut out whole.
const MESSAGE: usize = 1024;
/// Messages that arrive together.
const TOGETHER: usize = 64;

/// The trial, as work for any subject.
pub(super) struct Pinned(pub(super) Sizes);

impl Work for Pinned {
    type Out = Result<Found, String>;

    fn with<S: Subject>(self, subject: S) -> Result<Found, String> {
        let messages = (self.0.pin_mib() << 20) / MESSAGE;
        let mut kept = Vec::with_capacity(messages);
        let mut keep = at_random();
        // Written through, so that the table is in the base.
        kept.resize_with(messages, || None);
        kept.clear();
        let mut buffer = subject.buffer();
        let base = Base::now()?;
        for _ in 0..messages / TOGETHER {
            for _ in 0..TOGETHER {
                buffer.fill(MESSAGE);
            }
            for _ in 0..TOGETHER {
                let Some(cut) = buffer.cut(MESSAGE) else {
                    return Err("it has no slices: what is read from it is copied".into());
                };
                if keep() {
                    kept.push(Some(cut));
                }
            }
        }
        drop(buffer);
        subject.trim();
        let resident = base.more()?;
        let live = bytes((kept.len() * MESSAGE) as u64);
        let mut found = Found::default();
        found.count("slices", bytes(kept.len() as u64));
        found.bytes("live", live);
        found.bytes("resident", resident);
        found.times(FACTOR, resident / live);
        Ok(found)
    }
}

/// How many times its bytes a slice costs.
pub(super) const FACTOR: &str = "pin factor";
