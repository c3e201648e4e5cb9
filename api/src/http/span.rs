//! The tracing span of a request, whose fields are on each of its log lines: above all the request id, which the answer
//! and the jobs of the request carry too. Never a query, a body or a header: they may have secrets.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage};
use tracing::Span;
use tracing::field::Empty;
use tracing_actix_web::RootSpanBuilder;

/// The request id: 16 random hexadecimal digits, set before all other middleware runs.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Creates the span and the request id.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let (method, route) = (method(request), route(request));
        // At the level ERROR, so that no log filter disables the span.
        let span =
            tracing::error_span!("request", request_id = Empty, method, route, status = Empty, principal = Empty);
        let mut bits = [0u8; 8];
        // `middleware::around` refuses a request without an id.
        if getrandom::fill(&mut bits).is_ok() {
            let id = hex::encode(bits);
            span.record("request_id", &id);
            request.extensions_mut().insert(RequestId(id));
        }
        span
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        span.record("status", status(outcome));
        tracing::debug!("a request is answered");
    }
}

/// The HTTP status of an outcome.
pub fn status<B>(outcome: &Result<ServiceResponse<B>, Error>) -> u16 {
    match outcome {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    }
}

/// The route's pattern, with `{id}`; `none` for unknown paths.
pub fn route(request: &ServiceRequest) -> String {
    request.match_pattern().unwrap_or_else(|| "none".to_owned())
}

/// The method; `other` for any that no route takes.
pub fn method(request: &ServiceRequest) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| *known == request.method().as_str()).unwrap_or("other")
}
