//! Whether it lives, and whether it can work.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use shared_types::ProblemType;
use utoipa::ToSchema;

use super::error::ApiError;
use crate::app::App;
use crate::platform::db::migrations;
use crate::platform::jobs::workers;

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

/// What is ready.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// `ok`.
    status: &'static str,
    /// `ok`: it answers.
    database: &'static str,
    /// `ok`: they are this program's.
    migrations: &'static str,
    /// How many workers take jobs, in all processes.
    workers: i64,
}

/// Ready
///
/// Whether the database answers and is this program's version, and a worker takes jobs.
#[utoipa::path(tag = "health", security(()), responses(
    (status = 200, description = "It can work", body = Readiness),
    (status = 503, description = "It cannot, for now; the detail says what is missing"),
))]
#[get("/readyz")]
pub async fn readyz(app: web::Data<App>) -> Result<HttpResponse, ApiError> {
    let missing = |words: String| ApiError::new(ProblemType::Unavailable, words).retry_after(5);
    app.db().answers().await?;
    if let Some(difference) = migrations::difference(app.db()).await? {
        return Err(missing(format!("The database {difference}.")));
    }
    match workers::taking_jobs(&mut *app.db().conn().await?).await? {
        0 => Err(missing("No worker takes jobs: start `ocim worker`, or the server again.".to_owned())),
        workers => Ok(HttpResponse::Ok().json(Readiness { status: "ok", database: "ok", migrations: "ok", workers })),
    }
}
