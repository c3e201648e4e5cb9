//! Whether a request is taken at all: for this host, with headers of a bearable size, not too many from one address; and for
//! how long it may take.

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

/// What all headers may have together, in bytes.
const MAX_HEADERS: usize = 32 * 1024;

/// Refuses what is not to be asked of any verb, and ends what takes too long.
///
/// # Errors
/// What the request's handler gives.
pub async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let limit = match check(&request) {
        Ok(limit) => limit,
        Err(error) => return Ok(request.into_response(error.error_response())),
    };
    match tokio::time::timeout(limit, next.call(request)).await {
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

/// How long the answer may take.
fn check(request: &ServiceRequest) -> Result<Duration, ApiError> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(|| ApiError::internal("no application state"))?;
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 names the host in the address.
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
