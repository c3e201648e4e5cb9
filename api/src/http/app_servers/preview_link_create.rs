use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::preview_link::{CreatedPreviewLink, DEFAULT_HOURS, MAX_HOURS, NewPreviewLink};
use shared_types::{AppServerId, FieldError};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::Json;
use crate::http::prefer;
use crate::http::principal::Operator;
use crate::instances::preview_links::{self, Created};
use crate::instances::store::instances;

/// Make a preview link
///
/// Who opens one of its addresses gets a cookie, and sees this app server in place of the active one under the host names of the
/// instance, also while the maintenance page is up; everyone else sees the active one. The addresses are only in this answer.
/// The link ends after the given time, when it is revoked, and when the app server is activated or terminated. An app server may
/// have 5 links. The gateways are told in a moment; with `Prefer: wait=N`, the answer waits for it.
#[utoipa::path(tag = "app servers", request_body = NewPreviewLink, params(
    ("id" = AppServerId, Path, description = "The app server"),
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when the gateway has it, after N (at most 60) seconds at the latest"),
), responses(
    (status = 201, description = "The link, with its addresses", body = CreatedPreviewLink),
    (status = 409, description = "It is not running, it is active, or it has as many links as it may have"),
    (status = 422, description = "The hours are not valid; nothing was saved"),
))]
#[post("/app-servers/{id}/preview-links")]
pub async fn create_preview_link(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<AppServerId>,
    request: HttpRequest,
    Json(NewPreviewLink { hours }): Json<NewPreviewLink>,
) -> Result<HttpResponse, ApiError> {
    let hours = hours.unwrap_or(DEFAULT_HOURS);
    if !(1..=MAX_HOURS).contains(&hours) {
        return Err(ApiError::invalid(vec![FieldError::new("hours", format!("Must be 1 to {MAX_HOURS}."))]));
    }
    let created = preview_links::create(&mut *app.db().conn().await?, &who.actor, *id, hours).await?;
    let Created { link, token, instance, generation, hosts } = created;
    if let Some(patience) = prefer::wait(&request) {
        let is_applied = async || {
            let row = instances::find(&mut *app.db().conn().await?, instance).await?;
            Ok(row.is_none_or(|row| row.routing_applied_generation >= generation))
        };
        prefer::until(&app, patience, instance, is_applied).await?;
    }
    let url = |(host, protocol): (String, String)| {
        format!("{}.ocim/preview/{}", app.public_url(&protocol, &host), token.reveal())
    };
    let urls = hosts.into_iter().map(url).collect();
    Ok(HttpResponse::Created().json(CreatedPreviewLink { link, urls }))
}
