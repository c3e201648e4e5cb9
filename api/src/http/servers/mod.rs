//! Machines.

mod list_servers;
mod read_server;

pub use list_servers::{__path_list_servers, list_servers};
pub use read_server::{__path_read_server, read_server};
