//! The unsafe core: blocks, nodes, views and the chain that links them.
//!
//! Everything outside this module is safe code on top of [`Chain`], [`View`] and [`ViewList`], whose methods are safe
//! to call with any arguments. Inside, the invariants below hold between any two calls; each `SAFETY` comment cites
//! those it rests on.
//!
//! ```text
//!  Chain    head ──► ┌──────┐ ──► ┌──────┐ ──► ┌──────┐ ◄── tail        headers: 128 bytes each (64-bit), dense
//!                    │header│     │header│     │header│
//!                    └──┬───┘     └──┬───┘     └──┬───┘
//!                       ▼            ▼            ▼
//!  blocks    ░░░░█████████████  ████foreign████  █████████▒▒▒▒▒▒······
//!                ▲                                        ▲     ▲
//!                r (reader)                               f     w (flush, writer)
//!
//!  ░ read   █ readable   ▒ pending   · room
//! ```
//!
//! # Invariants
//!
//! **I1 (block).** The bytes `base .. base + cap` of a block are one allocation, or one owner's bytes. They stay where
//! they are and alive while the block's count is above 0, and so does the header that the block stands in.
//!
//! **I2 (initialised).** The first `init` bytes of a native block are initialised, and so is every byte of a foreign
//! one. `init` only grows while the block is in use, and only its writer (I5) changes it. In the tail,
//! `w.ptr <= w.end <= base + init` or there is no room (`w.end == w.ptr`).
//!
//! **I3 (count).** A block's count is the sum of the credits of the nodes that see it and the number of its views.
//! Every credit is at least 1. Where a node's credit equals the count, nobody else sees the block.
//!
//! **I4 (published).** A byte that a reader or view can see is not written to, until the block was seen to be its
//! node's alone (I3) by a call that borrows the chain mutably, when no slice of a reading session is alive (I8).
//!
//! **I5 (room).** The bytes `end .. room_end` of a node (in the tail: from `w.ptr`), and its pending bytes if the node
//! has room at all (`room_end > start`), are that node's alone: no view and no other node covers them. A node of a
//! foreign block, or of a view, has none: `room_end == start`. (A chain that is about to be dropped may let its pending
//! bytes be viewed; should it stay after all, those views are dropped first.) All nodes with room of one block are in
//! one chain, its parts following each other in order; that chain alone uses the block's `init` and `pins`.
//!
//! **I6 (chain).** `head .. r.node .. f.node .. w.tail` are in this order in one list that ends at the tail; all are
//! `None` together. Each header is in one place: a chain, a spare list, a free list, or left to its block's views.
//! `resume`, if set, is a node of the chain before its tail.
//!
//! **I7 (windows).** A node's bytes are `start .. end` (in the tail: `start .. w.ptr`), within its block's. The reader
//! stands at `r.ptr <= r.end` in `r.node`, and `r.end` is `f.ptr` if the reader is in `f.node`, the node's end
//! otherwise. `r.beyond` readable bytes lie in later nodes; `f.pend` pending bytes lie in `f.node` and later ones
//! before the tail (0 if `f.node` is the tail).
//!
//! **I8 (session).** A slice that is handed out under a borrow of the chain is of readable or gathered bytes, or of
//! room under a mutable borrow of its own. What can be called during a reading session neither frees nor writes bytes
//! that were handed out: it moves the reader, gathers into fresh scratch room, and makes views.
//!
//! **I9 (handles).** A `NodePtr` or `BlockPtr` is used only while its header is alive: handles live in the structures
//! of I6 and in views, and freeing is the last use.
//!
//! **I10 (slots).** The entries of the slot table are in the order of their bytes; each is a range of pending bytes in
//! a block that a pending node with room sees.

mod block;
mod book;
#[cfg(feature = "bytes")]
mod bufmut;
mod chain;
mod chain_insert;
mod chain_read;
mod chain_release;
mod chain_splice;
mod chain_write;
mod cold;
#[cfg(debug_assertions)]
mod invariants;
mod node;
mod pieces;
mod refcount;
mod run;
mod scratch;
mod search;
mod session;
mod slots;
mod store;
mod view;
mod view_list;

pub(crate) use chain::Chain;
pub(crate) use chain_read::Cut;
pub(crate) use cold::SlotKey;
pub(crate) use pieces::Pieces;
pub(crate) use run::Run;
pub(crate) use session::ReadSession;
pub(crate) use view::View;
pub(crate) use view_list::ViewList;

/// Bytes from `from` up to `to`, two addresses in the same block with `from <= to`.
#[inline]
fn span(from: *const u8, to: *const u8) -> usize {
    debug_assert!(from.addr() <= to.addr());
    to.addr().wrapping_sub(from.addr())
}
