use actix_web::{HttpResponse, delete, web};
use shared_types::queue::Queue;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::builds::queue;
use crate::instances::store::queue as store;

/// Resume the queue
///
/// Waiting builds begin, in their order. If the queue is not paused, nothing changes.
#[utoipa::path(tag = "queue", responses((status = 200, description = "The queue", body = Queue)))]
#[delete("/queue/pause")]
pub async fn resume_queue(app: web::Data<App>, Operator(who): Operator) -> Result<HttpResponse, ApiError> {
    queue::resume(&mut *app.db().conn().await?, &who.actor).await?;
    Ok(HttpResponse::Ok().json(store::read(&mut *app.db().conn().await?).await?))
}
