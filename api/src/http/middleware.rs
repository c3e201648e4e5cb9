//! What happens around every request: its id, and the headers that keep a browser safe.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use actix_web::middleware::Next;

use crate::audit::Origin;

/// The id of the request under way; empty outside of one.
pub fn request_id() -> String {
    Origin::current().request_id.unwrap_or_default()
}

/// Scripts and styles come from here only; `wasm-unsafe-eval` lets the browser compile our WebAssembly, nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// The same for the API's reference, whose viewer sets styles inline.
const DOCS_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Gives each request an id and each answer its headers.
///
/// # Errors
/// What the request's handler gives.
pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let mut bits = [0u8; 8];
    getrandom::fill(&mut bits).map_err(actix_web::error::ErrorInternalServerError)?;
    let id = hex::encode(bits);
    let is_docs = request.path().starts_with("/docs");
    let address = request.peer_addr().map(|peer| peer.ip());
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let origin = Origin { address, user_agent, request_id: Some(id.clone()), ..Origin::default() };
    let mut response = origin.scope(next.call(request)).await?;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    let policy = if is_docs { DOCS_SECURITY_POLICY } else { CONTENT_SECURITY_POLICY };
    set(headers, "content-security-policy", policy);
    set(headers, "x-content-type-options", "nosniff");
    set(headers, "referrer-policy", "same-origin");
    set(headers, "cross-origin-opener-policy", "same-origin");
    if !headers.contains_key(actix_web::http::header::CACHE_CONTROL) {
        set(headers, "cache-control", "no-store");
    }
    Ok(response)
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}
