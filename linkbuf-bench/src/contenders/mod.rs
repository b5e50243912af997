//! Who does the workloads: a file each, with every workload that it takes part in.
//!
//! Each is written as its own author would want it used; where two idioms are in use, both are contenders.

pub(crate) mod bytes_deque;
pub(crate) mod bytes_mut;
pub(crate) mod floor;
pub(crate) mod linkbuf;
pub(crate) mod linked_bytes;
pub(crate) mod malloc;
pub(crate) mod shapes;
pub(crate) mod vec;
