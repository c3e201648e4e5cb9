//! Requests as browsers, old clients and attackers send them, and the expected outcome of each.

use super::Gateway;

/// The expected outcome of a request.
enum Outcome {
    /// The application gets one request, whose head has these lines and none of these words, all in lower case.
    Served { has: &'static [&'static str], lacks: &'static [&'static str] },
    /// The gateway answers with this status, and the application gets no request.
    Refused(u16),
    /// The application gets no request; the gateway may answer anything.
    Unseen,
}
use Outcome::{Refused, Served, Unseen};

const SERVED: Outcome = Served { has: &[], lacks: &[] };
/// A request that must not reach the application on its own.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: echo.localhost\r\n\r\n";

struct Form {
    name: &'static str,
    bytes: Vec<u8>,
    outcome: Outcome,
}

fn form(name: &'static str, bytes: impl Into<Vec<u8>>, outcome: Outcome) -> Form {
    Form { name, bytes: bytes.into(), outcome }
}

fn get(name: &'static str, path: &str, headers: &str, outcome: Outcome) -> Form {
    form(name, format!("GET {path} HTTP/1.1\r\nHost: echo.localhost\r\n{headers}\r\n"), outcome)
}

fn post(name: &'static str, headers: &str, body: &str, outcome: Outcome) -> Form {
    form(name, format!("POST / HTTP/1.1\r\nHost: echo.localhost\r\n{headers}\r\n{body}"), outcome)
}

fn host(name: &'static str, host: &str, outcome: Outcome) -> Form {
    form(name, format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), outcome)
}

fn hosts() -> Vec<Form> {
    let plain = Served { has: &["host: echo.localhost"], lacks: &[] };
    let with_port = Served { has: &["host: echo.localhost:8080", "x-forwarded-host: echo.localhost:8080"], lacks: &[] };
    let again = || Served { has: &["host: echo.localhost"], lacks: &[] };
    vec![
        host("a host", "echo.localhost", plain),
        host("a host in capitals", "ECHO.LocalHost", SERVED),
        host("a host with a trailing dot", "echo.localhost.", again()),
        host("a host with a port", "echo.localhost:8080", with_port),
        host(
            "a host with a trailing dot and a port",
            "echo.localhost.:8080",
            Served { has: &["host: echo.localhost:8080"], lacks: &[] },
        ),
        host("a host with an empty port", "echo.localhost:", again()),
        host("a host that is not known", "other.localhost", Refused(404)),
        host("a host that ends like a known one", "xecho.localhost", Refused(404)),
        host("an IPv4 address as the host", "127.0.0.1:8080", Refused(404)),
        host("an IPv6 address as the host", "[::1]:8080", Refused(400)),
        host("an empty host", "", Refused(400)),
        host("a host that is a dot", ".", Refused(400)),
        host("a host with an empty label", "echo..localhost", Refused(400)),
        host("a host with two trailing dots", "echo.localhost..", Refused(400)),
        host("a host with a space", "echo.localhost evil", Refused(400)),
        host("a host with user information", "evil@echo.localhost", Refused(400)),
        host("a host with a path", "echo.localhost/evil", Refused(400)),
        host("a host with an underscore", "ec_ho.localhost", Refused(400)),
        host("a host with UTF-8", "käse.localhost", Refused(400)),
        host("two hosts in one header", "echo.localhost, idle.localhost", Refused(400)),
        host("a host with a port that is a word", "echo.localhost:http", Refused(400)),
        host("a host with a port that no port has", "echo.localhost:70000", Refused(400)),
        host("a host of 70 letters", &"a".repeat(70), Refused(400)),
        get("two Host headers that differ", "/", "Host: idle.localhost\r\n", Refused(400)),
        get("two Host headers that are equal", "/", "Host: echo.localhost\r\n", again()),
        form("no host", "GET / HTTP/1.1\r\n\r\n", Refused(400)),
        form("no host in HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", Refused(400)),
        form("HTTP/1.0", "GET / HTTP/1.0\r\nHost: echo.localhost\r\n\r\n", SERVED),
        get(
            "an absolute address",
            "http://echo.localhost/a?b",
            "",
            Served { has: &["get /a?b http/1.1", "host: echo.localhost"], lacks: &[] },
        ),
        get(
            "an absolute address without a path",
            "http://echo.localhost",
            "",
            Served { has: &["get / http/1.1"], lacks: &[] },
        ),
        get("an absolute address of another host", "http://idle.localhost/", "", Refused(400)),
        get("an absolute address of another scheme", "ftp://echo.localhost/", "", Refused(400)),
        form("an absolute address and no host", "GET http://echo.localhost/ HTTP/1.1\r\n\r\n", Refused(400)),
        form(
            "a host before a folded line",
            "GET / HTTP/1.1\r\n Host: idle.localhost\r\nHost: echo.localhost\r\n\r\n",
            Refused(400),
        ),
    ]
}

