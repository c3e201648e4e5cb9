//! What happened, for people. An app server's log is numbered 1, 2, 3, … without a gap, whoever writes.
//!
//! The number is given under the lock of the log's counter row, which is held until the lines are committed: numbers appear
//! in their order, so a reader that has `n` has all before it.

mod store;

pub use store::{About, Line, Query, append, page, prune_app_server, prune_instances, pruned_at};
