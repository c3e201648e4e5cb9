//! Logs: rows before or after a place, filtered.

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
    /// The last ones before this number.
    Before(i64),
    /// The last ones of all.
    End,
}

/// What rows must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// This level or one above.
    pub level: Option<LogLevel>,
    /// These words.
    pub words: String,
}

impl Filter {
    /// Whether every row passes.
    pub fn is_empty(&self) -> bool {
        self.level.is_none() && self.words.is_empty()
    }
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

/// At most [`PAGE`] rows, ascending.
pub async fn read(of: LogOf, place: Place, filter: &Filter) -> Result<Vec<LogEntry>> {
    let place = match place {
        Place::After(number) => format!("after={number}"),
        Place::Before(number) => format!("before={number}"),
        // Greater than any row's number, and still exact wherever numbers are read as floats.
        Place::End => format!("before={}", (1_i64 << 53) - 1),
    };
    let level = filter.level.map(|level| format!("&level={}", level.as_str())).unwrap_or_default();
    let words = if filter.words.is_empty() { String::new() } else { format!("&q={}", encode(&filter.words)) };
    let page: Page<LogEntry> = send(get(&format!("{}?{place}&limit={PAGE}{level}{words}", of.path()))).await?;
    Ok(page.items)
}
