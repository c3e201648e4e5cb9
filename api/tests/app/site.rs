//! The web server of a fake machine: plays LMS and Studio to whoever checks them.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// A web server of which a test says whether it is well.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where it answers.
    pub address: SocketAddr,
    is_healthy: Arc<AtomicBool>,
    is_studio_ill: Arc<AtomicBool>,
    /// True: answers wait.
    held: tokio::sync::watch::Sender<bool>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// Answers until `stop`.
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

    /// From now on it answers 200, or 503.
    pub fn set_healthy(&self, is_healthy: bool) {
        self.is_healthy.store(is_healthy, Ordering::SeqCst);
    }

    /// From now on Studio answers 503, or as the rest does.
    pub fn set_studio_ill(&self, is_ill: bool) {
        self.is_studio_ill.store(is_ill, Ordering::SeqCst);
    }

    /// From now on whoever asks waits for the answer, or no more.
    pub fn set_held(&self, is_held: bool) {
        self.held.send_replace(is_held);
    }

    /// What it was asked: `Host` and path, the first first.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// One request a connection; one that broke off gets no answer.
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
