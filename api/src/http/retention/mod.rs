//! For how long machines are kept.

mod list;

pub use list::list_retention;
