//! Liveness and readiness of this process.

use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use shared_types::ProblemType;
use shared_types::system::SandboxLevel;
use utoipa::ToSchema;

use super::error::ApiError;
use crate::app::App;
use crate::platform::db::migrations;
use crate::platform::jobs::workers;

/// The answer of a live process.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// Always `ok`: the process answers.
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

/// Check liveness
///
/// Answers 200 as long as the process handles requests.
#[utoipa::path(tag = "health", security(()), responses((status = 200, description = "It lives", body = Health)))]
#[get("/healthz")]
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(OK)
}

/// The parts that are ready.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// Always `ok`: this process can work.
    status: &'static str,
    /// Always `ok`: the database answers.
    database: &'static str,
    /// Always `ok`: the database has exactly this program's migrations.
    migrations: &'static str,
    /// How many workers of all processes take jobs.
    workers: i64,
    /// How much of the sandbox for foreign code works on this host. With `missing` no build begins, but everything else
    /// works. Null: this process runs no foreign code.
    sandbox: Option<SandboxLevel>,
}

/// Check readiness
///
/// Whether the database answers and has this program's migrations, and a worker takes jobs. A server without a worker
/// (`--no-worker`) is ready without one, too: otherwise a balancer would take out all servers while no worker runs.
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
    let mut sandbox = None;
    if let Some(walls) = &app.manager.sandbox {
        sandbox = Some(walls.state().await.level);
    }
    match workers::taking_jobs(&mut *app.db().probe().await?).await? {
        0 if app.is_working().is_some() => {
            Err(missing("No worker takes jobs: start `ocim worker`, or the server again.".to_owned()))
        }
        workers => {
            Ok(HttpResponse::Ok().json(Readiness { status: "ok", database: "ok", migrations: "ok", workers, sandbox }))
        }
    }
}
