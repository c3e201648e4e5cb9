//! The machines that app servers own: created, restarted, deleted. Independent of what runs on them.

pub mod advance;
pub mod conformance;
pub mod host_key;
pub mod key;
mod login;
pub mod people;
pub mod probe;
pub mod provider;
pub mod providers;
pub mod registry;
mod ssh;
pub mod store;
