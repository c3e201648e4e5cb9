//! Records refused changes in the audit log: the user, the operation and the reason. Only for authenticated requests,
//! since others could fill the audit log.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, web};
use shared_types::{AppServerId, InstanceId};

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::problems::Known;
use crate::platform::audit::{self, Origin};

/// Records a refused request that would have changed something.
///
/// # Errors
/// The error of the request's handler.
pub async fn refusals(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    if response.status().is_client_error() && !response.request().method().is_safe() {
        let why = response.response().error().and_then(|error| error.as_error::<ApiError>()).map(ApiError::words);
        if let Some(why) = why {
            record(response.request(), &why).await;
        }
    }
    Ok(response)
}

async fn record(request: &HttpRequest, why: &str) {
    let (Some(app), Some(known)) = (request.app_data::<web::Data<App>>(), request.app_data::<web::Data<Known>>())
    else {
        return;
    };
    let Some(pattern) = request.match_pattern() else { return };
    let id = request.match_info().get("id").and_then(|id| id.parse().ok());
    let (is_instance, is_app_server) =
        (pattern.starts_with("/api/v1/instances/{id}"), pattern.starts_with("/api/v1/app-servers/{id}"));
    let (Some(actor), Some(operation)) = (Origin::current().actor, known.operation(pattern, request.method().as_str()))
    else {
        return;
    };
    let mut entry = audit::Entry::new(&actor, operation).refused(why);
    if let Some(id) = id {
        if is_instance {
            entry = entry.instance(InstanceId(id));
        } else if is_app_server {
            entry = entry.app_server(AppServerId(id));
        }
    }
    let recorded = async { audit::record(&mut *app.db().conn().await?, entry).await };
    if let Err(error) = recorded.await {
        tracing::warn!(%error, %operation, "a refusal could not be written to the audit log");
    }
}
