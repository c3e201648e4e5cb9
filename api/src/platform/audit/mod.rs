//! Who did what. Rows are only added; the operator may set for how long they are kept.

mod store;

pub use crate::platform::origin::Origin;
pub use store::{Entry, Query, page, prune, record};
