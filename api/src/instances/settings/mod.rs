//! What an instance is to be: its settings and policy, created, changed and read, with their secrets masked.

pub mod care;
pub(super) mod claim;
pub mod create;
pub(super) mod marks;
pub mod opened;
pub mod persistence;
pub mod read;
mod reserved;
pub mod sources;
pub mod update;
