//! The tests of the API crate: stories through the public API against a real Postgres, each with a database of its own.
//!
//! `app` is what they are told with, `routes` has a file an operation, `flows` what takes more than one, `client` what the
//! client for scripts does, `db` what the database itself refuses, `system` the parts that touch the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]
#![allow(clippy::print_stdout, reason = "figures and skipped tests are what one wants to see")]

mod app;
mod architecture;
mod client;
mod db;
mod flows;
mod routes;
mod system;
