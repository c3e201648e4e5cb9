//! Routing of visitors' requests to app servers.

pub mod bad_routes;
pub mod gateways;
pub mod providers;
pub mod public;
pub mod store;
pub mod traffic;
