//! From the request to the answer: limits, authorization, ETag.

use std::net::TcpListener;

use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::world::World;
use super::{FakeGithub, control, routes};

/// A request that the fake received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Whether it had an `If-None-Match` header.
    pub is_conditional: bool,
    /// The status of the answer.
    pub status: u16,
    #[serde(skip)]
    pub authorization: Option<String>,
    #[serde(skip)]
    pub body: Vec<u8>,
}

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: Value) -> Self {
        let json = ("content-type".to_owned(), "application/json; charset=utf-8".to_owned());
        Self { status, headers: vec![json], body: body.to_string().into_bytes() }
    }

    pub fn raw(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: vec![], body }
    }

    pub fn message(status: u16, words: &str) -> Self {
        Self::new(status, json!({ "message": words, "documentation_url": "https://docs.github.com/rest" }))
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// The web server that serves this fake.
pub fn server(fake: FakeGithub, listener: TcpListener) -> actix_web::dev::Server {
    let data = web::Data::new(fake);
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(data.clone())
            .app_data(web::PayloadConfig::new(16 << 20))
            .route("/_control/{verb}", web::post().to(control::control))
            .default_service(web::to(serve))
    });
    server.workers(1).disable_signals().listen(listener).unwrap().run()
}

async fn serve(fake: web::Data<FakeGithub>, request: HttpRequest, body: web::Bytes) -> HttpResponse {
    let text = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let tag = text("if-none-match");
    let mut asked = Asked {
        method: request.method().to_string(),
        path: request.uri().to_string(),
        is_conditional: tag.is_some(),
        status: 0,
        authorization: text("authorization"),
        body: body.to_vec(),
    };
    let is_polite = text("user-agent").is_some()
        && text("accept").is_some_and(|accept| accept == "application/vnd.github+json")
        && text("x-github-api-version").is_some_and(|version| version == "2022-11-28");
    let (reply, slow) = {
        let mut world = fake.world();
        let reply = match is_polite {
            true => answer(&mut world, &asked, tag.as_deref()),
            false => Reply::message(403, "Request forbidden by administrative rules."),
        };
        asked.status = reply.status;
        world.asked.push(asked);
        (reply, world.moods.slow)
    };
    if !slow.is_zero() {
        tokio::time::sleep(slow).await;
    }
    let status = actix_web::http::StatusCode::from_u16(reply.status).unwrap();
    let mut response = HttpResponse::build(status);
    for header in reply.headers {
        response.insert_header(header);
    }
    if reply.status == 304 { response.finish() } else { response.body(reply.body) }
}

fn answer(world: &mut World, asked: &Asked, tag: Option<&str>) -> Reply {
    let reply = world.moods.refuse(asked).or_else(|| who(world, asked).err());
    let mut reply = reply.unwrap_or_else(|| routes::answer(world, asked));
    if asked.method == "GET" && reply.status == 200 && !reply.headers.is_empty() {
        reply = tagged(reply, tag);
    }
    world.moods.count(reply.status);
    reply.headers.extend(world.moods.headers());
    reply
}

/// Refuses a request without the permission that it needs.
fn who(world: &World, asked: &Asked) -> Result<(), Reply> {
    // Requests of the App itself are checked by the handlers that answer them.
    let is_apps = asked.path.starts_with("/app/") || asked.path.ends_with("/installation");
    let needed = world.moods.token.as_ref().map(|token| format!("Bearer {token}"));
    if is_apps || (needed.is_none() && !world.apps.has_any()) {
        return Ok(());
    }
    let is_write = asked.method != "GET";
    match &asked.authorization {
        None if is_write || asked.path.starts_with("/orgs/") => Err(Reply::message(401, "Requires authentication")),
        None => Ok(()),
        given if *given != needed && !world.apps.gave(given.as_deref()) => Err(Reply::message(401, "Bad credentials")),
        Some(_) if is_write && world.moods.is_read_only => {
            Err(Reply::message(403, "Resource not accessible by integration"))
        }
        Some(_) => Ok(()),
    }
}

/// Adds the ETag, or answers 304 if the request named that tag.
fn tagged(reply: Reply, tag: Option<&str>) -> Reply {
    let own = format!("\"{}\"", hex::encode(Sha256::digest(&reply.body)));
    let has_it = tag.is_some_and(|tag| tag.split(',').any(|tag| tag.trim().trim_start_matches("W/") == own));
    let own = format!("W/{own}");
    match has_it {
        true => Reply::raw(304, vec![]).with("etag", &own),
        false => reply.with("etag", &own),
    }
}
