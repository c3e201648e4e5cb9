//! What runs when: the queue, and the leases that say who is at a build. Knows no domain.

pub mod heartbeat;
pub mod holder;
mod holders;
pub mod lease;
pub mod queue;
pub mod span;
pub mod workers;

pub use holders::forget_holders;
