//! Errors as the API sends them: RFC 9457 `application/problem+json`, with a closed list of types.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every kind of problem. The words are stable; `type` in an answer is `/docs/problems#{word}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemType {
    /// The request is not well-formed: broken JSON, a bad query, a bad header.
    BadRequest,
    /// The request has no valid session or token, or the credentials are wrong.
    Unauthenticated,
    /// The role is not enough, or the request came from another site.
    Forbidden,
    /// The resource does not exist.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The request is not possible in the current state of the resource.
    Conflict,
    /// The resource changed since it was read.
    PreconditionFailed,
    /// The body is larger than allowed.
    TooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// Some fields are not valid; `errors` names each.
    Invalid,
    /// The header `If-Match` is missing.
    PreconditionRequired,
    /// Too many attempts; `Retry-After` says when to come back.
    TooManyRequests,
    /// The headers are larger than allowed.
    HeadersTooLarge,
    /// An error in the program; the log has more under the request's id.
    Internal,
    /// Another service, which this request needs, refused or did not answer; `detail` has its words.
    BadGateway,
    /// A part that this program depends on does not answer now.
    Unavailable,
}

impl ProblemType {
    /// Every type, by status.
    pub const ALL: &[Self] = &[
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::PreconditionFailed,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::PreconditionRequired,
        Self::TooManyRequests,
        Self::HeadersTooLarge,
        Self::Internal,
        Self::BadGateway,
        Self::Unavailable,
    ];

    /// The stable word in `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Conflict => "conflict",
            Self::PreconditionFailed => "precondition-failed",
            Self::TooLarge => "too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::Invalid => "invalid",
            Self::PreconditionRequired => "precondition-required",
            Self::TooManyRequests => "too-many-requests",
            Self::HeadersTooLarge => "headers-too-large",
            Self::Internal => "internal",
            Self::BadGateway => "bad-gateway",
            Self::Unavailable => "unavailable",
        }
    }

    /// The HTTP status of the response.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict => 409,
            Self::PreconditionFailed => 412,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::PreconditionRequired => 428,
            Self::TooManyRequests => 429,
            Self::HeadersTooLarge => 431,
            Self::Internal => 500,
            Self::BadGateway => 502,
            Self::Unavailable => 503,
        }
    }

    /// A short title for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request is not well-formed",
            Self::Unauthenticated => "Sign in first",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::Conflict => "Not possible in this state",
            Self::PreconditionFailed => "Changed meanwhile",
            Self::TooLarge => "Too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::Invalid => "Some fields are not valid",
            Self::PreconditionRequired => "If-Match is needed",
            Self::TooManyRequests => "Too many requests",
            Self::HeadersTooLarge => "Headers too large",
            Self::Internal => "Something went wrong on our side",
            Self::BadGateway => "An upstream service failed",
            Self::Unavailable => "Not available right now",
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field, as a JSON pointer (RFC 6901).
    #[schema(example = "/email")]
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub detail: String,
}

impl FieldError {
    /// An error about a field at the top of the body.
    pub fn new(field: &str, detail: impl Into<String>) -> Self {
        Self { pointer: format!("/{}", field.replace('~', "~0").replace('/', "~1")), detail: detail.into() }
    }
}

/// An error, as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The problem type, from a closed list; the page at this address explains it.
    #[serde(rename = "type")]
    #[schema(example = "/docs/problems#conflict")]
    pub kind: String,
    /// The problem type in words.
    pub title: String,
    /// The HTTP status of the response.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What is wrong here, what is needed, and what to do about it.
    pub detail: String,
    /// The id of the request, as in the log.
    pub instance: String,
    /// Each field that is not valid, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}
