use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, post, web};
use shared_types::app_server::LaunchAppServer;
use shared_types::{AppServer, InstanceId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::prefer;
use crate::http::principal::Operator;
use crate::instances::{launch, read};

/// Launch an app server
///
/// With the instance's settings as they are now. What serves goes on serving. The app server is there at once, in state
/// `new`; it is built by and by, and nothing is activated.
#[utoipa::path(tag = "instances", request_body = LaunchAppServer, params(
    ("id" = InstanceId, Path, description = "The instance"),
    ("Prefer" = Option<String>, Header, description = "`wait=N`: answer when the build has ended, after N (at most 60) seconds at the latest"),
), responses(
    (status = 200, description = "The build ended within the time that was preferred", body = AppServer),
    (status = 202, description = "Launched", body = AppServer, headers(("location" = String, description = "Its path"))),
    (status = 409, description = "The settings cannot be used"),
    (status = 422, description = "Some fields are not valid; nothing was launched"),
))]
#[post("/instances/{id}/app-servers")]
pub async fn launch_app_server(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<InstanceId>,
    request: HttpRequest,
    Json(LaunchAppServer { reason }): Json<LaunchAppServer>,
) -> Result<HttpResponse, ApiError> {
    let reason = extract::reason(reason)?;
    let launched = launch::launch(&app.manager, &who.name, *id, reason).await?;
    let ended = match prefer::wait(&request) {
        None => false,
        Some(patience) => {
            let has_ended = async || {
                let mut conn = app.db().conn().await?;
                Ok(!read::app_server(&mut conn, launched).await?.summary.status.is_building())
            };
            prefer::until(&app, patience, has_ended).await?
        }
    };
    let app_server = read::app_server(&mut *app.db().conn().await?, launched).await?;
    let mut answer = if ended { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(answer.insert_header((LOCATION, app_server.summary.api_url.clone())).json(app_server))
}
