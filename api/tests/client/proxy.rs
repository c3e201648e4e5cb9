//! A TCP proxy that breaks connections when the test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone)]
pub struct Proxy {
    base: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    to: String,
    is_down: AtomicBool,
    cuts_streams: AtomicBool,
    streams: AtomicUsize,
}

impl Proxy {
    /// Starts in front of the program at `base`.
    pub async fn start(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(State {
            to: base.trim_start_matches("http://").to_owned(),
            is_down: AtomicBool::new(false),
            cuts_streams: AtomicBool::new(false),
            streams: AtomicUsize::new(0),
        });
        let served = state.clone();
        tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                let state = served.clone();
                tokio::spawn(async move { state.forward(visitor).await });
            }
        });
        Self { base: own, state }
    }

    /// The base URL for clients.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Breaks every connection from now on, or none.
    pub fn set_down(&self, is_down: bool) {
        self.state.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Cuts each log stream after some hundred bytes, at a different place each time.
    pub fn set_cuts_streams(&self, cuts: bool) {
        self.state.cuts_streams.store(cuts, Ordering::SeqCst);
    }

    /// The number of requests for streams.
    pub fn streams(&self) -> usize {
        self.state.streams.load(Ordering::SeqCst)
    }
}

impl State {
    /// Forwards until one side ends, or the connection is to break.
    async fn forward(&self, mut visitor: TcpStream) -> Option<()> {
        let mut program = TcpStream::connect(&self.to).await.ok()?;
        let (mut asked, mut answered) = (vec![0; 4096], vec![0; 256]);
        let mut left = None;
        while !self.is_down.load(Ordering::SeqCst) {
            tokio::select! {
                read = visitor.read(&mut asked) => {
                    let bytes = &asked[..read.ok().filter(|length| *length > 0)?];
                    if bytes.windows(12).any(|part| part == b"/logs/stream") {
                        let count = self.streams.fetch_add(1, Ordering::SeqCst);
                        left = self.cuts_streams.load(Ordering::SeqCst).then_some(1500 + count * 131 % 400);
                    }
                    program.write_all(bytes).await.ok()?;
                }
                read = program.read(&mut answered) => {
                    let length = read.ok().filter(|length| *length > 0)?;
                    let passes = length.min(left.unwrap_or(length));
                    visitor.write_all(&answered[..passes]).await.ok()?;
                    if let Some(left) = &mut left {
                        *left -= passes;
                        if *left == 0 {
                            return None;
                        }
                    }
                }
                () = tokio::time::sleep(std::time::Duration::from_millis(20)) => {}
            }
        }
        None
    }
}
