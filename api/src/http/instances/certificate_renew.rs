use actix_web::{HttpResponse, post, web};
use shared_types::InstanceId;
use shared_types::certificate::InstanceCertificate;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::Operator;
use crate::instances::certificates;

/// Renew the certificate of an instance
///
/// The next certificate is ordered at once, and a pause after failures ends. Limits of the authority are kept; the present certificate is
/// served until the next one is there.
#[utoipa::path(tag = "certificates", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 202, description = "A worker orders it", body = InstanceCertificate),
    (status = 409, description = "It has no certificate that is ordered from an authority"),
))]
#[post("/instances/{id}/certificate/renew")]
pub async fn renew_certificate(
    app: web::Data<App>,
    Operator(who): Operator,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    let mut conn = app.db().conn().await?;
    certificates::renew(&app.manager, &mut conn, &who.actor, *id).await?;
    Ok(HttpResponse::Accepted().json(certificates::read(&app.manager, &mut conn, *id).await?))
}
