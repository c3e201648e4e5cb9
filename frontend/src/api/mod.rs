//! The REST client, one function per endpoint. Only this module talks to the server; it uses no signals and no views.

pub mod account;
pub mod activity;
pub mod app_servers;
pub mod auth;
pub mod backups;
pub mod certificates;
pub mod dns;
mod error;
pub mod events;
pub mod instances;
pub mod logs;
pub mod machines;
pub mod pull_requests;
pub mod queue;
mod request;
pub mod resources;
pub mod source_credentials;
pub mod system;
pub mod users;

pub use error::ApiError;

/// The result of every call.
pub type Result<T> = std::result::Result<T, ApiError>;
