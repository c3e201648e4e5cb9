//! App servers.

mod activate_app_server;
mod check_app_server;
mod list_app_server_logs;
mod list_app_servers;
mod read_app_server;
mod read_checks;
mod stream_app_server_logs;

pub use activate_app_server::{__path_activate_app_server, activate_app_server};
pub use check_app_server::{__path_check_app_server, check_app_server};
pub use list_app_server_logs::{__path_list_app_server_logs, list_app_server_logs};
pub use list_app_servers::{__path_list_app_servers, list_app_servers};
pub use read_app_server::{__path_read_app_server, read_app_server};
pub use read_checks::{__path_read_checks, read_checks};
pub use stream_app_server_logs::{__path_stream_app_server_logs, stream_app_server_logs};
