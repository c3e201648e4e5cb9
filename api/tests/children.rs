//! The children that outlive us: the embedded Postgres and the gateway, for real.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

#[path = "children/gateway.rs"]
mod gateway;
#[path = "children/http.rs"]
mod http;
#[path = "children/postgres.rs"]
mod postgres;
