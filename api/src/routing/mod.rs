//! Where visitors are sent.

pub mod bad_routes;
pub mod providers;
pub mod public;
pub mod traffic;
