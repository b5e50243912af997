//! R1–R4: a gibibyte of blocks is taken, written to and given back, and what stays is weighed.

use std::sync::mpsc::channel;
use std::thread;
use std::time::Instant;

use linkbuf_core::NodeAllocator;

use super::subjects::trimmer;
use super::watch::{Base, bytes, tell};
use super::{Found, Sizes, Trial};
use crate::backends::Job;
use crate::block::Block;

/// Bytes of a block.
const LEN: usize = 8192;
/// One in so many survives.
const SURVIVES: u64 = 64;

/// The figures that bars are set on.
pub(super) const TRIMMED: &str = "after trim()";
pub(super) const PER_LIVE: &str = "resident / live";

/// R1–R4, as a job for any allocator.
pub(super) struct Blocks {
    pub(super) trial: Trial,
    pub(super) sizes: Sizes,
}

type Slot<'a, A> = Option<Block<'a, A>>;

impl Job for Blocks {
    type Out = Result<Found, String>;

    fn with<A: NodeAllocator>(self, alloc: A) -> Result<Found, String> {
        let silent = matches!(self.trial, Trial::Silent | Trial::OtherSilent);
        let elsewhere = matches!(self.trial, Trial::OtherTrim | Trial::OtherSilent);
        let mut found = Found::default();
        let count = (self.sizes.mib << 20) / LEN;
        // Written through, so that the table is in the base.
        let mut blocks: Vec<Slot<'_, A>> = Vec::new();
        blocks.resize_with(count, || None);
        thread::scope(|scope| -> Result<Found, String> {
            let (go, arrived) = channel::<&mut [Slot<'_, A>]>();
            let (told, done) = channel();
            if elsewhere {
                scope.spawn(move || {
                    // It lives on, idle, until all has been weighed.
                    for blocks in arrived {
                        give_back(blocks, || false);
                        told.send(()).ok();
                    }
                });
            }
            let trimmer = if silent { Some(trimmer(&alloc)?) } else { None };
            let base = Base::now()?;
            for slot in &mut blocks {
                slot.insert(Block::take(&alloc, LEN)).touch_pages();
            }
            let taken = base.more()?;
            found.bytes("taken", taken);
            let mut live = 0;
            if elsewhere {
                let gone = "the other thread is gone";
                go.send(&mut blocks).map_err(|_| gone)?;
                done.recv().map_err(|_| gone)?;
            } else if self.trial == Trial::Survivors {
                live = give_back(&mut blocks, at_random());
            } else {
                give_back(&mut blocks, || false);
            }
            if silent {
                tell(&mut found, taken, base.watch(taken, self.sizes.watch)?);
                drop(trimmer);
                return Ok(found);
            }
            let at_once = base.more()?;
            let start = Instant::now();
            alloc.trim();
            let took = start.elapsed();
            let left = base.more()?;
            if self.trial == Trial::Survivors {
                let live = bytes(live as u64 * LEN as u64);
                found.bytes("live", live);
                found.bytes("at once", at_once);
                found.bytes(TRIMMED, left);
                found.times(PER_LIVE, left / live);
            } else {
                found.part("at once", at_once / taken);
                found.part(TRIMMED, left / taken);
            }
            found.seconds("trim() took", Some(took.as_secs_f64()));
            Ok(found)
        })
    }
}

/// Gives all blocks back in the order in which they came, but for those that survive. Returns how many do.
fn give_back<A: NodeAllocator>(
    blocks: &mut [Slot<'_, A>],
    mut survives: impl FnMut() -> bool,
) -> usize {
    let mut live = 0;
    for slot in blocks {
        if survives() {
            live += 1;
        } else {
            *slot = None;
        }
    }
    live
}

/// True of one call in 64, at random, and in every run of the same ones.
pub(super) fn at_random() -> impl FnMut() -> bool {
    // xorshift64*: good enough to choose by.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32 < (1 << 32) / SURVIVES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_64_survives() {
        let mut survives = at_random();
        let live = (0..100_000).filter(|_| survives()).count();
        assert!((1450..1675).contains(&live), "{live} of 100,000");
    }
}
