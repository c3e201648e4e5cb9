//! The OpenCraft Instance Manager. See `ARCHITECTURE.md` for an overview.

#![forbid(unsafe_code)]

pub mod ansible;
pub mod app;
pub mod applications;
pub mod backups;
pub mod certificates;
pub mod client;
pub mod config;
pub mod dns;
pub mod gateway;
pub mod git;
pub mod http;
pub mod instances;
pub mod machines;
pub mod platform;
pub mod pull_requests;
pub mod resources;
pub mod routing;
pub mod start;
pub mod system;
pub mod worker;
