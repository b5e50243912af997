//! A pool: per-thread caches of magazines and a depot, over any allocator.
//!
//! ```text
//!  take / give            thread         thread                  Slot: loaded and other magazine
//!                       ┌────────┐     ┌────────┐                of each class from 4 to 64 KiB
//!                       │ Cache  │     │ Cache  │
//!                       └───┬────┘     └───┬────┘
//!       full against empty  └──────┬───────┘   a magazine at a time, by pointer
//!                              ┌───┴───┐
//!                              │ Depot │        full magazines by class, single blocks, `max_cached` bytes
//!                              └───┬───┘
//!       misses, overflow, decay    │
//!                              ┌───┴───┐
//!                              │   A   │        slabs, mappings, a user's own
//!                              └───────┘
//! ```
//!
//! # Invariants
//! - **P1** A cache belongs to the thread that made it. Its list and its ways in are thread-local, and `Cache` and
//!   `Slot` are not `Sync`, so only that thread has a `&Cache`; other threads hold a `Registered`, which reads atomics.
//! - **P2** When a pool is dropped, nobody is inside it nor will be (`&mut`), and all earlier calls happened before.
//!   A thread that ends moves blocks only while it holds a strong count, so never during the drop. Hence the drop may
//!   empty every cache on its register.
//! - **P3** A cache has two holders: its thread and its pool. The thread lets go when it ends, or when it finds the
//!   pool gone; the pool when it is dropped or the thread takes leave. The last one frees it. So it lives as long as
//!   it is on the register, and as long as it is in its thread's list.
//! - **P4** A cache holds a weak count of its pool, so no other pool comes to stand at that pool's address before the
//!   cache is out of its thread's list. Hence an equal address means the same pool.
//! - **P5** A magazine has one owner: a slot, the depot, or a local variable. A slot's `limit` is above 0 only while
//!   it has a loaded magazine, and the first `len` entries of that are written, `len <= limit <= CAPACITY`.
//! - **P6** An entry is a block of the pool's `source` with the length of its class, whose first `init` bytes are
//!   initialised, and that nobody uses.
//!
//! - **P7** In a process that was forked from one with memory that it has not (`backend::losses`), blocks of that
//!   memory may still come back, and nobody but `source` can tell them. So a pool that may have such blocks takes
//!   nothing from caches or depot any more, and what comes back goes to `source`, until `source` has none of them.
//! - **P8** A child of a fork finds the register and the depot whole, for `fork` has their locks meanwhile; and the
//!   cache of the thread that forks, which is outside the pool then. Those of other threads it strikes off, unread.
//!
//! Nothing is shared between threads without a lock but counters that order nothing, and the count of P3.

mod class;
mod depot;
mod inner;
mod limits;
mod local;
mod magazine;
mod pooled;
mod process;
mod slot;
#[cfg(test)]
mod tests;

pub use limits::PoolLimits;
#[cfg(all(feature = "hugepage", target_os = "linux"))]
pub(crate) use local::forked;
pub use pooled::Pooled;
pub use process::ProcessPool;
