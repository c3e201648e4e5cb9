//! The children that outlive us: the embedded Postgres and the gateway, for real.

mod gateway;
mod http;
mod postgres;
