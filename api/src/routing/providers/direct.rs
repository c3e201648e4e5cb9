//! For a worker on another host than the gateway's: it asks app servers itself, and cannot tell the gateway anything.

use std::net::SocketAddr;

use async_trait::async_trait;

use super::question;
use crate::routing::traffic::{AskError, Route, Traffic, TrafficError};

/// No gateway. Whoever runs beside the gateway tells it; see `Duties::tells_gateway`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Direct;

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

    async fn ask(&self, target: SocketAddr, hostname: &str, path: &str) -> Result<u16, AskError> {
        question::ask_directly(target, hostname, path).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn asks_and_refuses_the_rest_with_the_way_out() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut visitor, _) = listener.accept().await.unwrap();
            visitor.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        });
        assert_eq!(Direct.ask(target, "a.localhost", "/heartbeat").await, Ok(204));
        for error in [Direct.apply(&[]).await.unwrap_err(), Direct.replace_all(&[]).await.unwrap_err()] {
            assert!(error.0.contains("not on this host") && error.0.contains("ocim server"), "{error}");
        }
        assert!(Direct.open_connections(target).await.is_err());
    }
}
