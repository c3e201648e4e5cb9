//! Implementations of the ports of `routing`.

mod body;
pub mod direct;
pub mod fake;
pub mod haproxy;
mod question;
