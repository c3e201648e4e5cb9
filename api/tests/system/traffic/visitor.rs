//! Sends raw bytes from a chosen address.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Longer than any exchange may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer that the visitor got.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Connects from one of this host's addresses.
pub async fn connect(to: SocketAddr, from: IpAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    tokio::time::timeout(PATIENCE, socket.connect(to)).await.expect("the gateway accepts").unwrap()
}

/// Sends all bytes, closes the sending side, and reads until the other side closes.
pub async fn send(to: SocketAddr, from: IpAddr, bytes: &[u8]) -> Vec<Answer> {
    let (mut reading, mut writing) = connect(to, from).await.into_split();
    let exchange = async {
        // Errors are ignored: a gateway that refused the head may close before it has read the rest.
        let sent = async {
            let _ = writing.write_all(bytes).await;
            let _ = writing.shutdown().await;
        };
        let mut received = Vec::new();
        let read = async {
            let _ = reading.read_to_end(&mut received).await;
        };
        tokio::join!(sent, read);
        received
    };
    let received = tokio::time::timeout(PATIENCE, exchange).await.expect("the gateway closes the connection");
    answers(&String::from_utf8_lossy(&received))
}

fn answers(mut text: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    while let Some((head, rest)) = text.split_once("\r\n\r\n") {
        let Some(status) = head.split(' ').nth(1).and_then(|status| status.parse().ok()) else { break };
        let lower = head.to_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let (body, rest) = rest.split_at_checked(length.unwrap_or(rest.len())).unwrap_or((rest, ""));
        answers.push(Answer { status, head: head.to_owned(), body: body.to_owned() });
        text = rest;
    }
    answers
}
