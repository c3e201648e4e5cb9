//! The tests of the API crate: scenarios over the public API against a real Postgres, each with a database of its own.
//!
//! `app` is the test framework, `routes` has a file per operation, `flows` covers several operations, `client` the
//! command-line client, `db` the database's own constraints, `system` the parts that use the host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]
#![allow(clippy::print_stdout, reason = "figures and skipped tests are what one wants to see")]

mod app;
mod architecture;
mod client;
mod db;
mod flows;
mod routes;
mod system;
