//! Starts and stops the program, step by step. Each step prints its name and duration; errors say what is wrong and
//! what to do.

mod admin;
pub mod assembly;
mod backup;
mod backups;
mod cache;
mod certificates;
mod check_provider;
mod containers;
mod data_dir;
mod database;
mod doctor;
mod embedded;
pub mod gateway;
mod keys;
mod limits;
mod machines;
mod openstack;
mod options;
mod outside;
mod presence;
mod report;
mod repositories;
mod resources;
mod sandbox;
mod serve;
mod settings;
mod vault;
mod way_out;
mod work;

pub use admin::{create_user, disable_user, list_users, role, set_password};
pub use backup::{backup, restore};
pub use cache::prepare_cache;
pub use check_provider::check_provider;
pub use database::migrate;
pub use doctor::doctor;
pub use options::options;
pub use resources::servers;
pub use serve::{http, serve};
pub use settings::{settings, settings_list, settings_page};
pub use vault::{generate_key, rotate_keys};
pub use work::work;

/// Why the program does not start; a message for the operator.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;
