use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::AppServerId;
use shared_types::operations::{ActivateAppServer, ActivationResult};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::principal::Activator;
use crate::http::{activation, prefer};
use crate::instances::traffic::activate::{self, Request};

/// Activate an app server
///
/// Checks the app server from the gateway's side, then switches the instance's traffic to it. Requests under way are
/// answered by the previous app server, which drains and keeps running as the fallback. If the application has hooks,
/// such as the start of its background workers, they run first, which may take minutes: the answer is 202 with
/// `is_activating`, and the traffic is switched when the hooks and another check have succeeded. With `when_running`,
/// an app server that is still being built is activated once it runs, unless by then a hold is on or a newer one is
/// active. If it is active already, nothing changes, and the request succeeds.
#[utoipa::path(tag = "app servers", request_body = ActivateAppServer, params(
    ("id" = AppServerId, Path, description = "The app server"),
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when the gateway has it, after N (at most 60) seconds at the latest"),
), responses(
    (status = 200, description = "Active, and the gateway sends it the traffic", body = ActivationResult),
    (status = 202, description = "Active, and the gateway follows in a moment; or it is activated when its build or its hooks have ended", body = ActivationResult),
    (status = 409, description = "Not running, not healthy, its hooks failed, the instance is archived, or something else is active than expected"),
    (status = 422, description = "Some fields are not valid, or `force` has no reason"),
))]
#[post("/app-servers/{id}/activate")]
pub async fn activate_app_server(
    app: web::Data<App>,
    Activator(who): Activator,
    id: web::Path<AppServerId>,
    request: HttpRequest,
    Json(body): Json<ActivateAppServer>,
) -> Result<HttpResponse, ApiError> {
    let ActivateAppServer { expected_active, when_running, force, drain_limit_seconds, reason } = body;
    let reason = extract::reason(reason)?;
    let wanted = Request { expected_active, when_running, force, drain_limit_seconds, reason };
    let decision = activate::activate(&app.manager, &who.actor, *id, wanted).await?;
    activation::answer(&app, prefer::wait(&request), *id, decision).await
}
