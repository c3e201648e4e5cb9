//! Both ends of the gateway: a small web server that answers with its name, and a client with a kept-alive connection.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Answers every request with its name and the request's head. `/slow` takes a second, `/missing` is a 404, and an
/// upgrade to WebSocket gets an echo.
pub struct Backend {
    pub address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Backend {
    pub async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = heads.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, name, kept.clone()));
            }
        });
        Self { address, heads, serving }
    }

    /// The heads of all requests, earliest first.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(stream: TcpStream, name: &'static str, heads: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let head = read_head(&mut stream).await?;
        heads.lock().unwrap().push(head.clone());
        if head.to_lowercase().contains("upgrade: websocket") {
            // The key is fixed: HAProxy checks this answer against the one that our visitors send.
            let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                          sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.ok()?;
            loop {
                let mut line = String::new();
                (stream.read_line(&mut line).await.ok()? > 0).then_some(())?;
                stream.write_all(format!("{name} {line}").as_bytes()).await.ok()?;
            }
        }
        if head.starts_with("GET /slow") {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let body = format!("{name}\n{head}");
        let status = if head.starts_with("GET /missing") { "404 Not Found" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// The head up to the blank line; `None` at the end of the connection.
async fn read_head(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    loop {
        let read = stream.read_line(&mut head).await.ok()?;
        if read == 0 {
            return None;
        }
        if head.ends_with("\r\n\r\n") {
            return Some(head);
        }
    }
}

/// A response that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    /// The name of the server that answered.
    pub fn server(&self) -> &str {
        self.body.lines().next().unwrap_or_default()
    }
}

/// One connection to the gateway, which is not reopened.
pub struct Visitor(BufReader<TcpStream>);

impl Visitor {
    pub async fn connect(gateway: SocketAddr) -> Option<Self> {
        TcpStream::connect(gateway).await.ok().map(|stream| Self(BufReader::new(stream)))
    }

    pub async fn get(&mut self, host: &str, path: &str, headers: &str) -> Option<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n");
        self.0.write_all(request.as_bytes()).await.ok()?;
        let head = read_head(&mut self.0).await?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).await.ok()?;
        Some(Answer { status, head, body: String::from_utf8(body).unwrap() })
    }

    /// Sends a line and reads one, after an upgrade.
    pub async fn say(&mut self, line: &str) -> Option<String> {
        self.0.write_all(format!("{line}\n").as_bytes()).await.ok()?;
        let mut answer = String::new();
        self.0.read_line(&mut answer).await.ok()?;
        Some(answer.trim().to_owned())
    }
}

/// Sends one request on a new connection.
pub async fn get(gateway: SocketAddr, host: &str, path: &str) -> Option<Answer> {
    Visitor::connect(gateway).await?.get(host, path, "").await
}
