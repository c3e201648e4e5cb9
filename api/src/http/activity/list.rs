use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared_types::audit::{Activity, Outcome};
use shared_types::{ActivityId, AppServerId, InstanceId, Page};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::http::{cursor, extract};
use crate::platform::audit;

/// The filters and the page of the audit trail.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// How many items to return: 1 to 500, 50 by default.
    limit: Option<i64>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Only entries of this actor, by the exact name.
    #[param(max_length = 200, pattern = "^[^\\x00]*$")]
    actor: Option<String>,
    /// Only entries of this operation, by its `operationId`.
    #[param(max_length = 200, pattern = "^[^\\x00]*$")]
    action: Option<String>,
    /// Only entries about this instance.
    #[param(value_type = Option<i64>, minimum = 1)]
    instance: Option<InstanceId>,
    /// Only entries about this app server.
    #[param(value_type = Option<i64>, minimum = 1)]
    app_server: Option<AppServerId>,
    /// Only successful operations, or only refused ones.
    outcome: Option<Outcome>,
    /// Only entries from this time on (RFC 3339).
    since: Option<DateTime<Utc>>,
    /// Only entries before this time (RFC 3339).
    until: Option<DateTime<Utc>>,
    /// `jsonl`: all entries as JSON Lines, as with `Accept: application/jsonl`.
    format: Option<ActivityFormat>,
}

/// The format of the audit trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ActivityFormat {
    /// A page of entries, as JSON.
    Json,
    /// All entries, one JSON object per line.
    Jsonl,
}

/// Read the audit trail
///
/// Who did what, from where, and which requests were refused; the newest first. With `Accept: application/jsonl`, all
/// entries that match the filters are returned, one JSON object per line; `limit` and `cursor` are ignored then.
#[utoipa::path(tag = "activity", params(Query), responses(
    (status = 200, description = "A page, or all of it as lines", content((Page<Activity> = "application/json"), (String = "application/jsonl"))),
))]
#[get("/activity")]
pub async fn list_activity(
    app: web::Data<App>,
    _: Viewer,
    query: web::Query<Query>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let Query { limit, cursor, actor, action, instance, app_server, outcome, since, until, format } =
        query.into_inner();
    let (actor, action) = (extract::text("actor", actor)?, extract::text("action", action)?);
    let limit = extract::limit(limit)?;
    let before: Option<ActivityId> = cursor::decode(cursor.as_deref())?;
    let (actor, action) = (extract::search(actor)?, extract::search(action)?);
    let query = audit::Query { actor, action, instance, app_server, outcome, since, until, before, limit: limit + 1 };
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let accepts_lines = accept.is_some_and(|accept| accept.starts_with("application/jsonl"));
    if format.map_or(accepts_lines, |format| format == ActivityFormat::Jsonl) {
        return Ok(lines(app, query));
    }
    let items = audit::page(&mut *app.db().conn().await?, &query).await?;
    Ok(HttpResponse::Ok().json(cursor::page(items, limit, |one| one.id)))
}

/// Streams all entries, page by page.
fn lines(app: web::Data<App>, query: audit::Query) -> HttpResponse {
    let first = audit::Query { before: None, limit: shared_types::pagination::MAX_LIMIT, ..query };
    let pages = futures::stream::try_unfold(first, move |query| {
        let app = app.clone();
        async move {
            let entries = audit::page(&mut *app.db().conn().await?, &query).await?;
            let Some(last) = entries.last() else { return Ok(None) };
            let next = audit::Query { before: Some(last.id), ..query };
            let mut text = String::new();
            for entry in &entries {
                text += &serde_json::to_string(entry).map_err(ApiError::internal)?;
                text.push('\n');
            }
            Ok::<_, ApiError>(Some((web::Bytes::from(text), next)))
        }
    });
    HttpResponse::Ok().content_type("application/jsonl").streaming(pages)
}
