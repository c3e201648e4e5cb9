//! A network cable between a process and the database, which a test can cut.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards connections until it is cut. Then nothing arrives any more in either direction, and no connection is closed, as
/// with a network that drops every packet.
#[derive(Debug)]
pub struct Cable {
    address: SocketAddr,
    is_cut: watch::Sender<bool>,
}

impl Cable {
    /// A cable to the server of a database's URL.
    pub async fn to(url: &url::Url) -> Self {
        let to = format!("127.0.0.1:{}", url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, is_cut) = (listener.local_addr().unwrap(), watch::Sender::new(false));
        let cut = is_cut.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (to, cut) = (to.clone(), cut.clone());
                tokio::spawn(async move {
                    let far = TcpStream::connect(to).await.unwrap();
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    tokio::join!(forward(near_in, far_out, cut.clone()), forward(far_in, near_out, cut));
                });
            }
        });
        Self { address, is_cut }
    }

    /// The URL of the same database through this cable.
    pub fn url(&self, mut url: url::Url) -> String {
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.address.port())).unwrap();
        url.to_string()
    }

    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_cut: watch::Receiver<bool>) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = tokio::select! {
            biased;
            _ = is_cut.wait_for(|cut| *cut) => break,
            read = from.read(&mut buffer) => read,
        };
        match read {
            Ok(count) if count > 0 && to.write_all(&buffer[..count]).await.is_ok() => {}
            // The other side is closed as this one is.
            Ok(_) | Err(_) => return,
        }
    }
    // Both ends stay open.
    std::future::pending::<()>().await;
}
