use actix_web::{HttpResponse, post, web};
use shared_types::retention::Orphans;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::instances::upkeep::reaper;

/// Reconcile machines now
///
/// Compares provider and database. An orphaned machine is terminated once OCIM_REAPER_GRACE has passed since it was
/// first found; a server whose machine was missing in two comparisons at least 60 s apart is written off. Only this
/// request does so if the provider lists no machine at all. `done` says what was done. If the provider does not answer,
/// nothing is done.
#[utoipa::path(tag = "servers", responses((status = 200, description = "What was done, and what is left", body = Orphans)))]
#[post("/servers/orphans")]
pub async fn remove_orphans(app: web::Data<App>, Admin(who): Admin) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(reaper::reap(&app.manager, &who.actor).await?))
}
