//! What others send us unasked.

mod github;

pub use github::receive_github_webhook;
