//! What is told in the end: statistics over the rounds, the bars, the tables.

pub mod advice;
mod judge;
mod names;
pub mod page;
mod plot;
mod stats;
mod table;

pub use judge::settle;
pub(crate) use table::empty;
pub use table::text;
