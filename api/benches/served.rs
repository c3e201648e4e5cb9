//! The program's web server on a world, and a client of it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use ocim::config::Settings;
use ocim::platform::events::Bus;
use ocim::platform::users::Secret;
use ocim::platform::users::store::{self, tokens};
use ocim::start::assembly::{self, Admission};
use shared_types::Role;
use shared_types::user::Scope;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// The running server, and a token for its API.
pub struct Served {
    pub address: SocketAddr,
    pub token: String,
    stop: CancellationToken,
    handle: actix_web::dev::ServerHandle,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Served {
    /// Starts without limits on requests; streams and connections of one user may be 4,000.
    pub async fn start(world: &World) -> Self {
        let stop = CancellationToken::new();
        let bus = Bus::start(world.manager.db.clone(), stop.clone()).await.unwrap();
        let limits = Settings::with(|settings| {
            settings.guard.ocim_principal_rate = 0;
            settings.guard.ocim_address_rate = 0;
            settings.guard.ocim_max_streams_each = 4000;
            settings.guard.ocim_max_connections_each = 4000;
        });
        let admission = Admission::new(&limits).unwrap();
        let app =
            assembly::app(&limits, admission, world.watch.clone(), bus, Some(Arc::default()), stop.clone()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let server = ocim::start::http(app, listener).unwrap();
        let handle = server.handle();
        Self { address, token: token(world).await, stop, handle, serving: tokio::spawn(server) }
    }

    pub async fn end(self) {
        self.stop.cancel();
        self.handle.stop(false).await;
        self.serving.await.unwrap().unwrap();
    }
}

async fn token(world: &World) -> String {
    let secret = Secret::random().unwrap();
    let mut conn = world.manager.db.conn().await.unwrap();
    store::insert(&mut conn, "bench", "no password has this hash", Role::Viewer).await.unwrap();
    let user = store::by_name(&mut conn, "bench").await.unwrap().unwrap().0;
    tokens::insert(&mut conn, user, ("bench", Role::Viewer, Scope::ALL, 1), &secret.hash()).await.unwrap();
    secret.reveal().to_owned()
}

/// A kept-alive connection that does as little as possible, so that the server is measured and not the client.
pub struct Visitor {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Visitor {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    /// Sends the head of a request.
    pub async fn ask(&mut self, path: &str, token: &str) {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        self.stream.write_all(head.as_bytes()).await.unwrap();
    }

    /// Reads more; false at the end of the connection.
    pub async fn read(&mut self) -> bool {
        self.stream.read_buf(&mut self.buffer).await.unwrap() > 0
    }

    /// Whether `words` have arrived; drops everything up to their end.
    pub fn has(&mut self, words: &str) -> bool {
        let found = find(&self.buffer, words.as_bytes());
        match found {
            Some(at) => self.buffer.drain(..at + words.len()),
            None => self.buffer.drain(..self.buffer.len().saturating_sub(words.len())),
        };
        found.is_some()
    }

    /// Sends a request and reads its answer, which must be 200. Gives its length.
    pub async fn get(&mut self, path: &str, token: &str) -> usize {
        self.buffer.clear();
        self.ask(path, token).await;
        let head = loop {
            assert!(self.read().await, "the connection ended");
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let words = std::str::from_utf8(&self.buffer[..head]).unwrap();
        assert!(words.starts_with("HTTP/1.1 200"), "{words}");
        let length = words.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let length: usize = length.parse().unwrap();
        while self.buffer.len() < head + length {
            assert!(self.read().await, "the connection ended");
        }
        length
    }
}

fn find(text: &[u8], words: &[u8]) -> Option<usize> {
    text.windows(words.len()).position(|window| window == words)
}
