//! Serves the OpenAPI document and the page about problem types, and answers unknown paths and methods.

use std::collections::BTreeMap;

use actix_web::http::header::ALLOW;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use shared_types::ProblemType;
use shared_types::audit::Operation;
use utoipa::openapi::OpenApi;

use super::error::ApiError;

/// The document, and the known paths with their methods and operations.
#[derive(Debug, Clone)]
pub struct Known {
    document: String,
    json: String,
    methods: BTreeMap<String, Vec<&'static str>>,
    operations: BTreeMap<(String, &'static str), Operation>,
}

impl Known {
    /// Collects them from the document.
    pub fn of(document: &OpenApi) -> Self {
        let methods = document.paths.paths.iter().map(|(path, item)| {
            let all = [
                ("GET", item.get.is_some()),
                ("POST", item.post.is_some()),
                ("PATCH", item.patch.is_some()),
                ("PUT", item.put.is_some()),
                ("DELETE", item.delete.is_some()),
            ];
            (path.clone(), all.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect())
        });
        let operations = document.paths.paths.iter().flat_map(|(path, item)| {
            let all = [("POST", &item.post), ("PATCH", &item.patch), ("PUT", &item.put), ("DELETE", &item.delete)];
            all.into_iter().filter_map(|(method, operation)| {
                Some(((path.clone(), method), operation.as_ref()?.operation_id.as_ref()?.parse().ok()?))
            })
        });
        Self {
            operations: operations.collect(),
            methods: methods.collect(),
            document: document.to_yaml().unwrap_or_default(),
            json: document.to_json().unwrap_or_default(),
        }
    }

    /// The operation that changes something, by its path template.
    pub fn operation(&self, path: String, method: &str) -> Option<Operation> {
        let method = ["POST", "PATCH", "PUT", "DELETE"].into_iter().find(|known| *known == method)?;
        self.operations.get(&(path, method)).copied()
    }

    /// The methods of a path; none: the path is unknown.
    fn methods(&self, path: &str) -> Option<&Vec<&'static str>> {
        let is_it = |template: &str| {
            let (mut wanted, mut found) = (template.split('/'), path.split('/'));
            loop {
                match (wanted.next(), found.next()) {
                    (None, None) => return true,
                    (Some(wanted), Some(found))
                        if wanted == found || (wanted.starts_with('{') && !found.is_empty()) => {}
                    (Some(_) | None, Some(_) | None) => return false,
                }
            }
        };
        self.methods.iter().find(|(template, _)| is_it(template)).map(|(_, methods)| methods)
    }
}

/// Answers with the OpenAPI document as YAML.
pub async fn yaml(known: web::Data<Known>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/yaml").body(known.document.clone())
}

/// Answers with the OpenAPI document as JSON.
pub async fn json(known: web::Data<Known>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(known.json.clone())
}

/// The answer below `/api` if no operation matches: 405 if the path exists, else 404.
pub async fn nothing_here(request: HttpRequest, known: web::Data<Known>) -> HttpResponse {
    let Some(methods) = known.methods(request.path()) else { return nothing(&request) };
    other_methods(&request, methods)
}

/// The answer to a word in the place of an id: 405 if that path exists itself, else 404.
pub fn at_word(request: &HttpRequest) -> HttpResponse {
    let known = request.app_data::<web::Data<Known>>();
    match known.and_then(|known| known.methods.get(request.path())) {
        Some(methods) => other_methods(request, methods),
        None => nothing(request),
    }
}

/// The 405 for a documented path outside of `/api`. None: the path is not documented.
pub fn other_method(request: &HttpRequest) -> Option<HttpResponse> {
    let known = request.app_data::<web::Data<Known>>()?;
    known.methods.get(request.path()).map(|methods| other_methods(request, methods))
}

fn nothing(request: &HttpRequest) -> HttpResponse {
    ApiError::new(ProblemType::NotFound, format!("There is nothing at {}.", request.path())).error_response()
}

fn other_methods(request: &HttpRequest, methods: &[&str]) -> HttpResponse {
    let methods = methods.join(", ");
    let words = format!("{} takes {methods}, not {}.", request.path(), request.method());
    let mut answer = ApiError::new(ProblemType::MethodNotAllowed, words).error_response();
    if let Ok(value) = methods.parse() {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}

/// The page of all problem types, each with the anchor that `type` points to.
pub async fn page() -> HttpResponse {
    let rows: String = ProblemType::ALL
        .iter()
        .map(|kind| {
            format!(
                "<h2 id=\"{0}\">{0}</h2><p>Status {1}. {2}.</p><p>{3}</p>",
                kind.as_str(),
                kind.status(),
                kind.title(),
                explanation(*kind)
            )
        })
        .collect();
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Problems</title><h1>Types of problems</h1>{rows}"
    );
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page)
}

/// The same in Markdown, for the documentation.
pub fn markdown() -> String {
    let head = "# Types of problems\n\nGenerated from the code by a test; `make problems` writes it anew.\n\nEvery refusal is \
        answered with `application/problem+json` (RFC 9457): its `type` ends with one of these words, its `detail` says\nwhat is \
        wrong, what is needed and what to do, and `instance` is the request's id, as in the log.\n";
    let section = |kind: &ProblemType| {
        let (word, status, title) = (kind.as_str(), kind.status(), kind.title());
        format!("\n## {word}\n\nStatus {status}. {title}.\n\n{}\n", explanation(*kind))
    };
    std::iter::once(head.to_owned()).chain(ProblemType::ALL.iter().map(section)).collect()
}

const fn explanation(kind: ProblemType) -> &'static str {
    match kind {
        ProblemType::BadRequest => "The JSON, the query or a header cannot be read; the detail says where.",
        ProblemType::Unauthenticated => "Sign in, or send a token that works, as Authorization: Bearer.",
        ProblemType::Forbidden => "Your role is not enough, or another site sent the request.",
        ProblemType::NotFound => "There is no such thing, or nothing at this path.",
        ProblemType::MethodNotAllowed => "The path takes other methods; Allow names them.",
        ProblemType::Conflict => "It does not fit the state things are in; the detail says state, need and remedy.",
        ProblemType::PreconditionFailed => "It was changed since you read it. Read it again and repeat the change.",
        ProblemType::TooLarge => "The body is larger than this operation takes.",
        ProblemType::UnsupportedMediaType => "Send application/json.",
        ProblemType::Invalid => "errors names each field, by JSON pointer, with what is wrong. Nothing was changed.",
        ProblemType::PreconditionRequired => "Send If-Match with the ETag of what you read.",
        ProblemType::TooManyRequests => "Come back after Retry-After seconds.",
        ProblemType::HeadersTooLarge => "All headers together may have 32 KiB.",
        ProblemType::Internal => "A fault of ours. The log has it under the request's id.",
        ProblemType::BadGateway => "GitHub says no, or does not answer; the detail has its words. Nothing was changed.",
        ProblemType::Unavailable => "Something this depends on does not answer. Try again after Retry-After seconds.",
    }
}
