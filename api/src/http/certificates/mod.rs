//! Operations on certificates.

mod list;

pub use list::list_certificates;
