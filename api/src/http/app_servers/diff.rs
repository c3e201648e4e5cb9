use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use shared_types::comparison::Diff;
use shared_types::{AppServerId, ProblemType};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::builds::compare::{self, Against};

/// What the app server is compared with.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Query {
    /// The id of another app server of the same instance, or `instance` (default): the current state of the instance.
    #[param(pattern = "^(instance|[1-9][0-9]{0,17})$", example = "instance")]
    against: Option<String>,
}

/// Compare an app server
///
/// The differences from this app server (`before`) to another one or to the current instance (`after`): the settings by
/// field, and the merged variables. Changed secrets are shown without their values. Git references are compared as
/// resolved commits between app servers, and as configured with the instance.
#[utoipa::path(tag = "app servers", params(("id" = AppServerId, Path, description = "The app server"), Query), responses(
    (status = 200, description = "What differs", body = Diff),
    (status = 409, description = "They are not of one instance, or the instance's settings cannot be used"),
))]
#[get("/app-servers/{id}/diff")]
pub async fn diff_app_server(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<AppServerId>,
    query: web::Query<Query>,
) -> Result<HttpResponse, ApiError> {
    let against = match query.against.as_deref() {
        None | Some("instance") => Against::Instance,
        Some(text) => Against::AppServer(text.parse().ok().filter(|id: &AppServerId| id.0 > 0).ok_or_else(|| {
            ApiError::new(ProblemType::BadRequest, "`against` must be the id of an app server, or `instance`.")
        })?),
    };
    let mut conn = app.db().conn().await?;
    Ok(HttpResponse::Ok().json(compare::diff(&app.manager, &mut conn, *id, against).await?))
}
