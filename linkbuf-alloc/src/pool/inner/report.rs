//! What a pool says of itself.

use std::sync::atomic::Ordering::Relaxed;

use linkbuf_core::{AllocFigures, NodeAllocator};

use super::{
    super::{
        class,
        depot::ShelfFigures,
        local::{Cache, Registered},
        magazine::Magazine,
        process,
    },
    Inner,
};
use crate::figures::{CLASSES, Figures};

impl<A: NodeAllocator> Inner<A> {
    /// What the memory behind the pool says of itself.
    fn source_report(&self) -> Figures {
        if let Some(known) = process::report_of(&self.source) {
            return known;
        }
        Figures {
            totals: self.source.figures().unwrap_or_default(),
            ..Figures::default()
        }
    }

    pub(in crate::pool) fn report(&self) -> Figures {
        let mut figures = self.source_report();
        let mut cached_blocks = 0;
        let mut cached_bytes = 0;
        let mut per_class = [ShelfFigures::default(); CLASSES];
        {
            let register = self.register();
            figures.remote_frees += register.surplus;
            for (class, of_class) in per_class.iter_mut().enumerate() {
                of_class.hits += register.hits.get(class).copied().unwrap_or_default();
            }
            let listed = register.caches.capacity() * size_of::<Registered>();
            let caches = register.caches.len() * size_of::<Cache>();
            figures.own_bytes += (listed + caches) as u64;
            for cache in &register.caches {
                for (class, counts) in cache.counts().into_iter().enumerate() {
                    per_class[class].blocks += counts.cached;
                    per_class[class].hits += counts.hits;
                    figures.own_bytes += counts.magazines * size_of::<Magazine>() as u64;
                    cached_bytes += counts.cached * class::size(class) as u64;
                    figures.remote_frees += counts.surplus;
                }
            }
        }
        for (class, of_class) in per_class.iter().enumerate() {
            let shelf = self.depot.figures(class);
            figures.own_bytes += shelf.own_bytes;
            let figures = &mut figures.classes[class];
            figures.cached_blocks += of_class.blocks + shelf.blocks;
            figures.hits += of_class.hits + shelf.hits;
            figures.misses += self.misses[class].load(Relaxed);
            cached_blocks += of_class.blocks + shelf.blocks;
        }
        cached_bytes += self.depot.bytes() as u64;
        let held_blocks = self.held_blocks.load(Relaxed).max(0).unsigned_abs();
        let held_bytes = self.held_bytes.load(Relaxed).max(0).unsigned_abs();
        let totals = &mut figures.totals;
        // Where the memory behind the pool does not count what it gave, the pool's own count stands.
        totals.live_blocks = totals
            .live_blocks
            .max(held_blocks)
            .saturating_sub(cached_blocks);
        totals.live_bytes = totals
            .live_bytes
            .max(held_bytes)
            .saturating_sub(cached_bytes);
        totals.cached_bytes += cached_bytes;
        figures
    }

    pub(in crate::pool) fn figures(&self) -> AllocFigures {
        self.report().totals
    }
}
