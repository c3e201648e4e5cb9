//! Puts the program together, step by step, and takes it apart again. Each step says what it does and how long it took; what
//! cannot be done says what is wrong and what to do.

mod admin;
mod backup;
mod embedded;
mod keys;
mod limits;
mod outside;
mod parts;
mod report;
mod repositories;
mod serve;
mod vault;
mod work;

pub use admin::{create_user, disable_user, list_users, role, set_password};
pub use backup::{backup, restore};
pub use parts::{migrate, prepare_cache};
pub use serve::{http, serve};
pub use vault::{generate_key, rotate_keys};
pub use work::work;

/// Why the program does not start. The words are for the operator.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;
