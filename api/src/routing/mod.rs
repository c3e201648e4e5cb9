//! Where visitors are sent.

pub mod providers;
pub mod traffic;
