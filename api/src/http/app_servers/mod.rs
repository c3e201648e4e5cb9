//! Operations on app servers.

mod access;
mod activate;
mod check;
mod checks;
mod diff;
mod list;
mod log_matches;
mod logs;
mod logs_stream;
mod pin;
mod preview_link_create;
mod preview_link_delete;
mod preview_links;
mod read;
mod ssh_keys_install;
mod stop;
mod terminate;
mod unpin;

pub use access::read_app_server_access;
pub use activate::activate_app_server;
pub use check::check_app_server;
pub use checks::read_checks;
pub use diff::diff_app_server;
pub use list::list_app_servers;
pub use log_matches::list_app_server_log_matches;
pub use logs::list_app_server_logs;
pub use logs_stream::stream_app_server_logs;
pub use pin::pin_app_server;
pub use preview_link_create::create_preview_link;
pub use preview_link_delete::delete_preview_link;
pub use preview_links::list_preview_links;
pub use read::read_app_server;
pub use ssh_keys_install::install_ssh_keys;
pub use stop::stop_app_server;
pub use terminate::terminate_app_server;
pub use unpin::unpin_app_server;
