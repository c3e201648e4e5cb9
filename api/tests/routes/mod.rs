//! A file an operation: the good case, and every refusal of its own. What must hold for all operations is asked of all
//! that the document names, in `document` and `every`.

mod activity;
mod app_servers;
mod auth;
mod client_errors;
mod conventions;
pub mod document;
mod events;
mod every;
mod health;
mod instances;
mod logs;
mod permissions;
mod retention;
mod servers;
mod users;
