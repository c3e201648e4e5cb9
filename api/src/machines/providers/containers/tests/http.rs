//! HTTP on a Unix socket, as much as the scripted engine needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::engine::{Fault, World, refusal};

/// One request on one connection.
pub(super) async fn serve(mut stream: UnixStream, world: Arc<Mutex<World>>) -> Option<()> {
    let (head, body) = read_request(&mut stream).await?;
    let mut words = head.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let url = url::Url::parse(&format!("http://engine{target}")).ok()?;
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let path = url.path().strip_prefix("/v1.41").unwrap_or(url.path()).to_owned();
    let request = format!("{method} {path}");
    let fault = {
        let mut world = world.lock().unwrap();
        world.asked.push(request.clone());
        world.fault(&request)
    };
    let answered = match fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Refused(status, message)) => refusal(status, message),
        Some(Fault::Garbage(text)) => (200, text.into()),
        Some(Fault::Lost) => {
            world.lock().unwrap().answer(&method, &path, &query, &body);
            return None;
        }
        None => world.lock().unwrap().answer(&method, &path, &query, &body),
    };
    let (status, body) = answered;
    let length =
        if status == 304 || status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    stream.write_all(format!("HTTP/1.1 {status} X\r\n{length}Connection: close\r\n\r\n").as_bytes()).await.ok()?;
    stream.write_all(&body).await.ok()
}

/// The head and the body, which may come in chunks.
async fn read_request(stream: &mut UnixStream) -> Option<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let split = loop {
        if let Some(at) = all.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut all).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&all[..split]).into_owned();
    let lower = head.to_ascii_lowercase();
    let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
    let is_chunked = lower.contains("transfer-encoding: chunked");
    loop {
        let body = &all[split + 4..];
        let is_whole = if is_chunked { body.ends_with(b"0\r\n\r\n") } else { body.len() >= length.unwrap_or(0) };
        if is_whole {
            return Some((head, body.to_vec()));
        }
        if stream.read_buf(&mut all).await.ok()? == 0 {
            return None;
        }
    }
}
