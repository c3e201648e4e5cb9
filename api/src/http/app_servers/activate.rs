use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::operations::{ActivateAppServer, ActivationResult};
use shared_types::{AppServerId, ProblemType};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::prefer;
use crate::http::principal::Operator;
use crate::instances::activate::{self, Request};
use crate::instances::store::{app_servers, instances, summaries};

/// Activate an app server
///
/// Checks it, then points the instance's traffic at it. Requests under way end where they began; none is lost. The one it
/// replaces keeps running, to go back to. Active already: nothing is done, and that is success.
#[utoipa::path(tag = "app servers", request_body = ActivateAppServer, params(
    ("id" = AppServerId, Path, description = "The app server"),
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when the gateway has it, after N (at most 60) seconds at the latest"),
), responses(
    (status = 200, description = "Active, and the gateway sends it the traffic", body = ActivationResult),
    (status = 202, description = "Active; the gateway follows in a moment", body = ActivationResult),
    (status = 409, description = "Not running, not healthy, or something else is active than expected"),
    (status = 422, description = "Some fields are not valid"),
))]
#[post("/app-servers/{id}/activate")]
pub async fn activate_app_server(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<AppServerId>,
    request: HttpRequest,
    Json(body): Json<ActivateAppServer>,
) -> Result<HttpResponse, ApiError> {
    let ActivateAppServer { expected_active, reason, .. } = body;
    let wanted = Request { expected_active, reason: extract::reason(reason)?, ..Request::default() };
    activate::activate(&app.manager, &who.name, *id, wanted).await?;
    let is_applied = async || is_applied(&app, *id).await;
    let is_applied = match prefer::wait(&request) {
        Some(patience) => prefer::until(&app, patience, is_applied).await?,
        None => is_applied().await?,
    };
    let app_server = summaries::read(&mut *app.db().conn().await?, *id).await?;
    let app_server = app_server.ok_or_else(|| ApiError::not_found("app server", id))?;
    let mut answer = if is_applied { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(answer.json(ActivationResult { app_server, is_applied }))
}

async fn is_applied(app: &App, id: AppServerId) -> Result<bool, ApiError> {
    let mut conn = app.db().conn().await?;
    let gone = || ApiError::new(ProblemType::NotFound, "The app server is gone.");
    let row = app_servers::find(&mut conn, id).await?.ok_or_else(gone)?;
    let instance = instances::find(&mut conn, row.instance_id).await?.ok_or_else(gone)?;
    Ok(instance.routing_applied_generation >= instance.routing_generation)
}
