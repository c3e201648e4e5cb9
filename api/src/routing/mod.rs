//! Where visitors are sent.

pub mod providers;
pub mod public;
pub mod traffic;
