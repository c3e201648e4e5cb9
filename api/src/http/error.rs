//! The only conversion of errors to `application/problem+json`. Internal details are written to the log, with the
//! request's id, and never sent.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use chrono::Utc;
use shared_types::{FieldError, Problem, ProblemType};

use super::middleware::request_id;
use crate::git::source_credentials::CredentialError;
use crate::instances::Refusal;
use crate::platform::audit::Origin;
use crate::platform::db::DbError;
use crate::platform::users::accounts::AccountError;
use crate::platform::users::login::LoginError;
use crate::platform::users::own::ChangeError;
use crate::platform::users::sign_in::SignInError;
use crate::pull_requests::WatchError;
use crate::routing::gateways::GatewayFault;

/// An error that is answered with a problem.
#[derive(Debug)]
pub struct ApiError {
    kind: ProblemType,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<i64>,
}

impl ApiError {
    /// A problem of this type; `detail` says what is wrong, what is needed and what to do.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// Some fields of the request are not valid.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(ProblemType::Invalid, "Some fields are not valid; nothing was saved.") }
    }

    /// No object of this kind has this id.
    pub fn not_found(what: &str, id: impl std::fmt::Display) -> Self {
        Self::new(ProblemType::NotFound, format!("There is no {what} {id}."))
    }

    /// An internal error; its text is only written to the log.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Origin::tells_failure();
        Self::new(ProblemType::Internal, "The log knows more under this request's id.")
    }

    /// The rate limit is reached, for so many seconds.
    pub fn too_many(seconds: i64) -> Self {
        let words = format!("Too many requests; come back in {seconds} s.");
        Self { retry_after: Some(seconds), ..Self::new(ProblemType::TooManyRequests, words) }
    }

    /// The same problem with `Retry-After`, in seconds.
    pub fn retry_after(self, seconds: i64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Whether the same request may succeed in a moment, because others will have ended.
    pub fn is_busy(&self) -> bool {
        matches!(self.kind, ProblemType::TooManyRequests | ProblemType::Unavailable)
    }

    /// The detail, and the invalid fields with theirs.
    pub fn words(&self) -> String {
        let fields = self.errors.iter().map(|FieldError { pointer, detail }| format!(" {pointer}: {detail}"));
        std::iter::once(self.detail.clone()).chain(fields).collect()
    }

    /// The problem as it is sent.
    fn problem(&self) -> Problem {
        Problem {
            kind: format!("/docs/problems#{}", self.kind.as_str()),
            title: self.kind.title().to_owned(),
            status: self.kind.status(),
            detail: self.detail.clone(),
            instance: request_id(),
            errors: self.errors.clone(),
        }
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.title(), self.detail)
    }
}

impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.insert_header((CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.retry_after {
            answer.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        answer.body(serde_json::to_string(&self.problem()).unwrap_or_default())
    }
}

impl From<GatewayFault> for ApiError {
    fn from(fault: GatewayFault) -> Self {
        match fault {
            GatewayFault::NotFound(name) => Self::not_found("gateway", name),
            GatewayFault::Taken(_) => Self::new(ProblemType::Conflict, fault.to_string()),
            GatewayFault::Invalid(error) => Self::invalid(vec![error]),
            GatewayFault::Random(error) => Self::internal(error),
            GatewayFault::Db(error) => error.into(),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound { what, id } => Self::not_found(what, id),
            Refusal::Invalid(errors) => Self::invalid(errors),
            Refusal::Conflict(words) => Self::new(ProblemType::Conflict, words),
            Refusal::Stale(words) => Self::new(ProblemType::PreconditionFailed, words),
            Refusal::Unavailable(words) => Self { retry_after: Some(30), ..Self::new(ProblemType::Unavailable, words) },
            Refusal::Application(error) => Self::new(ProblemType::Conflict, error.to_string()),
            Refusal::Db(error) => error.into(),
        }
    }
}

impl From<WatchError> for ApiError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Refused(refusal) => refusal.into(),
            WatchError::Db(error) => error.into(),
            WatchError::Paused { until, .. } => {
                let seconds = (until - Utc::now()).num_seconds().max(1);
                Self { retry_after: Some(seconds), ..Self::new(ProblemType::Unavailable, error.to_string()) }
            }
            WatchError::Github(_) | WatchError::Other(_) => Self::new(ProblemType::BadGateway, error.to_string()),
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        if error.is_away() {
            tracing::error!(%error, "the database does not answer");
            Origin::tells_failure();
            let words = "The database does not answer; try again in a moment.";
            return Self { retry_after: Some(5), ..Self::new(ProblemType::Unavailable, words) };
        }
        if error.took_too_long() {
            tracing::warn!(%error, "a statement of a request took too long");
            Origin::tells_failure();
            let words =
                "The database took too long and the request was given up; nothing was saved. Try again in a moment.";
            return Self { retry_after: Some(5), ..Self::new(ProblemType::Unavailable, words) };
        }
        if error.is_deadlock() {
            tracing::warn!(%error, "a request and another change waited for each other");
            Origin::tells_failure();
            let words =
                "Another change was made at the same time, and this one was given up; nothing was saved. Try again.";
            return Self { retry_after: Some(1), ..Self::new(ProblemType::Unavailable, words) };
        }
        match error {
            DbError::ReadOnly(words) => {
                tracing::error!(error = words, "the database takes nothing in");
                Origin::tells_failure();
                let words = "The database takes nothing in: its disk is full, or it is read-only. Nothing was saved; what \
                             serves goes on serving. Free space there, and try again.";
                Self { retry_after: Some(30), ..Self::new(ProblemType::Unavailable, words) }
            }
            DbError::Unavailable(_)
            | DbError::Url(_)
            | DbError::Query(_)
            | DbError::Replaced(_)
            | DbError::Corrupt(_) => Self::internal(error),
        }
    }
}

impl From<LoginError> for ApiError {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Wrong => Self::new(ProblemType::Unauthenticated, error.to_string()),
            LoginError::Later(seconds) | LoginError::LaterFromHere(seconds) => {
                Self { retry_after: Some(seconds), ..Self::new(ProblemType::TooManyRequests, error.to_string()) }
            }
            LoginError::Random(error) => Self::internal(error),
            LoginError::Db(error) => error.into(),
        }
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        let problem = error.problem();
        let kind = problem.kind();
        match error {
            SignInError::Next
            | SignInError::Expired
            | SignInError::Denied(_)
            | SignInError::NoRole(_)
            | SignInError::OtherGroup(_)
            | SignInError::Disabled(_) => Self::new(kind, error.to_string()),
            SignInError::Invalid(_) => {
                tracing::warn!(request_id = request_id(), %error, "a sign-in failed");
                Self::new(kind, problem.words())
            }
            SignInError::Unavailable(_) => {
                tracing::warn!(request_id = request_id(), %error, "a sign-in failed");
                Self { retry_after: Some(30), ..Self::new(kind, problem.words()) }
            }
            SignInError::Vault(error) => Self::internal(error),
            SignInError::Login(error) => error.into(),
            SignInError::Db(error) => error.into(),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound(_) | AccountError::NoSession(..) | AccountError::NoToken(..) => {
                Self::new(ProblemType::NotFound, error.to_string())
            }
            AccountError::Stale => Self::new(ProblemType::PreconditionFailed, error.to_string()),
            AccountError::LastAdmin(_) => Self::new(ProblemType::Conflict, error.to_string()),
            AccountError::Invalid(error) => Self::invalid(vec![error]),
            AccountError::Hash(error) => Self::internal(error),
            AccountError::Db(error) => error.into(),
        }
    }
}

impl From<CredentialError> for ApiError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::NotFound(id) => Self::not_found("source credential", id),
            CredentialError::Invalid(errors) => Self::invalid(errors),
            CredentialError::Db(error) => error.into(),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Account(error) => error.into(),
            ChangeError::Login(error) => error.into(),
            ChangeError::NoPassword | ChangeError::TooManyTokens => Self::new(ProblemType::Conflict, error.to_string()),
            ChangeError::Db(error) => error.into(),
        }
    }
}
