//! Logs for people. The entries of an app server's log are numbered 1, 2, 3, … without gaps, even with several writers.
//!
//! The number is assigned under the lock of the log's counter row, which is held until the lines are committed: numbers
//! become visible in order, so a reader that has `n` has all entries before it.

pub mod mask;
mod store;

pub use mask::Mask;
pub use store::{
    About, Everywhere, Line, MAX_TEXT, Query, append, everywhere, matches, page, prune_app_server, prune_instances,
    pruned_at,
};

use shared_types::LogEntry;

/// Formats an entry as a line of plain text, with its line break.
pub fn line(entry: &LogEntry) -> String {
    let LogEntry { created, level, text, .. } = entry;
    format!("{} {:7} {text}\n", created.format("%Y-%m-%d %H:%M:%S%.3f"), level.as_str())
}
