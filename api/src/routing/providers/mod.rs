//! What the ports of `routing` are implemented with.

pub mod fake;
pub mod haproxy;
