//! An HTTP client with credentials, and the answers to its requests.

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// An HTTP client of the program, with or without credentials.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    pub(super) base: String,
    pub(super) credentials: Credentials,
}

/// The credentials that a request carries.
#[derive(Debug, Clone)]
pub enum Credentials {
    None,
    Token(String),
    Cookie(String),
}

impl Client {
    /// A client of the program at `base`, which may be another process.
    pub fn at(http: reqwest::Client, base: String, credentials: Credentials) -> Self {
        Self { http, base, credentials }
    }

    /// A client of the program at `base`, with a new session of its administrator.
    pub async fn of_admin(http: reqwest::Client, base: String, password: &str) -> Self {
        let anonymous = Self::at(http, base, Credentials::None);
        let login = json!({ "username": "admin", "password": password });
        let login = anonymous.post("/api/v1/auth/login", login).await;
        let cookie = login.header("set-cookie").split([';', '=']).nth(1).unwrap().to_owned();
        Self { credentials: Credentials::Cookie(cookie), ..anonymous }
    }

    /// A request with the credentials; `path` begins with a slash.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.credentials {
            Credentials::None => request,
            Credentials::Token(secret) => request.header(AUTHORIZATION, format!("Bearer {secret}")),
            Credentials::Cookie(secret) => request.header(COOKIE, format!("ocim_session={secret}")),
        }
    }

    /// Where the program is: `http://127.0.0.1:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The secret of the client's token. Panics if it has none.
    pub fn token(&self) -> &str {
        match &self.credentials {
            Credentials::Token(secret) => secret,
            Credentials::None | Credentials::Cookie(_) => panic!("no token"),
        }
    }

    /// The credentials that each request carries.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The same client with other credentials.
    pub fn with(&self, credentials: Credentials) -> Self {
        Self { credentials, ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        Answer::to(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::DELETE, path)).await
    }

    /// PATCH with `If-Match`: `etag` is the tag of the answer that was read.
    pub async fn patch(&self, path: &str, etag: &str, body: Value) -> Answer {
        Answer::to(self.request(Method::PATCH, path).header("if-match", etag).json(&body)).await
    }
}

/// A response that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// Sends a request and reads the answer to its end.
    pub async fn to(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Self { status, headers, body: answer.text().await.unwrap() }
    }

    /// A header's value; blank where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body; null where it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The body of an answer that must have this status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The problem document of an answer with this status. Panics unless it has type, detail and the request's id.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.body);
        let problem: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], status);
        assert!(problem["type"].as_str().unwrap().starts_with("/docs/problems#"), "{problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty(), "{problem}");
        let id = self.header("x-request-id");
        assert!(!id.is_empty() && problem["instance"] == id, "{problem} must name the request {id}");
        problem
    }

    /// Pointer and message of each invalid field.
    pub fn field_errors(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = self.problem(422)["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (text(&error["pointer"]), text(&error["detail"]))).collect()
    }

    /// The message of the only invalid field. Panics unless its pointer is `pointer`.
    pub fn field_error(&self, pointer: &str) -> String {
        let [(found, detail)] = <[_; 1]>::try_from(self.field_errors()).unwrap();
        assert_eq!(found, pointer);
        detail
    }
}
