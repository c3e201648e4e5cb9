//! What runs when: the queue, and the leases that say who is at a build. Knows no domain.

pub mod holder;
pub mod queue;
pub mod span;
pub mod workers;
