use clap::Args;
use serde_json::Value;
use shared_types::{AppServerId, LogEntry, LogLevel};

use super::logs_follow;
use crate::client::api::{Api, Query, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::text;

/// Print the log of an app server
///
/// Lines of the app server and of its machine, oldest first. Colours are kept for terminals only (not with NO_COLOR);
/// other control characters are escaped. `-o json` prints one array; with -f one entry per line.
///
/// -f continues until the build has ended and its whole log is printed; a lost connection is retried, and no line is
/// lost or printed twice. The exit code is 0 however the build ended.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server logs 7
    ocim app-server logs 7 -f --tail 20
    ocim app-server logs 7 --level warning
    ocim app-server logs 7 --q migrate -o json")]
pub struct Arguments {
    /// Id of the app server
    id: AppServerId,
    /// Continue until the build has ended
    #[arg(short, long)]
    follow: bool,
    /// Only this level and more severe ones: debug, info, warning, error or critical
    #[arg(long, value_parser = level)]
    level: Option<LogLevel>,
    /// Only lines that contain this text, ignoring case; at most 200 characters
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// Only the last N lines, and with -f the following ones; left out: all
    #[arg(long, value_name = "N")]
    tail: Option<u32>,
}

fn level(text: &str) -> Result<LogLevel, String> {
    let known = LogLevel::ALL.iter().find(|level| level.as_str().eq_ignore_ascii_case(text));
    known.copied().ok_or_else(|| "must be debug, info, warning, error or critical".to_owned())
}

/// Which entries are printed.
#[derive(Debug)]
pub struct Filter {
    level: Option<LogLevel>,
    text: Option<String>,
}

impl Filter {
    /// Whether an entry matches.
    pub fn takes(&self, entry: &LogEntry) -> bool {
        let holds = |text: &String| entry.text.to_lowercase().contains(&text.to_lowercase());
        self.level.is_none_or(|level| entry.level >= level) && self.text.as_ref().is_none_or(holds)
    }

    fn query(&self) -> [(&'static str, Option<String>); 2] {
        [("level", self.level.map(|level| level.as_str().to_owned())), ("q", self.text.clone())]
    }
}

/// Prints the log.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn logs(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { id, follow, level, q, tail } = arguments;
    let filter = Filter { level: *level, text: q.clone().filter(|text| !text.is_empty()) };
    let path = format!("/app-servers/{id}/logs");
    if *follow {
        let last = match tail {
            Some(tail) => last_entries(api, &path, &filter, *tail).await?,
            None => Vec::new(),
        };
        let mut after = 0;
        for entry in last {
            after = print_live(&entry, out)?;
        }
        return logs_follow::follow(api, *id, after, &filter, out).await;
    }
    let entries = match tail {
        Some(tail) => last_entries(api, &path, &filter, *tail).await?,
        None if out.is_json() => api.list(&path, &filter.query(), None).await?,
        None => return print_all(api, &path, &filter, out).await,
    };
    if out.is_json() {
        return out.document(&Value::Array(entries));
    }
    entries.iter().try_for_each(|entry| out.line(&line(&decode(entry)?, out)))
}

/// Prints page after page, without holding the whole log in memory.
async fn print_all(api: &Api, path: &str, filter: &Filter, out: &Output) -> Result<(), ClientError> {
    let mut after = 0;
    loop {
        let page = page(api, path, filter, ("after", after), MAX_PAGE).await?;
        for entry in &page {
            after = print_live(entry, out)?;
        }
        if page.len() < MAX_PAGE as usize {
            return Ok(());
        }
    }
}

/// Limit of the API for one page.
const MAX_PAGE: u32 = 500;

/// The last `count` entries, oldest first.
async fn last_entries(api: &Api, path: &str, filter: &Filter, count: u32) -> Result<Vec<Value>, ClientError> {
    let (mut before, mut left, mut pages) = (i64::MAX, count, Vec::new());
    while left > 0 {
        let asked = left.min(MAX_PAGE);
        let page = page(api, path, filter, ("before", before), asked).await?;
        left -= asked;
        if page.len() < asked as usize {
            left = 0;
        }
        before = page.first().map(seq).transpose()?.unwrap_or(before);
        pages.push(page);
    }
    Ok(pages.into_iter().rev().flatten().collect())
}

async fn page(
    api: &Api,
    path: &str,
    filter: &Filter,
    (side, place): (&'static str, i64),
    limit: u32,
) -> Result<Vec<Value>, ClientError> {
    let mut query = filter.query().to_vec();
    query.extend([(side, Some(place.to_string())), ("limit", Some(limit.to_string()))]);
    let query: &Query<'_> = &query;
    match api.get(path, query).await?.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        Some(_) | None => Ok(Vec::new()),
    }
}

/// The number of the last entry; 0 if there is none.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn last_seq(api: &Api, id: AppServerId) -> Result<i64, ClientError> {
    let all = Filter { level: None, text: None };
    let last = page(api, &format!("/app-servers/{id}/logs"), &all, ("before", i64::MAX), 1).await?;
    last.last().map_or(Ok(0), seq)
}

fn seq(entry: &Value) -> Result<i64, ClientError> {
    let entry: LogEntry = decode(entry)?;
    Ok(entry.seq.unwrap_or(entry.id.0))
}

/// Prints an entry and flushes; gives its number.
///
/// # Errors
/// [`ClientError`] if it cannot be decoded or printed.
pub fn print_live(document: &Value, out: &Output) -> Result<i64, ClientError> {
    let entry: LogEntry = decode(document)?;
    if out.is_json() {
        out.document_line(document)?
    } else {
        out.line(&line(&entry, out))?
    }
    Ok(entry.seq.unwrap_or(entry.id.0))
}

/// An entry in the form of the server's plain text, safe to print.
fn line(entry: &LogEntry, out: &Output) -> String {
    let begin = format!("{} {:8} ", entry.created.format("%Y-%m-%d %H:%M:%S%.3f"), entry.level.as_str());
    let text = text::shown_log(&entry.text, out.has_colours(), begin.len());
    begin + &text
}
