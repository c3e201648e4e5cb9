//! An application that records every byte it gets, and answers each connection once.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::requests::{Request, parse};

/// A running application, which ends when this is dropped.
pub struct Application {
    pub address: SocketAddr,
    /// The bytes of each connection.
    received: Arc<Mutex<Vec<Vec<u8>>>>,
    serving: JoinHandle<()>,
}

impl Application {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let kept = received.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut all = kept.lock().unwrap();
                all.push(Vec::new());
                tokio::spawn(serve(stream, kept.clone(), all.len() - 1));
            }
        });
        Self { address, received, serving }
    }

    /// Every request in the recorded bytes, in the order of the connections.
    pub fn requests(&self) -> Vec<Request> {
        self.received.lock().unwrap().iter().flat_map(|bytes| parse(bytes)).collect()
    }

    pub fn forget(&self) {
        self.received.lock().unwrap().clear();
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, received: Arc<Mutex<Vec<Vec<u8>>>>, place: usize) -> Option<()> {
    let mut is_answered = false;
    loop {
        let mut part = vec![0; 65_536];
        let read = stream.read(&mut part).await.ok()?;
        if read == 0 {
            return Some(());
        }
        let request = {
            let mut all = received.lock().unwrap();
            // `None` if the test has cleared the record since.
            let bytes = all.get_mut(place)?;
            bytes.extend_from_slice(part.get(..read)?);
            parse(bytes).into_iter().next()
        };
        if let Some(request) = request.filter(|_| !is_answered) {
            is_answered = true;
            stream.write_all(&answer(&request).await).await.ok()?;
        }
    }
}

/// `/slow` takes a second; `/head/15500` sets a cookie of 15,500 letters.
async fn answer(request: &Request) -> Vec<u8> {
    let path = request.head.split(' ').nth(1).unwrap_or_default();
    if path == "/slow" {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let cookie = path.strip_prefix("/head/").and_then(|length| length.parse().ok());
    let cookie = cookie.map(|length| format!("Set-Cookie: a={}\r\n", "x".repeat(length))).unwrap_or_default();
    if request.head.to_lowercase().contains("\r\nupgrade: websocket") {
        // The key is fixed: HAProxy checks this answer against the one that our visitors send.
        return b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
            .to_vec();
    }
    format!("HTTP/1.1 200 OK\r\n{cookie}Content-Length: 2\r\n\r\nok").into_bytes()
}
