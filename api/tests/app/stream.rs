//! A client of server-sent events.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;

use super::Client;

/// How long the test waits for the next event.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open stream of server-sent events.
pub struct Stream {
    response: Response,
    text: String,
    waiting: VecDeque<Message>,
}

/// One server-sent event.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub event: String,
    pub id: Option<i64>,
    pub data: Value,
}

impl Stream {
    /// Opens a stream, with `last` as its Last-Event-ID.
    pub async fn open(client: &Client, path: &str, last: Option<i64>) -> Self {
        let mut request = client.request(Method::GET, path);
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new(), waiting: VecDeque::new() }
    }

    /// The next event; `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Some(message);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("no event came");
            // When the server ends, it cuts the connection, which reads as an error.
            let chunk = chunk.ok().flatten()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                self.waiting.extend(message(block));
                self.text = rest.to_owned();
            }
        }
    }

    /// Skips events until one has this name.
    pub async fn next_of(&mut self, event: &str) -> Message {
        loop {
            let message = self.next().await.expect("the stream ended");
            if message.event == event {
                return message;
            }
        }
    }
}

/// The event in a block; `None` for comments and retry times.
fn message(block: &str) -> Option<Message> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let data = field("data:")?;
    Some(Message {
        event: field("event:").unwrap_or("message").to_owned(),
        id: field("id:").map(|id| id.parse().unwrap()),
        data: serde_json::from_str(data).unwrap(),
    })
}
