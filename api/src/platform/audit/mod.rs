//! The audit log. Rows are only added; the operator may set how long they are kept.

mod store;

pub use crate::platform::origin::{Actor, Origin};
pub use store::{Entry, Query, count_refused, page, prune, record};
