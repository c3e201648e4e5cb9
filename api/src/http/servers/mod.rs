//! Operations on machines.

mod count;
mod list;
mod orphans;
mod read;
mod reap;

pub use count::count_servers;
pub use list::list_servers;
pub use orphans::list_orphans;
pub use read::read_server;
pub use reap::remove_orphans;
