//! A proxy in front of Keystone and Nova: loses answers, or makes tokens seem to live longer than they do.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reqwest::{Client, Method};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::variable;
use crate::app::http;

#[derive(Debug, Default)]
struct State {
    /// Method and end of the path of the requests whose answers are lost.
    lost: Option<(String, String)>,
    has_long_tokens: bool,
    logins: usize,
    /// The address of Nova without a path, known from the first login.
    nova: String,
    unauthorized: usize,
}

pub(super) struct Cable {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Cable {
    pub(super) async fn plug() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let (shared, http) = (state.clone(), http().build().unwrap());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, address, shared.clone(), http.clone()));
            }
        });
        Self { address, state, task }
    }

    /// Keystone's address on this side.
    pub(super) fn keystone(&self) -> String {
        format!("http://{}/keystone/v3", self.address)
    }

    pub(super) fn lose_answers_to(&self, method: &str, end_of_path: &str) {
        self.state.lock().unwrap().lost = Some((method.to_owned(), end_of_path.to_owned()));
    }

    /// From the next login on, Keystone says that its tokens live for a year.
    pub(super) fn lengthen_tokens(&self) {
        self.state.lock().unwrap().has_long_tokens = true;
    }

    pub(super) fn heal(&self) {
        self.state.lock().unwrap().lost = None;
    }

    /// The logins, and the requests to Nova that were answered with 401.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.state.lock().unwrap();
        (state.logins, state.unauthorized)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(stream: TcpStream, here: SocketAddr, state: Arc<Mutex<State>>, http: Client) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    let nova = state.lock().unwrap().nova.clone();
    let keystone = variable("OS_AUTH_URL");
    let url = match path.strip_prefix("/keystone/v3") {
        Some(rest) => format!("{keystone}{rest}"),
        None => format!("{nova}{path}"),
    };
    let mut request = http.request(Method::from_bytes(method.as_bytes()).unwrap(), url).body(body);
    for name in ["x-auth-token", "content-type"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.unwrap();
    let (status, token) = (answer.status().as_u16(), answer.headers().get("x-subject-token").cloned());
    let mut text = answer.text().await.unwrap();
    let is_lost = {
        let mut state = state.lock().unwrap();
        if path.starts_with("/keystone") {
            text = login(&mut state, here, &text);
        } else if status == 401 {
            state.unauthorized += 1;
        }
        state.lost.as_ref().is_some_and(|(lost, end)| lost == method && path.ends_with(end))
    };
    if is_lost {
        return;
    }
    let token = token.map_or(String::new(), |token| format!("X-Subject-Token: {}\r\n", token.to_str().unwrap()));
    let length = if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", text.len()) };
    let head =
        format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Type: application/json\r\n{length}{token}\r\n");
    let _ = stream.write_all(format!("{head}{text}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// The answer to a login, with Nova's address replaced by ours.
fn login(state: &mut State, here: SocketAddr, text: &str) -> String {
    let mut body: Value = serde_json::from_str(text).unwrap();
    state.logins += 1;
    if state.has_long_tokens {
        body["token"]["expires_at"] = "2999-01-01T00:00:00.000000Z".into();
    }
    for service in body["token"]["catalog"].as_array_mut().into_iter().flatten() {
        if service["type"] == "compute" {
            for endpoint in service["endpoints"].as_array_mut().unwrap() {
                let url: reqwest::Url = endpoint["url"].as_str().unwrap().parse().unwrap();
                state.nova = url.origin().ascii_serialization();
                endpoint["url"] = format!("http://{here}{}", url.path()).into();
            }
        }
    }
    body.to_string()
}
