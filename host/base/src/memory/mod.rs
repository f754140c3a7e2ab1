//! Memory: what there is of it on this machine, and how much of it something may take.

mod budget;
mod machine;

pub use budget::{MemoryBudget, MemoryBudgetError};
pub use machine::{machine_memory, usable_memory};
