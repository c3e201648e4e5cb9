use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::operations::WithReason;
use shared_types::{AppServer, AppServerId, AppServerStatus};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::prefer;
use crate::http::principal::Operator;
use crate::instances::builds::stop;
use crate::instances::settings::read;

/// Stop the build of an app server
///
/// Possible at any step. Its processes here and on the machine are killed, the machine is terminated, the slot becomes
/// free, and the status becomes `stopped`, usually within 10 s. The log is kept. If it is stopped already, nothing
/// changes.
#[utoipa::path(tag = "app servers", request_body = WithReason, params(
    ("id" = AppServerId, Path, description = "The app server"),
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when it is stopped, after N (at most 60) seconds at the latest"),
), responses(
    (status = 200, description = "Stopped", body = AppServer),
    (status = 202, description = "It is being stopped", body = AppServer, headers(("location" = String, description = "Its path"))),
    (status = 409, description = "Nothing builds: the build has ended"),
))]
#[post("/app-servers/{id}/stop")]
pub async fn stop_app_server(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<AppServerId>,
    request: HttpRequest,
    Json(WithReason { reason }): Json<WithReason>,
) -> Result<HttpResponse, ApiError> {
    stop::stop(&mut *app.db().conn().await?, &who.actor, *id, extract::reason(reason)?).await?;
    let is_stopped = |one: &AppServer| one.summary.status == AppServerStatus::Stopped;
    prefer::answer(
        &app,
        &request,
        async || read::app_server(&app.manager, &mut *app.db().conn().await?, *id).await,
        is_stopped,
    )
    .await
}
