//! The metrics for Prometheus.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, get, web};
use shared_types::ProblemType;

use super::error::ApiError;
use super::principal::bearer;
use crate::app::App;
use crate::platform::audit::Origin;
use crate::platform::db::{Db, DbError};
use crate::platform::metrics::{self, Denied, Now, store};

/// The timeout of the database queries; Prometheus' own scrape timeout is ten seconds by default.
const PATIENCE: Duration = Duration::from_secs(3);
/// The content type of Prometheus' text format.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Read the metrics for Prometheus
///
/// Only for requests from this host, or with OCIM_METRICS_TOKEN as bearer token. If the database does not answer, only
/// the metrics of the process are returned, and `ocim_up_database` is 0. docs/ops explains each metric.
#[utoipa::path(tag = "health", security(()), responses(
    (status = 200, description = "The figures", body = String, content_type = "text/plain"),
    (status = 401, description = "Not the token"),
    (status = 403, description = "Not from here"),
))]
#[get("/metrics")]
pub async fn read_metrics(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let is_forwarded = ["x-forwarded-for", "forwarded"].iter().any(|name| request.headers().contains_key(*name));
    app.system.metrics.check(Origin::current().address, is_forwarded, bearer(&request))?;
    // Counted before this request takes a connection of its own.
    let now = Now { pool: app.db().pool(), streams: app.guard.streams.count() };
    let figures = match tokio::time::timeout(PATIENCE, read(app.db())).await {
        Ok(Ok(figures)) => Some(figures),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the figures of the database could not be read");
            None
        }
        Err(_) => {
            tracing::warn!("the database took too long to give its figures");
            None
        }
    };
    let text = metrics::text(now, figures.as_ref()).map_err(ApiError::internal)?;
    Ok(HttpResponse::Ok().content_type(FORMAT).body(text))
}

async fn read(db: &Db) -> Result<store::Figures, DbError> {
    store::read(&mut *db.conn().await?).await
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        let kind = match denied {
            Denied::WrongToken => ProblemType::Unauthenticated,
            Denied::NotHere => ProblemType::Forbidden,
        };
        Self::new(kind, denied.to_string())
    }
}
