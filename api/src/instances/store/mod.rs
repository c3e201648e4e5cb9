//! The tables of instances, app servers and builds.

pub mod access;
pub mod activations;
pub mod app_servers;
pub mod builds;
mod called;
pub mod checks;
mod found;
pub mod health;
pub mod health_mail;
pub mod health_watch;
pub mod hook_runs;
pub mod hostnames;
pub mod housekeeping;
pub mod instances;
pub mod listing;
pub mod locks;
pub mod machines;
pub mod mail;
pub mod orphans;
pub mod pins;
pub mod providers;
pub mod queue;
mod queued;
pub mod retention;
pub mod routing;
pub mod summaries;
pub mod teams;