fn first_lines() -> Vec<Form> {
    let whole = |line: &str| format!("{line}\r\nHost: echo.localhost\r\n\r\n").into_bytes();
    vec![
        get("a path with UTF-8", "/käse", "", Served { has: &["get /käse http/1.1"], lacks: &[] }),
        form("a path with latin-1", b"GET /k\xe4se HTTP/1.1\r\nHost: echo.localhost\r\n\r\n", SERVED),
        get("a path with quotation marks", "/a\"<>'{}|\\^`b", "", SERVED),
        get(
            "a path with escaped control characters",
            "/a%00%0d%0ab",
            "",
            Served { has: &["get /a%00%0d%0ab http/1.1"], lacks: &[] },
        ),
        get("a path with a fragment", "/a#b", "", Refused(400)),
        get("a path with a space", "/a b", "", Refused(400)),
        get("a path without a slash", "a", "", Refused(400)),
        get(
            "a path that looks like a host",
            "//idle.localhost/a",
            "",
            Served { has: &["get //idle.localhost/a http/1.1"], lacks: &[] },
        ),
        form("OPTIONS for the whole server", whole("OPTIONS * HTTP/1.1"), SERVED),
        form("GET for the whole server", whole("GET * HTTP/1.1"), Refused(400)),
        form("a tunnel", "CONNECT echo.localhost:80 HTTP/1.1\r\nHost: echo.localhost:80\r\n\r\n", Refused(405)),
        form("HTTP/0.9", "GET /\r\n\r\n", Refused(400)),
        form("HTTP/1", whole("GET / HTTP/1"), Refused(400)),
        form("HTTP/1.2", whole("GET / HTTP/1.2"), Refused(400)),
        form("no HTTP at all", "hello world\r\n\r\n", Refused(400)),
        form("TLS where there is none", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Unseen),
        form("the beginning of HTTP/2 and no request", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Unseen),
        form("bare line feeds", "GET / HTTP/1.1\nHost: echo.localhost\n\n", SERVED),
    ]
}

fn headers() -> Vec<Form> {
    vec![
        get("UTF-8 in a value", "/", "X-Name: käse\r\n", Served { has: &["x-name: käse"], lacks: &[] }),
        get("a folded value", "/", "X-Name: a\r\n b\r\n", Served { has: &[], lacks: &["\r\n "] }),
        get("a name with parentheses", "/", "X(a): b\r\n", Refused(400)),
        get("a name with a space before the colon", "/", "X-Name : b\r\n", Refused(400)),
        get("a name with NUL", "/", "X\0a: b\r\n", Refused(400)),
        get("no name", "/", ": b\r\n", Refused(400)),
        get("no colon", "/", "X-Name\r\n", Refused(400)),
        get("a value with NUL", "/", "X-Name: a\0b\r\n", Refused(400)),
        get("a value with a carriage return", "/", "X-Name: a\rX-Other: b\r\n", Refused(400)),
        get(
            "headers named for removal",
            "/",
            "Connection: X-Forwarded-For, X-Real-IP\r\n",
            Served { has: &["x-forwarded-for: 127.0.0.1", "x-real-ip: 127.0.0.1"], lacks: &["connection: x-"] },
        ),
        get(
            "an upgrade to HTTP/2",
            "/",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
            Served { has: &[], lacks: &["upgrade", "http2-settings"] },
        ),
        get(
            "what is the application's own business",
            "/",
            "X-Requested-With: x\r\nX-HTTP-Method-Override: PUT\r\nProxy-Authorization: x\r\nUpgrade-Insecure-Requests: 1\r\n",
            Served {
                has: &[
                    "x-requested-with: x",
                    "x-http-method-override: put",
                    "proxy-authorization: x",
                    "upgrade-insecure-requests: 1",
                ],
                lacks: &[],
            },
        ),
    ]
}

