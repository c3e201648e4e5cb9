//! Operations on the audit trail.

mod list;

pub use list::{ActivityFormat, list_activity};
