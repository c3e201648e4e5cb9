//! The state of the system.

mod read;

pub use read::read_system;
