//! The bytes of objects on their way from and to stores.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use reqwest::header::HeaderMap;
use tokio::time::timeout;

use super::web::unanswered;
use crate::resources::objects::{self, Chunks, Content, Meta, STALL};
use crate::resources::server::ServerError;

/// The limit for reading a whole object: none in practice, because each of its chunks has one.
pub(super) const READING: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The slowest way to a store, in bytes per second.
const SLOWEST: u64 = 100_000;

/// The limit for sending so many bytes.
pub(super) const fn sending(bytes: u64) -> Duration {
    Duration::from_secs(STALL.as_secs() + bytes / SLOWEST)
}

/// The object in an answer. `prefix`: of the headers that applications set.
///
/// # Errors
/// [`ServerError::Refused`] if it does not say its size: what is cut off could not be told from what is whole.
pub(super) fn content(response: reqwest::Response, prefix: &str) -> Result<Content, ServerError> {
    let bytes = response.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    let Some(bytes) = bytes else {
        return Err(ServerError::Refused("the store does not say how many bytes an object has".to_owned()));
    };
    let headers = headers(response.headers(), prefix);
    let body = response.bytes_stream().map_ok(|chunk| chunk.to_vec()).map_err(|error| unanswered(error, STALL));
    Ok(Content { meta: Meta { bytes, headers }, chunks: exactly(bytes, watched(body.boxed(), STALL)) })
}

/// Those that are kept. Values that are not ASCII are left out: no signature could be made for them.
fn headers(all: &HeaderMap, prefix: &str) -> Vec<(String, String)> {
    let kept = all.iter().filter(|(name, _)| objects::is_kept(name.as_str(), prefix));
    kept.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect()
}

/// The same bytes, with an error if none came for too long.
fn watched(chunks: Chunks, limit: Duration) -> Chunks {
    let next = move |mut chunks: Chunks| async move {
        let words = || ServerError::Away(format!("no byte came within {} s", limit.as_secs()));
        let next = timeout(limit, chunks.next()).await.unwrap_or_else(|_| Some(Err(words())));
        next.map(|chunk| (chunk, chunks))
    };
    futures::stream::unfold(chunks, next).fuse().boxed()
}

/// The same bytes, with an error if they are not as many as they should be.
pub(super) fn exactly(bytes: u64, chunks: Chunks) -> Chunks {
    let wrong = move |seen: u64| ServerError::Away(format!("an object of {bytes} bytes ended after {seen}"));
    let next = move |(mut chunks, seen): (Chunks, u64)| async move {
        match chunks.next().await {
            Some(Ok(chunk)) => {
                let seen = seen + u64::try_from(chunk.len()).unwrap_or_default();
                if seen > bytes { Some((Err(wrong(seen)), (chunks, seen))) } else { Some((Ok(chunk), (chunks, seen))) }
            }
            Some(Err(error)) => Some((Err(error), (chunks, seen))),
            None if seen < bytes => Some((Err(wrong(seen)), (futures::stream::empty().boxed(), bytes))),
            None => None,
        }
    };
    // Those who read parts ask once more after the end.
    futures::stream::unfold((chunks, 0), next).fuse().boxed()
}

/// Reads chunks until there are this many bytes, or no more. What is left of the last chunk stays for the next call.
pub(super) async fn part(chunks: &mut Chunks, rest: &mut Vec<u8>, length: usize) -> Result<Vec<u8>, ServerError> {
    let mut part = std::mem::take(rest);
    while part.len() < length {
        let Some(chunk) = chunks.try_next().await? else { break };
        part.extend_from_slice(&chunk);
    }
    if part.len() > length {
        *rest = part.split_off(length);
    }
    Ok(part)
}

/// The bytes as the body of a request. Their error is in [`reqwest::Error`]'s words.
pub(super) fn body(chunks: Chunks) -> reqwest::Body {
    reqwest::Body::wrap_stream(chunks.map_err(|error| std::io::Error::other(error.to_string())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::stream;

    use super::*;

    fn chunks(all: &[&str]) -> Chunks {
        let all: Vec<_> = all.iter().map(|chunk| Ok(chunk.as_bytes().to_vec())).collect();
        stream::iter(all).boxed()
    }

    async fn collected(chunks: Chunks) -> Result<Vec<u8>, ServerError> {
        chunks.try_concat().await
    }

    #[tokio::test]
    async fn an_object_that_ends_too_early_or_too_late_is_no_object() {
        assert_eq!(collected(exactly(5, chunks(&["ab", "cde"]))).await, Ok(b"abcde".to_vec()));
        assert_eq!(collected(exactly(0, chunks(&[]))).await, Ok(Vec::new()));
        for bytes in [4, 6] {
            let wrong = collected(exactly(bytes, chunks(&["ab", "cde"]))).await;
            assert!(matches!(wrong, Err(ServerError::Away(_))), "{bytes}: {wrong:?}");
        }
    }

    #[tokio::test]
    async fn parts_have_the_same_length_but_the_last_one() {
        let all = exactly(10, chunks(&["abcdefg", "h", "", "ij"]));
        let (mut all, mut rest, mut parts) = (all, Vec::new(), Vec::new());
        loop {
            let part = part(&mut all, &mut rest, 4).await.unwrap();
            if part.is_empty() {
                break;
            }
            parts.push(String::from_utf8(part).unwrap());
        }
        assert_eq!(parts, ["abcd", "efgh", "ij"]);
    }

    #[tokio::test]
    async fn a_store_that_stops_in_the_middle_is_away() {
        let stuck = chunks(&["ab"]).chain(stream::pending()).boxed();
        assert!(matches!(collected(watched(stuck, Duration::from_millis(10))).await, Err(ServerError::Away(_))));
    }

    #[test]
    fn headers_of_the_object_are_kept_and_those_of_the_answer_are_not() {
        let mut all = HeaderMap::new();
        for (name, value) in [
            ("content-type", "text/css"),
            ("x-amz-meta-by", "ada"),
            ("x-amz-request-id", "7"),
            ("etag", "1"),
            ("content-length", "3"),
        ] {
            all.insert(name, value.parse().unwrap());
        }
        all.insert("x-amz-meta-umlaut", reqwest::header::HeaderValue::from_bytes(b"\xc3\xa4").unwrap());
        let mut kept = headers(&all, "x-amz-meta-");
        kept.sort();
        let expected = [("content-type", "text/css"), ("x-amz-meta-by", "ada")];
        assert_eq!(kept, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
