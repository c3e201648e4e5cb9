//! What runs when: the queue, the processes that work on it, and which of them live. Knows no domain.

pub mod holder;
pub mod queue;
pub mod span;
pub mod workers;
