use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::InstanceId;
use shared_types::operations::{ActivationResult, Rollback};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::principal::Activator;
use crate::http::{activation, prefer};
use crate::instances::traffic::rollback::{self, Request};

/// How long to wait for the gateway unless the caller gives a time.
const WAIT: Duration = Duration::from_secs(3);

/// Roll an instance back
///
/// Switches the traffic to the fallback or to the named app server, and sets the hold: automation activates nothing
/// until a user lifts it. Answers within 5 s; if the application has hooks (as at activation), they run first: 202 with
/// `is_activating`, and the hold is on at once. The checks have 2 s; `force` skips them and needs a reason. A repeated
/// request succeeds and does not switch again: if the named app server is active and the hold is on, or if none is
/// named and the last switch was a rollback whose hold is still on.
#[utoipa::path(tag = "instances", request_body = Rollback, params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when the gateway has it, after N (at most 60; left out: 3) seconds at the latest"),
), responses(
    (status = 200, description = "Active, and the gateway sends it the traffic", body = ActivationResult),
    (status = 202, description = "Active, and the gateway follows in a moment; or it is active when its hooks have ended", body = ActivationResult),
    (status = 409, description = "There is nothing to go back to, it is gone or not healthy, the instance is archived, or another one was activated meanwhile"),
    (status = 422, description = "The app server named is another instance's, or `force` has no reason"),
))]
#[post("/instances/{id}/rollback")]
pub async fn roll_back_instance(
    app: web::Data<App>,
    Activator(who): Activator,
    id: web::Path<InstanceId>,
    request: HttpRequest,
    Json(Rollback { app_server_id, force, reason }): Json<Rollback>,
) -> Result<HttpResponse, ApiError> {
    let wanted = Request { app_server: app_server_id, force, reason: extract::reason(reason)? };
    let (target, decision) = rollback::roll_back(&app.manager, &who.actor, *id, wanted).await?;
    activation::answer(&app, Some(prefer::wait(&request).unwrap_or(WAIT)), target, decision).await
}
