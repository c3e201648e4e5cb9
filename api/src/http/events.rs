//! The stream of changes.

use actix_web::{HttpRequest, Responder, get, web};

use super::error::ApiError;
use super::principal::Viewer;
use super::sse;
use crate::app::App;

/// Stream changes
///
/// Server-sent events: each is named by its type and has the ids of the changed objects. Events are hints; after `gap`,
/// read the state again. Resumes after `Last-Event-ID`; an event may then come twice. If more than 1000 events were
/// missed, or that event is no longer kept, one `gap` comes instead, with the id of the newest event. Ends with the
/// session or token, and when the permissions of its user change.
#[utoipa::path(tag = "events", params(
    ("Last-Event-ID" = Option<i64>, Header, description = "The last event that was received"),
), responses((status = 200, description = "The events as they come", content((String = "text/event-stream")))))]
#[get("/events")]
pub async fn stream_events(
    app: web::Data<App>,
    Viewer(who): Viewer,
    request: HttpRequest,
) -> Result<impl Responder, ApiError> {
    let last = request.headers().get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    sse::changes(&app, who, last).await
}
