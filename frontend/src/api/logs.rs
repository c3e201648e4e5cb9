//! Logs: rows before or after a place, and where rows with a text or a level are.

use shared_types::log_entry::LogMatches;
use shared_types::{AppServerId, InstanceId, LogEntry, LogLevel, Page};

use super::Result;
use super::request::{get, send, url};
use crate::paths::encode;

/// How many rows one answer holds at most.
pub const PAGE: usize = 500;

/// Whose log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOf {
    /// An app server's and its machine's; rows are numbered by `seq`, without a gap.
    AppServer(AppServerId),
    /// An instance's own; rows are numbered by `id`, with gaps.
    Instance(InstanceId),
}

/// Which rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first ones after this number.
    After(i64),
    /// The last ones of all.
    End,
}

impl LogOf {
    fn path(self) -> String {
        match self {
            Self::AppServer(id) => format!("/app-servers/{id}/logs"),
            Self::Instance(id) => format!("/instances/{id}/logs"),
        }
    }

    /// Where the whole log is as plain text.
    pub fn download(self) -> String {
        url(&format!("{}?format=text", self.path()))
    }
}

/// So many rows at most, ascending; of a level and those above it, or of all.
pub async fn read(of: LogOf, place: Place, level: Option<LogLevel>, limit: usize) -> Result<Vec<LogEntry>> {
    let place = match place {
        Place::After(number) => format!("after={number}"),
        // Greater than any row's number, and still exact wherever numbers are read as floats.
        Place::End => format!("before={}", (1_i64 << 53) - 1),
    };
    let level = level.map(|level| format!("&level={}", level.as_str())).unwrap_or_default();
    let page: Page<LogEntry> = send(get(&format!("{}?{place}&limit={limit}{level}", of.path()))).await?;
    Ok(page.items)
}

/// Where the rows of a level and those above it are, that hold these words; without words all of them.
pub async fn matches(of: LogOf, level: Option<LogLevel>, words: &str) -> Result<LogMatches> {
    let level = level.unwrap_or(LogLevel::Debug).as_str();
    let words = if words.is_empty() { String::new() } else { format!("&q={}", encode(words)) };
    send(get(&format!("{}/matches?level={level}{words}", of.path()))).await
}
