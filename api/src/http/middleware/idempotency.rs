//! `Idempotency-Key`: a repeated `POST` with the same key from the same user gets the stored answer and has no effect.
//! Answers are stored for 24 hours.

use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};
use sha2::{Digest, Sha256};
use shared_types::{ProblemType, UserId};
use tracing::Instrument;

use crate::app::App;
use crate::http::error::ApiError;
use crate::http::needs::{self, Need};
use crate::http::problems::Known;
use crate::http::{extract, principal};
use crate::platform::answers::{self, Answer, Begun};
use crate::platform::audit::Origin;
use crate::platform::users::{Credential, Principal};

/// The header that marks a stored answer.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A request with an `Idempotency-Key`.
struct Keyed {
    user: UserId,
    key: String,
    body: web::Bytes,
    hash: Vec<u8>,
}

/// Answers a repeated request with the stored answer.
///
/// # Errors
/// The error of the request's handler.
pub async fn idempotency(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let keyed = match keyed(&mut request).await {
        Ok(Some(keyed)) => keyed,
        Ok(None) => return Ok(next.call(request).await?.map_into_boxed_body()),
        Err(error) => return Ok(request.into_response(error.error_response())),
    };
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return Ok(request.into_response(ApiError::internal("no application state").error_response()));
    };
    match begin(&app, &keyed).await {
        Ok(None) => {}
        Ok(Some(answer)) => return Ok(request.into_response(replay(answer))),
        Err(error) => return Ok(request.into_response(error.error_response())),
    }
    request.set_payload(Payload::from(keyed.body.clone()));
    // The work continues when the caller hangs up, so that a repeated request gets its answer.
    let work = next.call(request);
    let work = Origin::current().scope(async move { finish(&app, &keyed, work.await?).await });
    let done =
        actix_web::rt::spawn(work.in_current_span()).await.map_err(actix_web::error::ErrorInternalServerError)?;
    let (http, response): (HttpRequest, HttpResponse) = done?;
    Ok(ServiceResponse::new(http, response))
}

/// The request's key; none: it has no key, or its operation ignores it.
async fn keyed(request: &mut ServiceRequest) -> Result<Option<Keyed>, ApiError> {
    let path = request.path();
    let is_for_it = request.method() == Method::POST
        && path.starts_with("/api/v1/")
        && !["/api/v1/auth/", "/api/v1/users", "/api/v1/webhooks/"].iter().any(|other| path.starts_with(other));
    let Some(key) = request.headers().get("idempotency-key").filter(|_| is_for_it) else { return Ok(None) };
    let key = key.to_str().unwrap_or_default().to_owned();
    if key.is_empty() || key.len() > 255 {
        let words = "Idempotency-Key must have 1 to 255 characters of ASCII.";
        return Err(ApiError::new(ProblemType::BadRequest, words));
    }
    let Some(need) = need(request) else { return Ok(None) };
    // The handler refuses callers who may not do this; a stored answer is not for them either.
    let Ok(who) = principal::authorize(request.request(), need).await else { return Ok(None) };
    let body = web::Bytes::from(extract::read(request.take_payload()).await?);
    let mut hash = Sha256::new();
    let (address, caller) = (request.uri().to_string(), caller(&who));
    for part in [request.method().as_str().as_bytes(), address.as_bytes(), caller.as_bytes(), &body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    Ok(Some(Keyed { user: who.user_id, key, body, hash: hash.finalize().to_vec() }))
}

/// The credentials that the operation needs; none: it is unknown, or public.
fn need(request: &ServiceRequest) -> Option<Need> {
    let known = request.app_data::<web::Data<Known>>()?;
    needs::of(known.operation(request.match_pattern()?, request.method().as_str())?)
}

/// The rights that a request was answered with: an answer is given again only to the same ones.
fn caller(who: &Principal) -> String {
    let scopes = match &who.credential {
        Credential::Session(_) => String::new(),
        Credential::Token(id, scopes) => {
            let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
            format!(" token {id} {}", scopes.join(","))
        }
    };
    format!("{}{scopes}", who.role.as_str())
}

/// The stored answer; none: the request is new and must be handled.
async fn begin(app: &App, keyed: &Keyed) -> Result<Option<Answer>, ApiError> {
    let Keyed { user, key, body: _, hash } = keyed;
    match answers::begin(&mut *app.db().conn().await?, *user, key, hash).await? {
        Begun::Now => Ok(None),
        Begun::Before(answer) => Ok(Some(answer)),
        Begun::Unfinished => {
            let words = "A request with this Idempotency-Key is being answered, or was cut off by a crash. Try again in a \
                 moment; if it stays so, read whether it was done and use another key.";
            Err(ApiError::new(ProblemType::Conflict, words).retry_after(1))
        }
        Begun::Other => {
            let words = "This Idempotency-Key was used for another request, or with other rights; this request was not carried out. Use a new key for each request.";
            Err(ApiError::new(ProblemType::Invalid, words))
        }
    }
}

/// Stores the answer. After 401, 403, 429 or a server error, releases the key instead, so that it can be retried.
async fn finish(
    app: &App,
    keyed: &Keyed,
    response: ServiceResponse<impl MessageBody + 'static>,
) -> Result<(HttpRequest, HttpResponse), Error> {
    let (http, response) = response.into_parts();
    let (response, body) = response.into_parts();
    let bytes = to_bytes(body).await.map_err(|_| actix_web::error::ErrorInternalServerError("no body"))?;
    let header =
        |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let status = response.status();
    let is_kept = !status.is_server_error()
        && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    let answer = Answer {
        status: i16::try_from(status.as_u16()).ok(),
        location: header(LOCATION),
        etag: header(ETAG),
        body: Some(bytes.to_vec()),
    };
    let kept = async {
        let mut conn = app.db().conn().await?;
        match is_kept {
            true => answers::finish(&mut conn, keyed.user, &keyed.key, &answer).await,
            false => answers::forget(&mut conn, keyed.user, &keyed.key).await,
        }
    };
    if let Err(error) = kept.await {
        tracing::warn!(%error, "an answer could not be kept for its Idempotency-Key");
    }
    Ok((http, response.set_body(BoxBody::new(bytes))))
}

fn replay(answer: Answer) -> HttpResponse {
    let Answer { status, location, etag, body } = answer;
    let status =
        status.and_then(|status| u16::try_from(status).ok()).and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    let kind = if status.is_client_error() { "application/problem+json" } else { "application/json" };
    response.insert_header((CONTENT_TYPE, kind)).insert_header((REPLAYED, "true"));
    if let Some(location) = location {
        response.insert_header((LOCATION, location));
    }
    if let Some(etag) = etag {
        response.insert_header((ETAG, etag));
    }
    response.body(body.unwrap_or_default())
}
