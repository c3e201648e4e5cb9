//! A proxy between the program and GitHub that refuses some requests.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use crate::app::http;

/// Forwards requests, except those that it refuses.
pub struct Doorman {
    pub base: String,
    refused: Arc<Mutex<String>>,
    handle: ServerHandle,
}

#[derive(Clone)]
struct Rule {
    behind: String,
    refused: Arc<Mutex<String>>,
    client: reqwest::Client,
}

impl Doorman {
    pub async fn before(behind: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let refused = Arc::new(Mutex::new("nothing".to_owned()));
        let client = http().build().unwrap();
        let rule = Rule { behind: behind.to_owned(), refused: refused.clone(), client };
        let server =
            HttpServer::new(move || App::new().app_data(web::Data::new(rule.clone())).default_service(web::to(pass)));
        let server = server.workers(1).disable_signals().listen(listener).unwrap().run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { base, refused, handle }
    }

    /// From now on, requests with `part` in their path get 403.
    pub fn refuse(&self, part: &str) {
        *self.refused.lock().unwrap() = part.to_owned();
    }

    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

async fn pass(request: HttpRequest, body: web::Bytes, rule: web::Data<Rule>) -> HttpResponse {
    let path = request.uri().path_and_query().unwrap().as_str();
    if path.contains(rule.refused.lock().unwrap().as_str()) {
        let words = serde_json::json!({ "message": "Resource not accessible by personal access token" });
        return HttpResponse::Forbidden().json(words);
    }
    let method = reqwest::Method::from_bytes(request.method().as_str().as_bytes()).unwrap();
    let mut passed = rule.client.request(method, format!("{}{path}", rule.behind)).body(body.to_vec());
    for (name, value) in request.headers().iter().filter(|(name, _)| *name != "host" && *name != "content-length") {
        passed = passed.header(name.as_str(), value.as_bytes());
    }
    let answer = passed.send().await.unwrap();
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status().as_u16()).unwrap());
    for name in ["etag", "content-type"] {
        if let Some(value) = answer.headers().get(name) {
            response.insert_header((name, value.to_str().unwrap()));
        }
    }
    response.body(answer.bytes().await.unwrap())
}
