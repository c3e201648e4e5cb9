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

/// Take the machine of an app server away
///
/// For good. One that runs is `terminated` from now on; a failed or stopped one keeps its status. The machine is gone when
/// the server's status says `terminated`: the provider has verified it then. Gone already: success.
#[utoipa::path(tag = "app servers", request_body = TerminateAppServer, params(
    ("id" = AppServerId, Path, description = "The app server"),
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when the machine is gone, after N (at most 60) seconds at the latest"),
), responses(
    (status = 200, description = "The machine is gone", body = AppServer),
    (status = 202, description = "The machine is being taken away", body = AppServer, headers(("location" = String, description = "Its path"))),
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
    terminate::terminate(&app.manager, &who.name, *id, wanted).await?;
    // A build that is stopped ends a moment after its machine.
    let is_gone = |one: &AppServer| one.server.status == ServerStatus::Terminated && !one.summary.status.is_building();
    prefer::answer(
        &app,
        &request,
        async || read::app_server(&app.manager, &mut *app.db().conn().await?, *id).await,
        is_gone,
    )
    .await
}
