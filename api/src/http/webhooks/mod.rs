//! Webhooks from other services.

mod github;

pub use github::receive_github_webhook;
