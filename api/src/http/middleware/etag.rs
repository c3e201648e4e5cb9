//! Adds an `ETag` to every JSON answer to a `GET`: a hash of its bytes, after the resource's version if there is one. A
//! matching `If-None-Match` is answered with 304.

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use sha2::{Digest, Sha256};

/// Runs outside of compression, since each encoding is a representation with its own tag.
///
/// # Errors
/// The error of the request's handler.
pub async fn etag(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let asked = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let is_read = request.method() == Method::GET;
    let is_kept = request.path().starts_with("/api/") && !request.path().starts_with("/api/v1/auth/");
    let response = next.call(request).await?.map_into_boxed_body();
    if !is_read || !is_kept || response.status() != StatusCode::OK || !is_json(&response) {
        return Ok(response);
    }
    let (http, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let bytes = to_bytes(body).await.map_err(actix_web::error::ErrorInternalServerError)?;
    let hash = hex::encode(Sha256::digest(&bytes).get(..8).unwrap_or_default());
    let version = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(|tag| tag.trim_matches('"'));
    let tag = version.map_or_else(|| format!("\"{hash}\""), |version| format!("\"{version}-{hash}\""));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(ETAG, value);
    }
    // Browsers cache the answer and revalidate it on each use.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if asked.is_some_and(|asked| names(&asked, &tag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH] {
            response.headers_mut().remove(name);
        }
        return Ok(ServiceResponse::new(http, response.set_body(BoxBody::new(()))));
    }
    let response: HttpResponse = response.set_body(BoxBody::new(bytes));
    Ok(ServiceResponse::new(http, response))
}

fn is_json(response: &ServiceResponse<BoxBody>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

/// Whether `If-None-Match` names this tag.
fn names(asked: &str, tag: &str) -> bool {
    asked.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
