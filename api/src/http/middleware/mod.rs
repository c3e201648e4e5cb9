//! The middleware of every request, the outermost first: the request id (`http/span.rs`), metrics ([`measure()`]),
//! `ETag` ([`etag()`]), compression, the origin and security headers ([`around`]), limits ([`admit()`]), idempotency
//! ([`idempotency()`]), and the audit of refusals ([`refusals()`]).

mod admit;
mod etag;
mod idempotency;
mod measure;
mod refusals;

use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

pub use admit::admit;
pub use etag::etag;
pub use idempotency::idempotency;
pub use measure::measure;
pub use refusals::refusals;

use crate::app::App;
use crate::http::span::{self, RequestId};
use crate::platform::audit::Origin;

/// The id of the current request; empty outside of a request.
pub fn request_id() -> String {
    Origin::current().request_id.unwrap_or_default()
}

/// Allows only own scripts and styles; `wasm-unsafe-eval` allows the browser to compile our WebAssembly, nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// The same for the API's reference, whose viewer sets styles inline.
const DOCS_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// Browsers use only TLS for this host, for a year. Not for the hosts below it: those may be of instances without TLS.
const STRICT_TRANSPORT: &str = "max-age=31536000";
/// The same with all hosts below it (`OCIM_HSTS_SUBDOMAINS`).
const STRICT_TRANSPORT_BELOW: &str = "max-age=31536000; includeSubDomains";

/// Sets the origin of each request, and the security headers of each answer.
///
/// # Errors
/// The error of the request's handler.
pub async fn around(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = request.extensions().get::<RequestId>().map(|RequestId(id)| id.clone());
    let id = id.ok_or_else(|| actix_web::error::ErrorInternalServerError("the system gives no random bits"))?;
    let is_docs = request.path().starts_with("/docs");
    let transport = request.app_data::<web::Data<App>>().and_then(|app| strict_transport(app));
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let origin = Origin::of_request(address(&request), user_agent, id.clone());
    let answered: Result<_, Error> = origin
        .scope(async {
            let outcome = next.call(request).await;
            tell_failure(&outcome);
            // The error is rendered here, inside the scope, since it contains the request id.
            outcome.map_err(|error| {
                let mut response = error.error_response();
                protect(response.headers_mut(), &id, is_docs, transport);
                InternalError::from_response(error, response).into()
            })
        })
        .await;
    let mut response = answered?;
    protect(response.headers_mut(), &id, is_docs, transport);
    Ok(response)
}

/// Logs a server error (5xx), unless the code that failed has logged it already.
fn tell_failure<B>(outcome: &Result<ServiceResponse<B>, Error>) {
    let status = span::status(outcome);
    if status < 500 || Origin::tells_failure() {
        return;
    }
    let error = match outcome {
        Ok(response) => response.response().error().map(ToString::to_string),
        Err(error) => Some(error.to_string()),
    };
    tracing::error!(status, error, "a request failed");
}

fn strict_transport(app: &App) -> Option<&'static str> {
    app.is_behind_tls.then_some(if app.has_hsts_subdomains { STRICT_TRANSPORT_BELOW } else { STRICT_TRANSPORT })
}

fn protect(headers: &mut HeaderMap, id: &str, is_docs: bool, transport: Option<&'static str>) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    let policy = if is_docs { DOCS_SECURITY_POLICY } else { CONTENT_SECURITY_POLICY };
    set(headers, "content-security-policy", policy);
    set(headers, "x-content-type-options", "nosniff");
    set(headers, "x-frame-options", "DENY");
    set(headers, "referrer-policy", "same-origin");
    set(headers, "cross-origin-opener-policy", "same-origin");
    set(headers, "cross-origin-resource-policy", "same-origin");
    set(headers, "permissions-policy", "camera=(), geolocation=(), microphone=()");
    if let Some(transport) = transport {
        set(headers, "strict-transport-security", transport);
    }
    if !headers.contains_key(actix_web::http::header::CACHE_CONTROL) {
        set(headers, "cache-control", "no-store");
    }
}

/// The client's address; `X-Forwarded-For` counts only from trusted proxies.
fn address(request: &ServiceRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let forwarded: Vec<&str> =
        request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
    let forwarded = forwarded.join(",");
    let app = request.app_data::<web::Data<App>>()?;
    Some(app.guard.proxies.client(peer, (!forwarded.is_empty()).then_some(forwarded.as_str())))
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
}
