//! Sends requests and parses responses; problems become [`ApiError`].

use gloo_net::http::{Request, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared_types::API_BASE;

use super::{ApiError, Result};

pub(super) fn get(path: &str) -> RequestBuilder {
    Request::get(&url(path)).header("Accept", "application/json")
}

pub(super) fn post(path: &str) -> RequestBuilder {
    Request::post(&url(path)).header("Accept", "application/json")
}

pub(super) fn patch(path: &str) -> RequestBuilder {
    Request::patch(&url(path)).header("Accept", "application/json")
}

pub(super) fn put(path: &str) -> RequestBuilder {
    Request::put(&url(path)).header("Accept", "application/json")
}

pub(super) fn delete(path: &str) -> RequestBuilder {
    Request::delete(&url(path)).header("Accept", "application/json")
}

/// The full path of a resource.
pub(super) fn url(path: &str) -> String {
    format!("{API_BASE}{path}")
}

/// Sends a request without a body and parses the response.
pub(super) async fn send<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    parse(&receive(request.build()).await?)
}

/// Sends a request with a JSON body and parses the response.
pub(super) async fn send_json<T: DeserializeOwned>(request: RequestBuilder, body: &impl Serialize) -> Result<T> {
    parse(&receive(request.json(body)).await?)
}

/// Sends a request and ignores the body of the response.
pub(super) async fn send_for_nothing(request: RequestBuilder) -> Result<()> {
    answer(request.build()).await.map(drop)
}

/// Sends a request with a JSON body and ignores the body of the response.
pub(super) async fn send_json_for_nothing(request: RequestBuilder, body: &impl Serialize) -> Result<()> {
    answer(request.json(body)).await.map(drop)
}

async fn answer(request: std::result::Result<Request, gloo_net::Error>) -> Result<Response> {
    let request = request.map_err(|_| ApiError::Unreachable)?;
    let response = request.send().await.map_err(|_| ApiError::Unreachable)?;
    if response.ok() {
        return Ok(response);
    }
    match response.json().await {
        Ok(problem) => Err(ApiError::Refused(Box::new(problem))),
        // A proxy in between answers with its own error page.
        Err(_) if matches!(response.status(), 502..=504) => Err(ApiError::Unreachable),
        Err(_) => Err(ApiError::Unreadable(response.status())),
    }
}

/// The body of a response, with its status.
struct Body {
    status: u16,
    text: String,
}

/// Sends a request and reads the response. Not generic, so that the program has this code once and not for each kind of
/// response.
async fn receive(request: std::result::Result<Request, gloo_net::Error>) -> Result<Body> {
    let response = answer(request).await?;
    let status = response.status();
    let text = response.text().await.map_err(|_| ApiError::Unreadable(status))?;
    Ok(Body { status, text })
}

fn parse<T: DeserializeOwned>(body: &Body) -> Result<T> {
    serde_json::from_str(&body.text).map_err(|_| ApiError::Unreadable(body.status))
}
