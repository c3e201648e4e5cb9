//! Instances of any type and their app servers: create, change, launch, build, activate, route.
//!
//! The generic part: it uses applications only through [`application::Application`] and never names one.
//! Not here: HTTP, pull requests, what Open edX needs.
//!
//! Operations have one shape: `verb([manager,] conn, actor, id, …)` decides in one transaction, a savepoint if the caller
//! has begun one, ends with its `Journal`, and succeeds again without a change. Those that ask the application
//! or a provider first (activate, roll back, reap) take no connection, so that they hold none meanwhile.

pub mod access;
pub mod application;
pub mod backups;
pub mod builds;
pub mod certificates;
mod error;
pub mod health;
pub mod jobs;
mod journal;
pub mod machine;
mod manager;
pub mod migration;
pub mod names;
mod options;
mod own_secrets;
pub mod preview_links;
pub mod previews;
pub mod resources;
pub mod settings;
pub mod store;
mod stored;
pub mod traffic;
pub mod upkeep;

pub use error::Refusal;
pub use manager::{Manager, Ports};
pub use options::{BackupSchedule, Options, Pace};
