use actix_web::{get, web};
use shared_types::AppServerId;
use shared_types::log_entry::LogMatches;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::log_view::{self, Sought};
use crate::http::principal::Viewer;
use crate::instances::store::app_servers;
use crate::platform::logs::About;

/// Find a text or a level in an app server's log
///
/// How many entries match, and the `seq` of each, for the last 10,000 matches at most. `q` works as in the log itself;
/// secrets are masked before a line is written, so they are never found.
#[utoipa::path(tag = "logs", params(("id" = AppServerId, Path, description = "The app server"), Sought), responses(
    (status = 200, description = "Where it stands", body = LogMatches),
))]
#[get("/app-servers/{id}/logs/matches")]
pub async fn list_app_server_log_matches(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<AppServerId>,
    sought: web::Query<Sought>,
) -> Result<web::Json<LogMatches>, ApiError> {
    let row = app_servers::find(&mut *app.db().conn().await?, *id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("app server", id))?;
    log_view::matches(&app, About::AppServer(row.instance_id, row.id), sought.into_inner()).await
}
