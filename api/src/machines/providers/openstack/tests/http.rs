//! A web server that answers from a script and remembers what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: BTreeMap<String, String>,
    /// Null without a body.
    pub(super) body: Value,
}

/// What to do with a request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// Status, headers, body.
    Answer(u16, Vec<(String, String)>, String),
    /// The connection is closed without an answer.
    Cut,
    /// No answer, ever.
    Silence,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::Answer(status, vec![("Content-Type".into(), "application/json".into())], body.to_string())
    }

    pub(super) fn page(status: u16, text: &str) -> Self {
        Self::Answer(status, vec![("Content-Type".into(), "text/html".into())], text.into())
    }

    pub(super) fn empty(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }
}

type Key = (String, String);

#[derive(Debug, Default)]
struct Script {
    /// By method and path, with the query or without. The last reply of each is repeated.
    replies: BTreeMap<Key, VecDeque<Reply>>,
    requests: Vec<Request>,
}

/// The server. It ends with the test.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    script: Arc<Mutex<Script>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::<Mutex<Script>>::default();
        let shared = script.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { address, script, task }
    }

    /// Sets the replies to a method and path, in place of earlier ones.
    pub(super) fn on(&self, method: &str, path: &str, replies: impl IntoIterator<Item = Reply>) {
        let key = (method.to_owned(), path.to_owned());
        self.script.lock().unwrap().replies.insert(key, replies.into_iter().collect());
    }

    /// The requests of a method whose path begins so.
    pub(super) fn requests(&self, method: &str, path: &str) -> Vec<Request> {
        let script = self.script.lock().unwrap();
        let wanted = |request: &&Request| request.method == method && request.path.starts_with(path);
        script.requests.iter().filter(wanted).cloned().collect()
    }

    /// The methods and paths of all requests.
    pub(super) fn all(&self) -> Vec<String> {
        let script = self.script.lock().unwrap();
        script.requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Script {
    fn reply(&mut self, request: Request) -> Reply {
        let plain = request.path.split('?').next().unwrap_or_default().to_owned();
        let keys = [request.path.clone(), plain].map(|path| (request.method.clone(), path));
        let about = format!("{} {}", request.method, request.path);
        self.requests.push(request);
        let Some(key) = keys.into_iter().find(|key| self.replies.contains_key(key)) else {
            let body = serde_json::json!({ "itemNotFound": { "code": 404, "message": format!("no script: {about}") } });
            return Reply::json(404, &body);
        };
        let replies = self.replies.get_mut(&key).unwrap();
        if replies.len() > 1 { replies.pop_front().unwrap() } else { replies.front().unwrap().clone() }
    }
}

async fn serve(stream: TcpStream, script: Arc<Mutex<Script>>) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read(&mut stream).await else { return };
    let reply = script.lock().unwrap().reply(request);
    match reply {
        Reply::Cut => {}
        Reply::Silence => {
            // Until the client hangs up.
            let _ = stream.read(&mut [0]).await;
        }
        Reply::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} x\r\nConnection: close\r\n");
            if status != 204 {
                head.push_str(&format!("Content-Length: {}\r\n", body.len()));
            }
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(Request { method, path, headers, body })
}
