//! Change events: a row in `events`, a NOTIFY by its trigger, and a broadcast to the subscribers in each process.
//!
//! Events are hints. A subscriber that missed some reads the tables.

pub mod bus;
mod store;

pub use bus::Bus;
pub use store::{About, Missed, missed, prune, record, record_all};
