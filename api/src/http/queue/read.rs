use actix_web::{HttpResponse, get, web};
use shared_types::queue::Queue;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::store::queue;

/// Read the build queue
///
/// The builds under way, the waiting ones in their order with the reason, and the workers.
#[utoipa::path(tag = "queue", responses((status = 200, description = "The queue", body = Queue)))]
#[get("/queue")]
pub async fn read_queue(app: web::Data<App>, _: Viewer) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(queue::read(&mut *app.db().conn().await?).await?))
}
