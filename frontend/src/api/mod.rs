//! The REST API, one function an endpoint. The only place that talks to the server; it knows no signal and no view.

pub mod account;
pub mod activity;
pub mod app_servers;
pub mod auth;
mod error;
pub mod events;
pub mod instances;
pub mod logs;
pub mod machines;
pub mod pull_requests;
pub mod queue;
mod request;
pub mod system;
pub mod users;

pub use error::ApiError;

/// What every call answers.
pub type Result<T> = std::result::Result<T, ApiError>;
