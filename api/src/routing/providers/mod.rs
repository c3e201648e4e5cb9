//! What the ports of `routing` are implemented with.

mod body;
pub mod direct;
pub mod fake;
pub mod haproxy;
mod question;
