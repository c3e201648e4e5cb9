//! Whether it lives, and whether it can work.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use shared_types::ProblemType;

use super::error::ApiError;
use crate::app::App;

/// That all is well.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

/// Live
///
/// Answers as long as the process does.
#[utoipa::path(tag = "health", security(()), responses((status = 200, description = "It lives", body = Health)))]
#[get("/healthz")]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(OK)
}

/// Ready
///
/// Whether the database answers, its migrations have run, and the worker takes jobs.
#[utoipa::path(tag = "health", security(()), responses(
    (status = 200, description = "It can work", body = Health),
    (status = 503, description = "It cannot, for now"),
))]
#[get("/readyz")]
pub async fn readyz(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    app.db().answers().await?;
    if app.is_working() {
        Ok(HttpResponse::Ok().json(OK))
    } else {
        Err(ApiError::new(ProblemType::Unavailable, "The worker is not running."))
    }
}
