//! Who did what. Rows are only added.

mod store;

pub use store::{Entry, record};
