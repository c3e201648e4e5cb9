//! Operations on application types.

mod list;

pub use list::list_instance_types;
