//! Limits for every request: allowed host names, the size of the headers, the rate per address, and the timeout of the
//! answer.

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HOST;
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};
use shared_types::ProblemType;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::prefer;
use crate::platform::audit::Origin;
use crate::platform::db::Abandonable;

/// The most bytes of path, query and all headers together.
const MAX_HEADERS: usize = 32 * 1024;

/// Refuses requests beyond the limits, and ends those that time out.
///
/// # Errors
/// The error of the request's handler, or [`ProblemType::Unavailable`] after the timeout.
pub async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let limit = match check(&request) {
        Ok(limit) => limit,
        Err(error) => return Ok(request.into_response(error.error_response())),
    };
    match tokio::time::timeout(limit, Abandonable::new(next.call(request))).await {
        Ok(answered) => Ok(answered?.map_into_boxed_body()),
        Err(_) => {
            let words = format!(
                "The answer took longer than {} s and was given up; read whether what you asked for was done.",
                limit.as_secs()
            );
            Err(ApiError::new(ProblemType::Unavailable, words).retry_after(5).into())
        }
    }
}

/// Checks the limits and gives the timeout of the answer.
fn check(request: &ServiceRequest) -> Result<Duration, ApiError> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(|| ApiError::internal("no application state"))?;
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has the host in the URI (`:authority`).
    let host = host.or_else(|| request.uri().host()).unwrap_or_default();
    if !app.guard.hosts.allow(host) {
        let words = "The request is for a host name that this program does not answer for; OCIM_ALLOWED_HOSTS names those it \
             does.";
        return Err(ApiError::new(ProblemType::BadRequest, words));
    }
    let size: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if size + request.uri().path_and_query().map_or(0, |path| path.as_str().len()) > MAX_HEADERS {
        let words = format!("Address and headers may have {MAX_HEADERS} bytes together.");
        return Err(ApiError::new(ProblemType::HeadersTooLarge, words));
    }
    if let Some(address) = Origin::current().address {
        app.guard.rates.address(address).map_err(ApiError::too_many)?;
    }
    Ok(app.guard.request_timeout + prefer::wait(request.request()).unwrap_or_default())
}
