//! What the scenarios of the allocators (A1 …) share: how an allocator becomes a contender.

use linkbuf_core::NodeAllocator;

use crate::backends::{Backend, Job};
use crate::scenario::{Case, Contender};

/// What such a scenario does, with whichever allocator.
pub(super) trait Workload: Copy + 'static {
    /// The case of `alloc`.
    fn over<A: NodeAllocator>(self, alloc: A) -> impl Case + 'static;

    /// `backends` as contenders.
    fn contenders(self, backends: &[Backend]) -> Vec<Contender> {
        let contender = |backend: &Backend| {
            let backend = *backend;
            let make = move || match backend.run(Make(self)) {
                Ok(case) => case,
                Err(why) => panic!("{}: {why}", backend.name()),
            };
            // They are many, and half of the rounds tell as much.
            Contender::of(backend.kind(), backend.name(), make).every(2)
        };
        backends.iter().map(contender).collect()
    }
}

struct Make<W>(W);

impl<W: Workload> Job for Make<W> {
    type Out = Box<dyn Case>;

    fn with<A: NodeAllocator>(self, alloc: A) -> Box<dyn Case> {
        Box::new(self.0.over(alloc))
    }
}

/// `Ok` if `blocks` are of at least `len` bytes and no two share one, as their owners can tell.
pub(super) fn expect_apart(
    blocks: &mut [crate::block::Block<'_, impl NodeAllocator>],
    len: usize,
) -> Result<(), String> {
    if let Some(short) = blocks.iter().find(|block| block.len() < len) {
        return Err(format!("{} bytes came for {len}", short.len()));
    }
    for (seed, block) in blocks.iter_mut().enumerate() {
        block.fill(seed);
    }
    match (0..)
        .zip(&*blocks)
        .find(|(seed, block)| !block.holds(*seed))
    {
        Some((n, _)) => Err(format!("block {n} shares memory with another")),
        None => Ok(()),
    }
}
