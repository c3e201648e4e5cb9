//! Reads a stream of server-sent events.

use std::collections::VecDeque;

use reqwest::Response;

/// Limit of an event in bytes; the server sends shorter ones.
const MAX_EVENT: usize = 16 << 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// The event's data lines, joined.
    pub data: String,
}

/// The events of an answer.
#[derive(Debug)]
pub struct Stream {
    response: Response,
    reader: Reader,
}

impl Stream {
    /// Reads an answer's body as events.
    pub fn new(response: Response) -> Self {
        Self { response, reader: Reader::default() }
    }

    /// The next event; none at the end of the stream. Cancel-safe: a partly read event is kept.
    ///
    /// # Errors
    /// The connection's error if it broke.
    pub async fn next(&mut self) -> Result<Option<Message>, reqwest::Error> {
        loop {
            if let Some(message) = self.reader.messages.pop_front() {
                return Ok(Some(message));
            }
            match self.response.chunk().await? {
                Some(chunk) if self.reader.line.len() + self.reader.message.data.len() < MAX_EVENT => {
                    self.reader.take(&chunk);
                }
                Some(_) | None => return Ok(None),
            }
        }
    }
}

/// Assembles events from chunks.
#[derive(Debug, Default)]
struct Reader {
    line: Vec<u8>,
    message: Message,
    messages: VecDeque<Message>,
}

impl Reader {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            self.end_line(String::from_utf8_lossy(&line).trim_end_matches('\r'));
        }
    }

    fn end_line(&mut self, line: &str) {
        if line.is_empty() {
            let message = std::mem::take(&mut self.message);
            if !message.data.is_empty() {
                self.messages.push_back(message);
            }
        } else if let Some(data) = line.strip_prefix("data:") {
            if !self.message.data.is_empty() {
                self.message.data.push('\n');
            }
            self.message.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_or_not_at_all() {
        let text = ": hello\n\nid: 1\r\nevent: entry\r\ndata: {\"a\":\r\ndata: \"ü\"}\r\n\r\nretry: 1\n\ndata: half";
        for size in 1..text.len() {
            let mut reader = Reader::default();
            text.as_bytes().chunks(size).for_each(|piece| reader.take(piece));
            let data: Vec<_> = reader.messages.into_iter().map(|message| message.data).collect();
            assert_eq!(data, ["{\"a\":\n\"ü\"}"]);
        }
    }
}
