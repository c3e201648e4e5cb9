//! Metrics of requests: count, status and duration.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::http::span;
use crate::platform::metrics;

/// Records the request. The duration of a stream ends with its headers.
///
/// # Errors
/// The error of the request's handler.
pub async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let (route, method, began) = (span::route(&request), span::method(&request), Instant::now());
    let outcome = next.call(request).await;
    metrics::request_answered(&route, method, span::status(&outcome), began.elapsed());
    outcome
}
