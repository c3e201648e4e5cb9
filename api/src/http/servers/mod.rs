//! Machines.

mod list;
mod read;

pub use list::list_servers;
pub use read::read_server;
