//! HTTP: the only module that knows actix and status codes. Each operation is one function in its own file: it
//! authorizes, parses, calls the domain and answers.

pub mod activation;
pub mod activity;
pub mod app_servers;
pub mod assets;
pub mod auth;
pub mod client_errors;
pub mod cursor;
pub mod error;
pub mod events;
pub mod extract;
pub mod health;
pub mod instance_types;
pub mod instances;
pub mod log_view;
mod logins;
pub mod logs;
pub mod metrics;
pub mod middleware;
pub mod needs;
pub mod openapi;
pub mod prefer;
pub mod principal;
pub mod problems;
pub mod pull_requests;
pub mod queue;
pub mod reader;
pub mod retention;
pub mod router;
mod searching;
pub mod servers;
pub mod source_credentials;
pub mod span;
pub mod sse;
pub mod system;
pub mod users;
pub mod webhooks;
