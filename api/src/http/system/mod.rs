//! How the system is.

mod read;

pub use read::read_system;
