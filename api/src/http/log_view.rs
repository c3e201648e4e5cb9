//! Shared by the log operations of instances and app servers.

use std::time::{Duration, Instant};

use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use shared_types::log_entry::LogMatches;
use shared_types::{LogEntry, LogLevel};
use tokio::time::sleep;

use super::error::ApiError;
use super::{cursor, extract, searching};
use crate::app::App;
use crate::platform::db::Abandonable;
use crate::platform::logs;
use crate::platform::origin::Origin;

/// How long the next page of a log as text waits for a search of others to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The part and the format of a log.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only entries after this `seq` (`id` in an instance's log).
    after: Option<i64>,
    /// Only entries before this `seq` (`id` in an instance's log); without `after`, the last ones before it.
    before: Option<i64>,
    /// Only entries of this level and above.
    level: Option<LogLevel>,
    /// Only entries that contain this text, ignoring case.
    q: Option<String>,
    /// `text`: the whole log as plain text, as with `Accept: text/plain`.
    format: Option<Format>,
}

/// What to search a log for.
#[derive(Debug, Clone, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Sought {
    /// Only entries of this level and above.
    level: Option<LogLevel>,
    /// Only entries that contain this text, ignoring case.
    q: Option<String>,
}

/// The header with the time at which retention deleted the log.
pub const REMOVED: &str = "ocim-log-removed";

/// The format of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A page of entries, as JSON.
    Json,
    /// The whole log as plain text, one line per entry.
    Text,
}

/// Answers with a page of a log, or with all of it as text.
pub async fn answer(
    app: &App,
    about: logs::About,
    request: &HttpRequest,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    let accepts_text = request.headers().get(ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/plain"));
    let Query { limit, cursor, after, before, level, q, format } = query;
    let limit = extract::limit(limit)?;
    let after = cursor::decode(cursor.as_deref())?.or(after);
    let levels = level.map(LogLevel::and_above);
    let query = logs::Query { after, before, levels, text: extract::search(q)?, limit: limit + 1 };
    // Queried only if the log is empty or wanted as text, so that a page usually takes one query.
    let removed = async || match about.app_server() {
        Some(id) => logs::pruned_at(&mut *app.db().conn().await?, id).await,
        None => Ok(None),
    };
    if format == Some(Format::Text) || (format.is_none() && accepts_text) {
        if let Some(at) = removed().await? {
            let words =
                format!("The lines of this log were removed on {}: their time was over.\n", at.format("%Y-%m-%d"));
            let plain = HttpResponse::Ok()
                .content_type("text/plain; charset=utf-8")
                .insert_header((REMOVED, at.to_rfc3339()))
                .body(words);
            return Ok(plain);
        }
        return text(app.clone(), about, query).await;
    }
    let mut entries = read(app, about, &query).await?;
    if before.is_some() && after.is_none() {
        // The last entries were asked for, so the surplus one is the first.
        let surplus = entries.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        entries.drain(..surplus);
    }
    let mut answer = HttpResponse::Ok();
    if entries.is_empty()
        && let Some(at) = removed().await?
    {
        answer.insert_header((REMOVED, at.to_rfc3339()));
    }
    Ok(answer.json(cursor::page(entries, limit, place)))
}

/// Answers with the places of all matches in a log.
pub async fn matches(app: &App, about: logs::About, sought: Sought) -> Result<web::Json<LogMatches>, ApiError> {
    let Sought { level, q } = sought;
    let query =
        logs::Query { levels: level.map(LogLevel::and_above), text: extract::search(q)?, ..logs::Query::default() };
    let (_turn, mut conn) = searching::connection(app, query.text.is_some()).await?;
    Ok(web::Json(logs::matches(&mut conn, about, &query).await.map_err(searching::failed)?))
}

async fn read(app: &App, about: logs::About, query: &logs::Query) -> Result<Vec<LogEntry>, ApiError> {
    let (_turn, mut conn) = searching::connection(app, query.text.is_some()).await?;
    logs::page(&mut conn, about, query).await.map_err(searching::failed)
}

/// The number that `after` and `before` refer to: `seq`, or `id` if there is none.
pub fn place(entry: &LogEntry) -> i64 {
    entry.seq.unwrap_or(entry.id.0)
}

/// Streams the whole log as text, page by page. The first page is read before the answer begins, so that its failure is
/// answered in words.
async fn text(app: App, about: logs::About, mut query: logs::Query) -> Result<HttpResponse, ApiError> {
    query.limit = shared_types::pagination::MAX_LIMIT;
    let (origin, first) = (Origin::current(), read(&app, about, &query).await?);
    let pages = futures::stream::try_unfold((Some(first), Some(query)), move |(page, query)| {
        let (app, origin) = (app.clone(), origin.clone());
        async move {
            let Some(query) = query else {
                return Ok(None);
            };
            let entries = match page {
                Some(entries) => entries,
                // The body is sent after the request's own work has ended.
                None => Abandonable::new(origin.scope(read_in_turn(&app, about, &query))).await?,
            };
            let Some(last) = entries.last() else {
                return Ok(None);
            };
            let next = (query.before.is_none() || query.after.is_some())
                .then_some(logs::Query { after: Some(place(last)), ..query });
            let text = web::Bytes::from(entries.iter().map(logs::line).collect::<String>());
            Ok::<_, ApiError>(Some((text, (None, next))))
        }
    });
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").streaming(pages))
}

/// Reads a later page: waits while too many searches run, since the answer has begun and cannot say so.
async fn read_in_turn(app: &App, about: logs::About, query: &logs::Query) -> Result<Vec<LogEntry>, ApiError> {
    let patience = Instant::now() + PATIENCE;
    let (_turn, mut conn) = loop {
        match searching::connection(app, query.text.is_some()).await {
            Err(error) if error.is_busy() && Instant::now() < patience => sleep(searching::AGAIN).await,
            got => break got?,
        }
    };
    logs::page(&mut conn, about, query).await.map_err(searching::failed)
}
