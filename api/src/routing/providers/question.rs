//! One small HTTP request on its own connection, and its answer: the head, and as much of the body as needed. No
//! redirect is followed, and the connection is not reused.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadHalf, Take, WriteHalf,
};
use tokio::net::TcpStream;

use super::body;
use crate::config::gateway::Front;
use crate::routing::traffic::{Answer, AskError, Question, check_host};

/// Limit of an answer's head, in bytes.
const LONGEST_HEAD: u64 = 64 << 10;
/// The message when the connection is not accepted.
pub(super) const NO_CONNECTION: &str = "no connection: nothing listens there, or it refuses";

/// The head of an answer: status and headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    /// Header names in lower case.
    headers: Vec<(String, String)>,
}

impl Head {
    /// Whether a header of this name, in lower case, has this value.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.header(name) == Some(value)
    }

    /// The first header of this name, in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, said)| said.as_str())
    }
}

/// Asks the target from this host without the gateway; sends the visitors' scheme and port if they are known.
pub(super) async fn ask_directly(
    target: SocketAddr,
    question: &Question<'_>,
    front: Option<Front>,
) -> Result<Answer, AskError> {
    let said = front.map(|Front { scheme, port }| {
        format!("X-Forwarded-Proto: {}\r\nX-Forwarded-Port: {port}\r\n", scheme.as_str())
    });
    let request = request(question, said.as_deref().unwrap_or_default()).map_err(AskError::NotAsked)?;
    let exchange = async {
        let stream = TcpStream::connect(target).await.map_err(|error| not_connected(&error))?;
        let broken = |error| AskError::NoAnswer(no_answer(&error));
        let mut exchange = exchange(stream, &request).await.map_err(broken)?;
        let has_text = exchange.has(question.text).await.map_err(broken)?;
        Ok(Answer { status: exchange.head.status, has_text })
    };
    within(question.patience, exchange).await
}

/// Fails with a timeout when an exchange takes longer.
pub(super) async fn within<T>(
    patience: Duration,
    exchange: impl Future<Output = Result<T, AskError>>,
) -> Result<T, AskError> {
    tokio::time::timeout(patience, exchange).await.unwrap_or_else(|_| Err(AskError::NoAnswer(too_late(patience))))
}

/// Why there is no connection. Without a free port, descriptor or memory here, the target's state is unknown.
fn not_connected(error: &io::Error) -> AskError {
    let exhausted = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE, rustix::io::Errno::NOBUFS];
    let is_ours = error.kind() == io::ErrorKind::OutOfMemory
        || error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error().is_some_and(|code| exhausted.iter().any(|errno| errno.raw_os_error() == code));
    if is_ours {
        AskError::NotAsked(format!("this host cannot ask: {error}"))
    } else if error.kind() == io::ErrorKind::ConnectionRefused {
        AskError::NoAnswer(NO_CONNECTION.to_owned())
    } else {
        AskError::NoAnswer(format!("no connection: {error}"))
    }
}

/// The message for an answer that broke off or is not HTTP.
pub(super) fn no_answer(error: &io::Error) -> String {
    format!("no answer that makes sense: {error}")
}

/// The message for an answer that did not come in time.
pub(super) fn too_late(patience: Duration) -> String {
    format!("no answer within {} s", patience.as_secs())
}

/// A GET with these further header lines, each with its line end. Refused if host or path could inject a line.
pub(super) fn request(question: &Question<'_>, headers: &str) -> Result<String, String> {
    let Question { hostname, path, text: _, patience: _ } = question;
    check_host(hostname).map_err(|error| error.0)?;
    if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("«{}» is not a path that can be asked for", path.escape_default()));
    }
    Ok(format!(
        "GET {path} HTTP/1.1\r\nHost: {hostname}\r\nUser-Agent: ocim\r\nAccept: */*\r\nConnection: close\r\n{headers}\r\n"
    ))
}

