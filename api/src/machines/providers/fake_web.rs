//! Web server of fake machines: answers 200 to every request.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 18\r\nconnection: close\r\n\r\nA machine of none\n";

/// Answers until `stop`; gives the address with the real port, which may have been given as 0.
///
/// # Errors
/// The I/O error if it cannot listen there.
pub async fn start(address: SocketAddr, stop: CancellationToken) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        loop {
            match listener.accept().await {
                Ok((visitor, _)) => drop(tokio::spawn(answer(visitor))),
                // No file descriptor is free: back off.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            }
        }
    }));
    Ok(address)
}

/// Answers one request per connection; a broken connection gets no answer.
async fn answer(visitor: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(visitor).lines();
    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
    lines.into_inner().into_inner().write_all(ANSWER).await
}
