//! The job queue, the processes that work on it, and which of them are alive. Knows no domain.

pub mod clock;
pub mod duty;
pub mod holder;
pub mod queue;
pub mod span;
pub mod workers;
