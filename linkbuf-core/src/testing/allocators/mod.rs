//! Allocators for tests. They nest: `Tracking<Failing<Odd>>` is an allocator too.

mod failing;
mod global;
mod odd;
mod telltale;
mod tracking;

pub use failing::{Failing, FaultPlan};
pub use global::{Exempt, FailingGlobal, HeapFigures};
pub use odd::Odd;
pub use telltale::Telltale;
pub use tracking::{Tracking, Violation};