fn bodies() -> Vec<Form> {
    let (chunk, end) = ("2\r\nab\r\n0\r\n\r\n", "0\r\n\r\n");
    let smuggling = format!("{end}{SMUGGLED}");
    let chunked =
        |name, value: &str, outcome| post(name, &format!("Transfer-Encoding:{value}\r\n"), &smuggling, outcome);
    let length = |name, value: &str, outcome| post(name, &format!("Content-Length:{value}\r\n"), "ab", outcome);
    vec![
        post("a body in chunks", "Transfer-Encoding: chunked\r\n", chunk, SERVED),
        post("a body that waits to be asked for", "Expect: 100-continue\r\nContent-Length: 2\r\n", "ab", SERVED),
        post("chunks after a tab", "Transfer-Encoding:\tchunked\r\n", chunk, SERVED),
        post("chunks in a folded header", "Transfer-Encoding:\r\n chunked\r\n", chunk, SERVED),
        post("a chunk with an extension", "Transfer-Encoding: chunked\r\n", "2;a=b\r\nab\r\n0\r\n\r\n", SERVED),
        post("chunks with a space before the colon", "Transfer-Encoding : chunked\r\n", &smuggling, Refused(400)),
        chunked("an encoding that looks like chunks", " xchunked", Refused(400)),
        chunked("chunks in quotation marks", " \"chunked\"", Refused(400)),
        chunked("chunks after a vertical tab", " \u{b}chunked", Refused(400)),
        chunked("chunks and then another encoding", " chunked, identity", Refused(400)),
        chunked("another encoding and then chunks", " gzip, chunked", Refused(422)),
        post(
            "two encodings",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            &smuggling,
            Refused(400),
        ),
        post("an encoding with an underscore", "Transfer_Encoding: chunked\r\n", &smuggling, Refused(400)),
        post(
            "chunks and a length",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            end,
            Served { has: &[], lacks: &["content-length"] },
        ),
        form(
            "chunks in HTTP/1.0",
            format!("POST / HTTP/1.0\r\nHost: echo.localhost\r\nTransfer-Encoding: chunked\r\n\r\n{smuggling}"),
            Refused(400),
        ),
        post(
            "a chunk whose size overflows",
            "Transfer-Encoding: chunked\r\n",
            "10000000000000002\r\nab\r\n0\r\n\r\n",
            Unseen,
        ),
        post("a chunk with a negative size", "Transfer-Encoding: chunked\r\n", "-2\r\nab\r\n0\r\n\r\n", Unseen),
        post("a chunk with a size in C's way", "Transfer-Encoding: chunked\r\n", "0x2\r\nab\r\n0\r\n\r\n", Unseen),
        length("a length", " 2", SERVED),
        length("two lengths that are equal", " 2, 2", Served { has: &["content-length: 2"], lacks: &[] }),
        length("two lengths that differ", " 2\r\nContent-Length: 3", Refused(400)),
        length("a length with a sign", " +2", Refused(400)),
        length("a negative length", " -2", Refused(400)),
        length("a length in C's way", " 0x2", Refused(400)),
        length("a length with a space inside", " 2 2", Refused(400)),
        length("an empty length", "", Refused(400)),
        length("a length that overflows", " 99999999999999999999", Refused(400)),
        post("a length with a space before the colon", "Content-Length : 47\r\n", SMUGGLED, Refused(400)),
        post("a length with an underscore", "Content_Length: 47\r\n", SMUGGLED, Refused(400)),
        post("a body of a request for no valid host", "Host: a b\r\n", SMUGGLED, Refused(400)),
        post("a body that is another request", &format!("Content-Length: {}\r\n", SMUGGLED.len()), SMUGGLED, SERVED),
    ]
}

impl Form {
    /// The error is the difference between the expected and the actual outcome.
    async fn verdict(&self, gateway: &Gateway) -> Result<(), String> {
        gateway.application.forget();
        let answers = gateway.send("127.0.0.1", &self.bytes).await;
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        let seen = gateway.application.requests();
        let wrong =
            |why: &str| Err(format!("{}: {why}; answers {statuses:?}, the application got {seen:?}", self.name));
        match &self.outcome {
            Unseen if seen.is_empty() => Ok(()),
            Refused(status) if seen.is_empty() && statuses == [*status] => Ok(()),
            Unseen => wrong("the application must get nothing"),
            Refused(status) => wrong(&format!("it must be refused once, with {status}")),
            Served { has, lacks } => {
                let [request] = seen.as_slice() else { return wrong("the application must get one request") };
                let head = request.head.to_lowercase();
                match () {
                    () if statuses != [200] => wrong("one answer, 200"),
                    () if !has.iter().all(|line| head.split("\r\n").any(|own| own == *line)) => {
                        wrong("a line is missing")
                    }
                    () if lacks.iter().any(|words| head.contains(words)) => wrong("words must not be there"),
                    () => Ok(()),
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_request_has_the_right_outcome() {
    let gateway = Gateway::start().await;
    let forms: Vec<Form> = [hosts(), first_lines(), headers(), bodies()].into_iter().flatten().collect();
    let wanted =
        std::env::var("OCIM_TRAFFIC_REQUESTS").ok().and_then(|count| count.parse().ok()).unwrap_or(forms.len());
    let mut wrong = Vec::new();
    for form in forms.iter().cycle().take(wanted) {
        wrong.extend(form.verdict(&gateway).await.err());
    }
    println!("{wanted} requests of {} forms: {} wrong", forms.len(), wrong.len());
    assert!(forms.len() >= 40 && wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_requests_get_our_own_error_pages() {
    let gateway = Gateway::start().await;
    let pages = [
        (host("", "a b", Unseen), "This request does not name one host"),
        (get("", "/", "X(a): b\r\n", Unseen), "This request is not valid HTTP"),
        (host("", "other.localhost", Unseen), "No such instance here"),
        (form("", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", Unseen), "This gateway is not a forward proxy"),
    ];
    for (form, words) in pages {
        let answers = gateway.send("127.0.0.1", &form.bytes).await;
        assert!(answers.first().is_some_and(|answer| answer.body.contains(words)), "{words}: {answers:?}");
    }
}
