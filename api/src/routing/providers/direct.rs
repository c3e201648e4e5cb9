//! For a worker on another host than the gateway: it asks app servers directly, and cannot change the gateway's routes.

use std::net::SocketAddr;

use async_trait::async_trait;

use super::question;
use crate::config::gateway::Front;
use crate::routing::traffic::{Answer, AskError, Question, Route, Traffic, TrafficError};

/// No gateway. A process on the gateway's host changes its routes; see `Duties::tells_gateway`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Direct {
    /// The proxy in front of the gateway; its scheme and port are sent to applications that redirect to `https`.
    pub front: Option<Front>,
}

fn not_here() -> TrafficError {
    TrafficError("the gateway is not on this host; the `ocim server` beside it tells it within seconds".to_owned())
}

#[async_trait]
impl Traffic for Direct {
    async fn apply(&self, _: &[Route]) -> Result<(), TrafficError> {
        Err(not_here())
    }

    async fn replace_all(&self, _: &[Route]) -> Result<(), TrafficError> {
        Err(not_here())
    }

    async fn open_connections(&self, _: SocketAddr) -> Result<u64, TrafficError> {
        Err(not_here())
    }

    async fn answers(&self) -> Result<(), TrafficError> {
        Err(not_here())
    }

    async fn ask(&self, target: SocketAddr, question: &Question<'_>) -> Result<Answer, AskError> {
        question::ask_directly(target, question, self.front).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::config::gateway::Scheme;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn asks_and_refuses_the_rest_with_the_way_out() {
        let front = Some(Front { scheme: Scheme::Https, port: 443 });
        let direct = Direct { front };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        let asked = tokio::spawn(async move {
            let (mut visitor, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 1000];
            let read = visitor.read(&mut head).await.unwrap();
            visitor.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&head[..read]).into_owned()
        });
        assert_eq!(
            direct.ask(target, &Question::status("a.localhost", "/heartbeat")).await,
            Ok(Answer { status: 204, has_text: true })
        );
        let head = asked.await.unwrap();
        assert!(head.contains("\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\n"), "{head}");
        for error in [direct.apply(&[]).await.unwrap_err(), direct.replace_all(&[]).await.unwrap_err()] {
            assert!(error.0.contains("not on this host") && error.0.contains("ocim server"), "{error}");
        }
        assert!(direct.open_connections(target).await.is_err());
    }
}
