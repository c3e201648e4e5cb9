//! The list of all logs. Those of one instance or app server are in `http/instances` and `http/app_servers`.

mod list;

pub use list::list_logs;
