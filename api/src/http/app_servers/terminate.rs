use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::operations::TerminateAppServer;
use shared_types::{AppServer, AppServerId, ServerStatus};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::prefer;
use crate::http::principal::Operator;
use crate::instances::builds::terminate::{self, Request};
use crate::instances::settings::read;

/// Terminate an app server
///
/// Permanently deletes its machine. A running app server becomes `terminated`; a failed or stopped one keeps its status.
/// The server's status becomes `terminated` once the provider has confirmed the deletion. If it is gone already,
/// nothing changes.
#[utoipa::path(tag = "app servers", request_body = TerminateAppServer, params(
    ("id" = AppServerId, Path, description = "The app server"),
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when the machine is gone, after N (at most 60) seconds at the latest"),
), responses(
    (status = 200, description = "The machine is gone", body = AppServer),
    (status = 202, description = "The machine is being deleted", body = AppServer, headers(("location" = String, description = "Its path"))),
    (status = 409, description = "It is active, draining, or being built"),
))]
#[post("/app-servers/{id}/terminate")]
pub async fn terminate_app_server(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<AppServerId>,
    request: HttpRequest,
    Json(TerminateAppServer { stop, reason }): Json<TerminateAppServer>,
) -> Result<HttpResponse, ApiError> {
    let wanted = Request { stop, reason: extract::reason(reason)? };
    terminate::terminate(&mut *app.db().conn().await?, &who.actor, *id, wanted).await?;
    // A build that is being stopped ends shortly after its machine.
    let is_gone = |one: &AppServer| one.server.status == ServerStatus::Terminated && !one.summary.status.is_building();
    prefer::answer(
        &app,
        &request,
        async || read::app_server(&app.manager, &mut *app.db().conn().await?, *id).await,
        is_gone,
    )
    .await
}
