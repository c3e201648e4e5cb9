use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, post, web};
use futures::StreamExt;
use shared_types::ProblemType;

use crate::app::App;
use crate::http::error::ApiError;
use crate::pull_requests::deliver::{self, Delivered};
use crate::pull_requests::webhook;

/// The largest body, in bytes: less than GitHub's own limit of 25 MB, but far more than any pull request needs.
const MAX_BODY: usize = 10_000_000;
/// The longest id of a delivery, in bytes.
const MAX_DELIVERY: usize = 100;

/// The raw body of a webhook, whose signature (`X-Hub-Signature-256`) was verified.
#[derive(Debug)]
pub struct Signed(Vec<u8>);

impl FromRequest for Signed {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (app, payload) = (request.app_data::<web::Data<App>>().cloned(), payload.take());
        let signature = header(request, "x-hub-signature-256").map(str::to_owned);
        Box::pin(async move {
            let app = app.ok_or_else(|| ApiError::internal("no application state"))?;
            let refused = || {
                let words = "The signature is missing or wrong; GITHUB_WEBHOOK_SECRETS must hold the webhook's secret.";
                ApiError::new(ProblemType::Unauthenticated, words)
            };
            let secrets = &app.watch.rules.webhook_secrets;
            // Without a signature the body is not even read.
            let signature = signature.filter(|_| !secrets.is_empty()).ok_or_else(refused)?;
            let body = whole(payload).await?;
            if webhook::verify(secrets, &body, Some(&signature)) { Ok(Self(body)) } else { Err(refused()) }
        })
    }
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

async fn whole(mut payload: Payload) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| ApiError::new(ProblemType::BadRequest, format!("The body broke off: {error}")))?;
        if body.len() + chunk.len() > MAX_BODY {
            let words = format!("A webhook may have {MAX_BODY} bytes at most.");
            return Err(ApiError::new(ProblemType::TooLarge, words));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Receive a webhook from GitHub
///
/// Signed with GITHUB_WEBHOOK_SECRETS. The answer says only that the delivery was accepted: a job fetches the pull
/// request from GitHub and updates its instance. A duplicate delivery, an event of another kind, or one of a repository
/// that is not watched, is accepted and has no effect. At most 10 MB.
#[utoipa::path(tag = "pull requests", params(
    ("X-GitHub-Event" = Option<String>, Header, description = "The kind of event"),
    ("X-GitHub-Delivery" = Option<String>, Header, description = "The delivery, 1 to 100 characters; it counts once"),
), request_body(content = Value, description = "As GitHub sends it", content_type = "application/json"), responses(
    (status = 200, description = "Taken"),
    (status = 400, description = "It is signed, and makes no sense"),
    (status = 401, description = "It is not signed, or wrongly; nothing was done"),
    (status = 413, description = "It is too large; nothing was done"),
))]
#[post("/webhooks/github")]
pub async fn receive_github_webhook(
    app: web::Data<App>,
    Signed(body): Signed,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let wrong = |words: String| ApiError::new(ProblemType::BadRequest, words);
    let delivery = header(&request, "x-github-delivery").filter(|id| (1..=MAX_DELIVERY).contains(&id.len()));
    let delivery = delivery.ok_or_else(|| wrong("X-GitHub-Delivery must have 1 to 100 characters.".into()))?;
    let kind = header(&request, "x-github-event").ok_or_else(|| wrong("X-GitHub-Event is missing.".into()))?;
    let Some(wakeup) = webhook::read(kind, &body).map_err(wrong)? else {
        tracing::debug!(kind, delivery, "a webhook that is not for us");
        return Ok(HttpResponse::Ok().finish());
    };
    let delivered = deliver::deliver(&app.watch, delivery, &wakeup).await?;
    if delivered == Delivered::NotWatched {
        tracing::info!(kind, delivery, repository = wakeup.repository, "a webhook of a repository that is not watched");
    }
    Ok(HttpResponse::Ok().finish())
}
