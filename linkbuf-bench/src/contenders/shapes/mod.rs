//! Who does the scenarios of real shapes: a file each.
//!
//! All read through room of their own, up to 64 KiB of it, and send what is in one piece by a plain write.

pub(crate) mod bytes_mut;
pub(crate) mod floor;
pub(crate) mod linkbuf;
pub(crate) mod linked_bytes;
pub(crate) mod segmented;
pub(crate) mod vec;

/// Iovecs of one write call.
const IOVECS: usize = 16;
