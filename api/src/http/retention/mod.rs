//! Operations on the retention of machines.

mod list;

pub use list::list_retention;
