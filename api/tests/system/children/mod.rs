//! The child processes that outlive the program, for real: the embedded Postgres and the gateway.

mod gateway;
mod http;
mod postgres;
