//! Reads the beginning of an answer's body, with any transfer encoding.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use super::question::Head;

/// Limit of the body that is read, in bytes.
pub(super) const LONGEST: u64 = 1 << 20;

/// Limit of the line with the size of a chunk, in bytes.
const LONGEST_SIZE: u64 = 256;

/// Reads a body to its end, or up to [`LONGEST`].
///
/// # Errors
/// An I/O error of the connection, or an unreadable chunk size.
pub(super) async fn read(head: &Head, from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let is_chunked = head.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    if is_chunked {
        return chunks(from).await;
    }
    let length = head.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(LONGEST);
    let mut body = Vec::new();
    from.take(length).read_to_end(&mut body).await?;
    Ok(body)
}

async fn chunks(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(size) = size(from).await? {
        (&mut *from).take(size).read_to_end(&mut body).await?;
        // The line end after the chunk.
        line(from).await?;
    }
    Ok(body)
}

/// The length of the next chunk; none after the last one.
async fn size(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<u64>> {
    let line = line(from).await?;
    let digits = line.split(';').next().unwrap_or_default().trim();
    if digits.is_empty() {
        return Ok(None);
    }
    let size = u64::from_str_radix(digits, 16).map_err(|_| io::Error::other("a chunk has no length"))?;
    Ok((size > 0).then_some(size))
}

async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = Vec::new();
    (&mut *from).take(LONGEST_SIZE).read_until(b'\n', &mut line).await?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::io::{AsyncWriteExt, DuplexStream};

    use super::super::question::exchange;

    /// Whether the body contains `needle`; the connection stays open.
    async fn has(answer: &str, needle: &str) -> std::io::Result<bool> {
        let (near, mut far): (DuplexStream, DuplexStream) = tokio::io::duplex(4 << 20);
        far.write_all(answer.as_bytes()).await.unwrap();
        exchange(near, "GET / HTTP/1.1\r\n\r\n").await?.has(Some(needle)).await
    }

    #[tokio::test]
    async fn a_text_is_found_whichever_way_the_length_is_told() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nall is well, and more";
        assert!(has(plain, "is well").await.unwrap());
        assert!(!has(plain, "more").await.unwrap(), "that is no part of the body");
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nall is\r\n5;x=1\r\n well\r\n0\r\n\r\n";
        assert!(has(chunked, "is well").await.unwrap(), "over the end of a chunk");
        assert!(!has(chunked, "x=1").await.unwrap());
        assert!(has("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "x").await.is_err());
    }

    #[tokio::test]
    async fn only_the_first_megabyte_is_read() {
        let body = format!("first{}last", "x".repeat(2 << 20));
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        assert!(has(&answer, "first").await.unwrap());
        assert!(!has(&answer, "last").await.unwrap());
    }
}