/// An answer whose body was not read yet.
pub(super) struct Exchange<S> {
    pub(super) head: Head,
    rest: BufReader<Take<ReadHalf<S>>>,
    /// Kept open: some servers take a closed sending side for the end of the connection.
    _writing: WriteHalf<S>,
}

impl<S: AsyncRead + AsyncWrite + Send> Exchange<S> {
    /// Whether the body contains this text. Without a text nothing is read.
    pub(super) async fn has(&mut self, text: Option<&str>) -> io::Result<bool> {
        let Some(text) = text else { return Ok(true) };
        self.rest.get_mut().set_limit(body::LONGEST);
        let body = body::read(&self.head, &mut self.rest).await?;
        Ok(String::from_utf8_lossy(&body).contains(text))
    }
}

/// Sends a request and reads the head of the answer.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Send>(stream: S, request: &str) -> io::Result<Exchange<S>> {
    let (reading, mut writing) = tokio::io::split(stream);
    writing.write_all(request.as_bytes()).await?;
    let mut reading = BufReader::new(reading.take(LONGEST_HEAD));
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if reading.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::Error::other("it broke off, or its head is too long"));
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() {
            let head = parse(&lines).ok_or_else(|| io::Error::other("it is not HTTP"))?;
            return Ok(Exchange { head, rest: reading, _writing: writing });
        }
        lines.push(line);
    }
}

fn parse(lines: &[String]) -> Option<Head> {
    let (first, rest) = lines.split_first()?;
    let status = first.strip_prefix("HTTP/1.")?.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let header = |line: &String| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers = rest.iter().filter_map(header).collect();
    (100..=599).contains(&status).then_some(Head { status, headers })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn answered(answer: &str) -> io::Result<Head> {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        far.write_all(answer.as_bytes()).await.unwrap();
        far.shutdown().await.unwrap();
        Ok(exchange(near, "GET / HTTP/1.1\r\n\r\n").await?.head)
    }

    #[tokio::test]
    async fn reads_the_head_and_no_more() {
        let head = answered("HTTP/1.0 404 Not Found\r\nX-Who: target \r\n\r\nthe page").await.unwrap();
        assert_eq!(head.status, 404);
        assert!(head.says("x-who", "target") && !head.says("x-who", "gateway"));
        let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(70_000));
        for broken in ["", "HTTP/1.1 200 OK\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 999 x\r\n\r\n", &long] {
            assert!(answered(broken).await.is_err(), "{broken:?}");
        }
    }

    #[test]
    fn asks_for_nothing_that_could_end_a_line() {
        let request = |host, path| request(&Question::status(host, path), "");
        assert!(request("a.localhost", "/heartbeat?x=1").unwrap().starts_with("GET /heartbeat?x=1 HTTP/1.1\r\n"));
        for (host, path) in [("a\r\nb", "/"), ("A", "/"), ("a", "heartbeat"), ("a", "/a b"), ("a", "/\r\n"), ("a", "")]
        {
            assert!(request(host, path).is_err(), "{host:?} {path:?}");
        }
    }

    #[tokio::test]
    async fn says_that_nothing_listens() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let answer = ask_directly(free, &Question::status("a.localhost", "/"), None).await;
        assert_eq!(answer, Err(AskError::NoAnswer(NO_CONNECTION.to_owned())));
    }

    #[tokio::test]
    async fn what_is_wrong_on_this_side_says_nothing_about_the_target() {
        let target = "127.0.0.1:80".parse().unwrap();
        assert!(matches!(ask_directly(target, &Question::status("a b", "/"), None).await, Err(AskError::NotAsked(_))));
        let of = |errno: rustix::io::Errno| not_connected(&io::Error::from_raw_os_error(errno.raw_os_error()));
        assert!(matches!(of(rustix::io::Errno::MFILE), AskError::NotAsked(_)));
        assert!(matches!(of(rustix::io::Errno::ADDRNOTAVAIL), AskError::NotAsked(_)));
        assert!(matches!(of(rustix::io::Errno::HOSTUNREACH), AskError::NoAnswer(_)));
    }
}
