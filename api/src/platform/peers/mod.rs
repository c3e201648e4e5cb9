//! The servers of one database: what each says of itself, and which requests it has accepted.

mod exchange;
pub mod store;

pub use exchange::exchange;
