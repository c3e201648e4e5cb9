//! One file per operation: the good case and the operation's own refusals. What holds for all operations is tested on
//! each operation of the document, in `document` and `every`.

mod activity;
mod app_servers;
pub mod auth;
mod certificates;
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
mod source_credentials;
mod users;
