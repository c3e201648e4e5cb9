use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::launch::{LaunchAppServer, MAX_ATTEMPTS};
use shared_types::user::Scope;
use shared_types::{AppServer, FieldError, InstanceId, Trigger};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::prefer;
use crate::http::principal::{Operator, refuse_without};
use crate::instances::builds::launch;
use crate::instances::settings::read;

/// Launch an app server
///
/// With the instance's current settings. The active app server keeps the traffic. The app server exists at once, with
/// the status `new`; a worker with a free slot builds it, and `progress.queued` says what it waits for. With
/// `activate_when_running`, a token also needs the scope activate.
#[utoipa::path(tag = "instances", request_body = LaunchAppServer, params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when the build has ended, after N (at most 60) seconds at the latest"),
), responses(
    (status = 200, description = "The build ended within the time that was preferred", body = AppServer),
    (status = 202, description = "Launched", body = AppServer, headers(("location" = String, description = "Its path"))),
    (status = 409, description = "The instance is archived, its settings cannot be used, or a build migrates its databases"),
    (status = 422, description = "Some fields are not valid; nothing was launched"),
))]
#[post("/instances/{id}/app-servers")]
pub async fn launch_app_server(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<InstanceId>,
    request: HttpRequest,
    Json(body): Json<LaunchAppServer>,
) -> Result<HttpResponse, ApiError> {
    let LaunchAppServer { num_attempts, activate_when_running, migrate_without_page, reason } = body;
    if activate_when_running {
        refuse_without(&who, Scope::Activate)?;
    }
    if !(1..=MAX_ATTEMPTS).contains(&num_attempts) {
        let detail = format!("Must be 1 to {MAX_ATTEMPTS}.");
        return Err(ApiError::invalid(vec![FieldError::new("num_attempts", detail)]));
    }
    let trigger = if who.is_session() { Trigger::User } else { Trigger::Token };
    let wanted = launch::Request {
        num_attempts,
        activate_when_running,
        migrates_without_page: migrate_without_page,
        ..launch::Request::once(trigger, extract::reason(reason)?)
    };
    let launched = launch::launch(&app.manager, &mut *app.db().conn().await?, &who.actor, *id, wanted).await?;
    let has_ended = |one: &AppServer| !one.summary.status.is_building();
    let read = async || read::app_server(&app.manager, &mut *app.db().conn().await?, launched).await;
    prefer::answer(&app, &request, read, has_ended).await
}
