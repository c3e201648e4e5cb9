//! What the ports of `routing` are implemented with.

pub mod direct;
pub mod fake;
pub mod haproxy;
mod question;
