//! How many requests there are, how they are answered and how fast.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::http::span;
use crate::platform::metrics;

/// Counts the request. What a stream sends after its head is not waited for.
///
/// # Errors
/// What the request's handler gives.
pub async fn measure(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let (route, method, began) = (span::route(&request), span::method(&request), Instant::now());
    let outcome = next.call(request).await;
    metrics::request_answered(&route, method, span::status(&outcome), began.elapsed());
    outcome
}
