//! The machines that app servers own: from wanted to ready, restarted, gone. Knows nothing of what runs on them.

pub mod advance;
pub mod probe;
pub mod provider;
pub mod providers;
pub mod store;
