use actix_web::{HttpResponse, put, web};
use shared_types::operations::WithReason;
use shared_types::queue::Queue;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::extract::{self, Json};
use crate::http::principal::Operator;
use crate::instances::builds::queue;
use crate::instances::store::queue as store;

/// Pause the queue
///
/// Waiting builds do not begin; builds under way continue. If the queue is paused already, nothing changes.
#[utoipa::path(tag = "queue", request_body = WithReason, responses((status = 200, description = "The queue", body = Queue)))]
#[put("/queue/pause")]
pub async fn pause_queue(
    app: web::Data<App>,
    Operator(who): Operator,
    Json(WithReason { reason }): Json<WithReason>,
) -> Result<HttpResponse, ApiError> {
    queue::pause(&mut *app.db().conn().await?, &who.actor, extract::reason(reason)?).await?;
    Ok(HttpResponse::Ok().json(store::read(&mut *app.db().conn().await?).await?))
}
