//! The provider against a small engine on a Unix socket, which answers as Podman 4.3 does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod creating;
mod engine;
mod http;
mod images;
mod life;
mod strange_sockets;
