//! All logs together. An instance's and an app server's own are theirs (`http/instances`, `http/app_servers`).

mod list;

pub use list::list_logs;
