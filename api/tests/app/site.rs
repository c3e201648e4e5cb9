//! The web server of a fake machine: answers the health checks of LMS and Studio.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// A web server whose health the test sets.
#[derive(Debug, Clone)]
pub struct Site {
    /// The address that it listens on.
    pub address: SocketAddr,
    is_healthy: Arc<AtomicBool>,
    is_studio_ill: Arc<AtomicBool>,
    /// While true, answers are held back.
    held: tokio::sync::watch::Sender<bool>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Serves until `stop` is cancelled.
    pub async fn start(stop: CancellationToken) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Self {
            address: listener.local_addr().unwrap(),
            is_healthy: Arc::new(AtomicBool::new(true)),
            is_studio_ill: Arc::default(),
            held: tokio::sync::watch::Sender::new(false),
            asked: Arc::default(),
        };
        let served = site.clone();
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                let site = served.clone();
                tokio::spawn(async move { site.answer(visitor).await });
            }
        }));
        site
    }

    /// Sets the status of all answers: 200 or 503.
    pub fn set_healthy(&self, is_healthy: bool) {
        self.is_healthy.store(is_healthy, Ordering::SeqCst);
    }

    /// Makes Studio answer 503, or like the rest again.
    pub fn set_studio_ill(&self, is_ill: bool) {
        self.is_studio_ill.store(is_ill, Ordering::SeqCst);
    }

    /// Holds all answers back, or releases them.
    pub fn set_held(&self, is_held: bool) {
        self.held.send_replace(is_held);
    }

    /// All requests so far as `Host` and path, earliest first.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Answers one request per connection; a client that breaks off gets no answer.
    async fn answer(&self, visitor: TcpStream) -> Option<()> {
        let mut lines = BufReader::new(visitor).lines();
        let first = lines.next_line().await.ok()??;
        let mut host = String::new();
        loop {
            let line = lines.next_line().await.ok()??;
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("host: ") {
                value.clone_into(&mut host);
            }
        }
        let path = first.split(' ').nth(1)?;
        self.asked.lock().unwrap().push(format!("{host}{path}"));
        self.held.subscribe().wait_for(|is_held| !is_held).await.ok()?;
        let is_studio_ill = host.starts_with("studio.") && self.is_studio_ill.load(Ordering::SeqCst);
        let status =
            if self.is_healthy.load(Ordering::SeqCst) && !is_studio_ill { "200 OK" } else { "503 Service Unavailable" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        lines.into_inner().into_inner().write_all(answer.as_bytes()).await.ok()
    }
}
