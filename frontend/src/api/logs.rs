//! Logs: rows before or after a position, and the numbers of rows that match a text or a level.

use shared_types::log_entry::LogMatches;
use shared_types::{AppServerId, InstanceId, LogEntry, LogLevel, Page};

use super::Result;
use super::request::{get, send, url};
use crate::paths::encode;

/// The most rows in one response.
pub const PAGE: usize = 500;

/// The log's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogOf {
    /// Of an app server and its machine; rows are numbered by `seq`, without gaps.
    AppServer(AppServerId),
    /// Of an instance itself; rows are numbered by `id`, with gaps.
    Instance(InstanceId),
}

/// Which rows of a log to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first rows after this number.
    After(i64),
    /// The last rows of the log.
    End,
}

impl LogOf {
    fn path(self) -> String {
        match self {
            Self::AppServer(id) => format!("/app-servers/{id}/logs"),
            Self::Instance(id) => format!("/instances/{id}/logs"),
        }
    }

    /// The URL of the whole log as plain text.
    pub fn download(self) -> String {
        url(&format!("{}?format=text", self.path()))
    }
}

/// At most `limit` rows, ascending, of this level and above; of all levels without one.
pub async fn read(of: LogOf, place: Place, level: Option<LogLevel>, limit: usize) -> Result<Vec<LogEntry>> {
    let place = match place {
        Place::After(number) => format!("after={number}"),
        // Greater than any row's number, and still exact where numbers are parsed as floats.
        Place::End => format!("before={}", (1_i64 << 53) - 1),
    };
    let level = level.map(|level| format!("&level={}", level.as_str())).unwrap_or_default();
    let page: Page<LogEntry> = send(get(&format!("{}?{place}&limit={limit}{level}", of.path()))).await?;
    Ok(page.items)
}

/// The numbers of the rows of this level and above that contain these words; of all such rows without words.
pub async fn matches(of: LogOf, level: Option<LogLevel>, words: &str) -> Result<LogMatches> {
    let level = level.unwrap_or(LogLevel::Debug).as_str();
    let words = if words.is_empty() { String::new() } else { format!("&q={}", encode(words)) };
    send(get(&format!("{}/matches?level={level}{words}", of.path()))).await
}
