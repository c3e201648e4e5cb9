//! Extractors for handlers: JSON bodies and queries, whose errors are answered with problems.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_TYPE, IF_MATCH};
use actix_web::{FromRequest, HttpRequest, web};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use shared_types::{FieldError, ProblemType};

use super::error::ApiError;
use super::principal::Gate;

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// The most characters of a parameter's text.
pub const MAX_TEXT: usize = 200;
/// The most ids in a parameter.
const MAX_IDS: usize = 100;

/// A JSON body. As a handler's parameter it must come after the role, which opens the gate.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let content_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned();
        let payload = payload.take();
        let gate = Gate::of(request);
        Box::pin(async move {
            if let Some(gate) = gate {
                gate.passed().await;
            }
            let body = read(payload).await?;
            // An empty body counts as `{}`: clients often send none if every field is optional.
            let body = if body.is_empty() { b"{}".to_vec() } else { body };
            let essence = content_type.split(';').next().unwrap_or("").trim();
            let is_json = essence.eq_ignore_ascii_case("application/json");
            if !is_json && (!essence.is_empty() || body != b"{}") {
                return Err(ApiError::new(ProblemType::UnsupportedMediaType, "Send Content-Type: application/json."));
            }
            parse(&body).map(Self)
        })
    }
}

/// Reads a body of at most [`MAX_BODY`] bytes.
///
/// # Errors
/// [`ProblemType::TooLarge`], or [`ProblemType::BadRequest`] if the connection broke off.
pub async fn read(mut payload: Payload) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| ApiError::new(ProblemType::BadRequest, format!("The body broke off: {error}")))?;
        if body.len() + chunk.len() > MAX_BODY {
            return Err(ApiError::new(ProblemType::TooLarge, format!("The body may have {MAX_BODY} bytes at most.")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // First as any JSON: a syntax error is another problem than a wrong type.
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        let words = format!("The body is not JSON: {error}.");
        return Err(ApiError::new(ProblemType::BadRequest, words));
    }
    // A list would be read as the fields of a struct in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        let detail = "The body must be a JSON object.".to_owned();
        return Err(ApiError::invalid(vec![FieldError { pointer: String::new(), detail }]));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer: String = error
            .path()
            .iter()
            .map(|segment| match segment {
                serde_path_to_error::Segment::Seq { index } => format!("/{index}"),
                serde_path_to_error::Segment::Map { key } => format!("/{key}"),
                serde_path_to_error::Segment::Enum { variant } => format!("/{variant}"),
                serde_path_to_error::Segment::Unknown => String::new(),
            })
            .collect();
        let words = error.inner().to_string();
        if words.starts_with("recursion limit exceeded") {
            return ApiError::new(ProblemType::BadRequest, format!("The body is nested too deeply: {words}."));
        }
        let detail = words.split(" at line ").next().unwrap_or(&words).to_owned();
        ApiError::invalid(vec![FieldError { pointer, detail }])
    })
}

/// Answers invalid queries with [`ProblemType::BadRequest`].
pub fn query_config() -> web::QueryConfig {
    web::QueryConfig::default().error_handler(|error, _| {
        ApiError::new(ProblemType::BadRequest, format!("The query is not valid: {error}.")).into()
    })
}

/// Answers an id that is no number with 404, or 405 if the path is that of another operation.
pub fn path_config() -> web::PathConfig {
    web::PathConfig::default().error_handler(|error, request| {
        let answer = super::problems::at_word(request);
        InternalError::from_response(error, answer).into()
    })
}

/// The number of items of a page, or the default.
///
/// # Errors
/// [`ProblemType::BadRequest`] if the number is not 1 to 500.
pub fn limit(asked: Option<i64>) -> Result<i64, ApiError> {
    use shared_types::pagination::{DEFAULT_LIMIT, MAX_LIMIT};
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        other => Err(ApiError::new(ProblemType::BadRequest, format!("limit is {other}; it must be 1 to {MAX_LIMIT}."))),
    }
}

/// The version in `If-Match`; `what` names the object in an error.
///
/// # Errors
/// [`ProblemType::PreconditionRequired`] without the header, [`ProblemType::PreconditionFailed`] if it has no version.
pub fn if_match(request: &HttpRequest, what: &str) -> Result<i64, ApiError> {
    let Some(value) = request.headers().get(IF_MATCH) else {
        let words =
            format!("Send If-Match with the ETag of the {what} as you read it, so that no other change is lost.");
        return Err(ApiError::new(ProblemType::PreconditionRequired, words));
    };
    let version = value
        .to_str()
        .ok()
        .and_then(|tag| tag.trim().trim_start_matches("W/").trim_matches('"').split('-').next()?.parse().ok());
    version.ok_or_else(|| {
        let words = format!("If-Match names no version of this {what}; read it again and repeat the change.");
        ApiError::new(ProblemType::PreconditionFailed, words)
    })
}

/// Checks the reason that a user gave.
///
/// # Errors
/// [`ProblemType::Invalid`] if the reason is too long.
pub fn reason(reason: Option<String>) -> Result<Option<String>, ApiError> {
    let reason = reason.map(|words| words.trim().replace('\0', "")).filter(|words| !words.is_empty());
    if reason.as_ref().is_some_and(|words| words.chars().count() > 500) {
        return Err(ApiError::invalid(vec![FieldError::new("reason", "At most 500 characters.")]));
    }
    Ok(reason)
}

/// Checks the search text of a parameter `q`.
///
/// # Errors
/// [`ProblemType::BadRequest`] if the text is too long or has a null character.
pub fn search(text: Option<String>) -> Result<Option<String>, ApiError> {
    Ok(self::text("q", text)?.filter(|text| !text.is_empty()))
}

/// Parses the ids of a parameter: integers separated by commas.
///
/// # Errors
/// [`ProblemType::BadRequest`] if they are not integers, or more than [`MAX_IDS`].
pub fn ids(ids: Option<&str>) -> Result<Option<Vec<i64>>, ApiError> {
    let Some(ids) = ids else { return Ok(None) };
    // One more than the limit is enough to detect too many.
    let ids: Result<Vec<i64>, _> = ids.split(',').take(MAX_IDS + 1).map(str::parse).collect();
    match ids {
        Ok(ids) if ids.len() <= MAX_IDS => Ok(Some(ids)),
        Ok(_) | Err(_) => {
            let words = format!("ids are whole numbers with commas between them, at most {MAX_IDS}.");
            Err(ApiError::new(ProblemType::BadRequest, words))
        }
    }
}

/// Checks the text of a parameter.
///
/// # Errors
/// [`ProblemType::BadRequest`] if the text is too long or has a null character.
pub fn text(name: &str, text: Option<String>) -> Result<Option<String>, ApiError> {
    match text {
        Some(text) if text.chars().count() > MAX_TEXT || text.contains('\0') => {
            let words = format!("{name} may have {MAX_TEXT} characters at most, and no null character.");
            Err(ApiError::new(ProblemType::BadRequest, words))
        }
        text => Ok(text),
    }
}
