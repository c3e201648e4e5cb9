use actix_web::{HttpResponse, get, web};
use shared_types::InstanceId;
use shared_types::certificate::InstanceCertificate;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Viewer;
use crate::instances::certificates;

/// Read the certificate of an instance
///
/// One certificate has all public host names of the instance. Never its key.
#[utoipa::path(tag = "certificates", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "The certificate, or why there is none", body = InstanceCertificate),
))]
#[get("/instances/{id}/certificate")]
pub async fn read_certificate(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(certificates::read(&app.manager, &mut *app.db().conn().await?, *id).await?))
}
