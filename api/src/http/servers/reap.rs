use actix_web::{HttpResponse, post, web};
use shared_types::retention::Orphans;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Admin;
use crate::instances::upkeep::reaper;

/// Compare provider and database now, and do what is due
///
/// A machine that nobody owns is taken away once OCIM_REAPER_GRACE has passed since it was first found; a server whose
/// machine was missing in two comparisons at least 60 s apart is written off, also where the provider lists no machine at
/// all, which is never done without being asked for. `done` says what was done. A provider that does not answer: nothing.
#[utoipa::path(tag = "servers", responses((status = 200, description = "What was done, and what is left", body = Orphans)))]
#[post("/servers/orphans")]
pub async fn remove_orphans(app: web::Data<App>, Admin(who): Admin) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(reaper::reap(&app.manager, &who.name).await?))
}
