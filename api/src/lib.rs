//! The OpenCraft Instance Manager. `ARCHITECTURE.md` is the map.

#![forbid(unsafe_code)]

pub mod ansible;
pub mod answers;
pub mod app;
pub mod audit;
pub mod children;
pub mod client;
pub mod config;
pub mod db;
pub mod events;
pub mod guard;
pub mod http;
pub mod instances;
pub mod jobs;
pub mod logs;
pub mod mail;
pub mod metrics;
pub mod openedx;
pub mod origin;
pub mod platform;
pub mod pull_requests;
pub mod router;
pub mod routing;
pub mod servers;
pub mod start;
pub mod system;
pub mod users;
pub mod vault;
pub mod worker;
