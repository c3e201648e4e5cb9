//! What changed, told to whoever listens: a row in `events`, a NOTIFY by its trigger, a broadcast in each process.
//!
//! Events are hints. A listener that missed some reads the tables.

pub mod bus;
mod store;

pub use bus::Bus;
pub use store::{About, after, prune, record, record_all};
