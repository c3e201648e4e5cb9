use actix_web::{HttpResponse, get, post, web};
use shared_types::InstanceId;
use shared_types::dns::InstanceDns;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::principal::{Operator, Viewer};
use crate::instances::names::{check_now, view};

/// Read an instance's names in the DNS
///
/// The records that its host names need to point at the gateways, and what each authoritative server said at the last check.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "The names, as they were last found", body = InstanceDns),
))]
#[get("/instances/{id}/dns")]
pub async fn read_instance_dns(
    app: web::Data<App>,
    _: Viewer,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(view::read(&app.manager, &mut *app.db().conn().await?, *id).await?))
}

/// Check an instance's names in the DNS now
///
/// Asks all authoritative servers. Where ocim may write records, it writes those that are not right, as it would by itself soon.
/// Takes 20 s at most; names that are not checked by then are as they were last found.
#[utoipa::path(tag = "instances", params(("id" = InstanceId, Path, description = "The instance")), responses(
    (status = 200, description = "The names, as they were found", body = InstanceDns),
))]
#[post("/instances/{id}/dns/check")]
pub async fn check_instance_dns(
    app: web::Data<App>,
    _: Operator,
    id: web::Path<InstanceId>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(check_now(&app.manager, *id).await?))
}
