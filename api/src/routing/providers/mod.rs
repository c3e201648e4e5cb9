//! Implementations of the ports of `routing`.

pub mod agents;
mod body;
pub mod direct;
pub mod fake;
pub mod haproxy;
mod question;
