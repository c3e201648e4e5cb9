//! What happened, for people. An app server's log is numbered 1, 2, 3, … without a gap, whoever writes.
//!
//! The number is given under the lock of the log's counter row, which is held until the lines are committed: numbers appear
//! in their order, so a reader that has `n` has all before it.

pub mod mask;
mod store;

pub use mask::Mask;
pub use store::{
    About, Everywhere, Line, MAX_TEXT, Query, append, everywhere, matches, page, prune_app_server, prune_instances,
    pruned_at,
};

use shared_types::LogEntry;

/// An entry as a line of plain text, with its line break.
pub fn line(entry: &LogEntry) -> String {
    let LogEntry { created, level, text, .. } = entry;
    format!("{} {:7} {text}\n", created.format("%Y-%m-%d %H:%M:%S%.3f"), level.as_str())
}
