//! What every line of the log carries that is written while a request is answered: the request's id above all, which its answer
//! names, too, and the jobs it asked for. Never a query, a body or a header: they may hold secrets.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage};
use tracing::Span;
use tracing::field::Empty;
use tracing_actix_web::RootSpanBuilder;

/// The request's id: 16 hexadecimal digits. Made before anything else.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Makes the span, and the id.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let (method, route) = (method(request), route(request));
        // As loud as can be, so that no filter leaves lines without it.
        let span =
            tracing::error_span!("request", request_id = Empty, method, route, status = Empty, principal = Empty);
        let mut bits = [0u8; 8];
        // Without an id the request is refused: see `middleware::around`.
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

/// The status that an outcome is answered with.
pub fn status<B>(outcome: &Result<ServiceResponse<B>, Error>) -> u16 {
    match outcome {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    }
}

/// The path with `{id}` in it; `none` for all that is nowhere.
pub fn route(request: &ServiceRequest) -> String {
    request.match_pattern().unwrap_or_else(|| "none".to_owned())
}

/// The method; `other` for all that nothing here takes.
pub fn method(request: &ServiceRequest) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| *known == request.method().as_str()).unwrap_or("other")
}
