//! The machines that app servers own.

pub mod provider;
pub mod providers;
