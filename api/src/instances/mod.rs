//! Instances and their app servers, whatever they run: create, change, launch, build, activate, route.
//!
//! The generic side of the house: it reaches the application through [`application::Application`] and never names one.
//! Not here: HTTP, pull requests, what Open edX needs.

pub mod activate;
pub mod application;
pub mod apply_routing;
pub mod archive;
mod bad_routes;
pub mod build;
pub mod care;
pub mod checks;
mod claim;
pub mod compare;
pub mod courier;
pub mod create;
pub mod disk;
pub mod drain;
mod error;
pub mod failure_mail;
pub mod health;
pub mod hold;
pub mod housekeeping;
pub mod jobs;
pub mod launch;
pub mod machine;
mod manager;
mod marks;
pub mod opened;
mod own_secrets;
pub mod queue;
pub mod read;
pub mod reaper;
pub mod retention;
pub mod rollback;
pub mod runs;
pub mod stop;
pub mod store;
mod stored;
pub mod switch;
pub mod terminate;
mod trouble;
pub mod update;
pub mod when_running;

pub use error::Refusal;
pub use manager::{Manager, Options};
pub use trouble::Trouble;
