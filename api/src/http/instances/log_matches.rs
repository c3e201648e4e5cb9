use actix_web::{get, web};
use shared_types::InstanceId;
use shared_types::log_entry::LogMatches;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::log_view::{self, Sought};
use crate::http::principal::Viewer;
use crate::instances::store::instances;
use crate::platform::logs::About;

/// Find a text or a level in an instance's log
///
/// How many of its own entries match, and the `id` of each, for the last 10,000 matches at most. `q` works as in the
/// log itself; secrets are masked before a line is written, so they are never found.
#[utoipa::path(tag = "logs", params(("id" = InstanceId, Path, description = "The instance"), Sought), responses(
    (status = 200, description = "Where it stands", body = LogMatches),
))]
#[get("/instances/{id}/logs/matches")]
pub async fn list_instance_log_matches(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
    sought: web::Query<Sought>,
) -> Result<web::Json<LogMatches>, ApiError> {
    if instances::find(&mut *app.db().conn().await?, *id).await?.is_none() {
        return Err(ApiError::not_found("instance", id));
    }
    log_view::matches(&app, About::Instance(*id), sought.into_inner()).await
}
