//! Reads requests as a trusting application does, by Content-Length or in chunks.

/// A request as the application understood it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The first line and the headers, with their line ends.
    pub head: String,
    pub body: Vec<u8>,
}

/// Every complete request in these bytes; a following one counts, too.
pub fn parse(mut bytes: &[u8]) -> Vec<Request> {
    let mut requests = Vec::new();
    while let Some((request, rest)) = first(bytes) {
        requests.push(request);
        bytes = rest;
    }
    requests
}

fn first(bytes: &[u8]) -> Option<(Request, &[u8])> {
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
    let (head, rest) = bytes.split_at(end);
    let head = String::from_utf8_lossy(head).into_owned();
    let lower = head.to_lowercase();
    let header = |name: &str| lower.lines().find_map(|line| line.strip_prefix(name)?.trim().to_owned().into());
    let is_chunked = header("transfer-encoding:").is_some_and(|value: String| value == "chunked");
    let (body, rest) = match header("content-length:") {
        _ if is_chunked => chunks(rest)?,
        Some(length) => rest.split_at_checked(length.parse().ok()?).map(|(body, rest)| (body.to_vec(), rest))?,
        None => (Vec::new(), rest),
    };
    Some((Request { head, body }, rest))
}

fn chunks(mut bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|part| part == b"\r\n")?;
        let size = std::str::from_utf8(bytes.get(..end)?).ok()?.split(';').next()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        bytes = bytes.get(end + 2..)?;
        if size == 0 {
            // An empty line ends the trailers.
            loop {
                let end = bytes.windows(2).position(|part| part == b"\r\n")?;
                bytes = bytes.get(end + 2..)?;
                if end == 0 {
                    return Some((body, bytes));
                }
            }
        }
        body.extend_from_slice(bytes.get(..size)?);
        bytes = bytes.get(size + 2..)?;
    }
}

#[test]
fn a_request_inside_of_a_body_is_no_request_and_one_behind_it_is() {
    let inside = b"POST / HTTP/1.1\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    assert_eq!(parse(inside).len(), 1);
    let behind = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    assert_eq!(parse(behind).iter().map(|request| request.body.len()).collect::<Vec<_>>(), [2, 0]);
}
