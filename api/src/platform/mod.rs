//! Infrastructure that does not depend on the domain.

pub mod addresses;
pub mod answers;
pub mod audit;
pub mod cache;
pub mod cgroups;
pub mod children;
pub mod command;
pub mod db;
pub mod events;
pub mod files;
pub mod guard;
pub mod jobs;
pub mod logs;
pub mod mail;
pub mod metrics;
pub mod origin;
pub mod outbox;
pub mod peers;
pub mod public_key;
pub mod removal;
pub mod sandbox;
pub mod seccomp;
pub mod trouble;
pub mod users;
pub mod vault;
pub mod web;
