//! Routing of visitors' requests to app servers.

pub mod bad_routes;
pub mod providers;
pub mod public;
pub mod traffic;
