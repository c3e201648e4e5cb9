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
/// Checks it from the gateway's side, then points the instance's traffic at it. Requests under way end where they began; none
/// is lost. The one it replaces drains, and keeps running to go back to. Where the application has hooks, such as the
/// start of its background workers, they run first, which may take minutes: 202 with `is_activating`, and visitors stay where they are until
/// the hooks and another check have ended well. With `when_running`, one that is still being built is
/// activated when it runs, unless by then a hold is on or a newer one is active. Active already: nothing is done, and that is
/// success.
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
    let decision = activate::activate(&app.manager, &who.name, *id, wanted).await?;
    activation::answer(&app, prefer::wait(&request), *id, decision).await
}
