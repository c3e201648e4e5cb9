//! The visitor's address and scheme as the application gets them: from a trusted proxy, settings or the PROXY protocol.

use ocim::config::Settings;
use ocim::routing::traffic::{Question, Traffic};

use super::{CONNECTIONS, Gateway};

const VISITOR: &str = "127.0.0.9";
const PROXY: &str = "127.0.0.5";
const OTHER_PROXY: &str = "127.0.0.6";

/// A gateway that trusts two proxies.
async fn trusting(change: impl FnOnce(&mut Settings)) -> Gateway {
    Gateway::with(CONNECTIONS, |settings| {
        settings.gateway.ocim_gateway_trusted_proxies = vec![PROXY.into(), format!("{OTHER_PROXY}/32")];
        change(settings);
    })
    .await
}

/// Address, scheme and port in the head that the application got.
fn told(head: &str) -> [&str; 3] {
    ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-port"].map(|name| {
        let mut values = head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = values.next().unwrap_or_else(|| panic!("no {name}: {head}"));
        assert_eq!(values.next(), None, "{name} twice: {head}");
        value.trim()
    })
}

/// Header names, and spellings that WSGI or CGI servers treat alike.
const CLAIMS: &[&str] = &[
    "Forwarded",
    "X-Forwarded",
    "X-Forwarded-For",
    "x-forwarded-for",
    "X_Forwarded_For",
    "X-Forwarded_For",
    "X.Forwarded.For",
    "X-Forwarded-Proto",
    "X_FORWARDED_PROTO",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Ssl",
    "X-Forwarded-Prefix",
    "X-Forwarded-User",
    "X-Forwarded-Anything-New",
    "X-Real-IP",
    "X_Real_IP",
    "X-Client-IP",
    "Client-IP",
    "X-Cluster-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "CF-Connecting-IPv6",
    "Front-End-Https",
    "X-Scheme",
    "X-Url-Scheme",
    "X-Original-URL",
    "X-Original-Host",
    "X-Rewrite-URL",
    "X-Host",
    "Remote-User",
    "X-Remote-User",
    "REMOTE_USER",
    "SSL-Client-Verify",
    "X-SSL-Client-S-DN",
    "X-Auth-Request-Email",
    "Proxy",
    "X-Ocim-Target",
    "X-Ocim-Anything",
];

#[tokio::test(flavor = "multi_thread")]
async fn forwarding_headers_of_visitors_are_dropped() {
    let gateway = Gateway::start().await;
    for name in CLAIMS {
        let head = gateway.seen(VISITOR, "echo.localhost", &format!("{name}: 6666\r\n")).await;
        assert!(!head.contains("6666"), "{name}: {head}");
        assert_eq!(told(&head)[..2], [VISITOR, "http"], "{name}: {head}");
    }
    let all: String = CLAIMS.iter().map(|name| format!("{name}: 6666\r\n")).collect();
    let head = gateway.seen(VISITOR, "echo.localhost", &all).await;
    assert!(!head.contains("6666") && head.contains("\r\nx-real-ip: 127.0.0.9\r\n"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_proxy_the_instance_says_the_scheme() {
    let gateway = Gateway::start().await;
    let port = gateway.listen.port().to_string();
    assert_eq!(told(&gateway.seen(VISITOR, "echo.localhost", "").await), [VISITOR, "http", &port]);
    assert_eq!(told(&gateway.seen(VISITOR, "secure.localhost", "").await), [VISITOR, "https", "443"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_url_says_scheme_and_port_of_every_instance() {
    let url = |settings: &mut Settings| {
        settings.gateway.ocim_gateway_public_url = Some("https://apps.example.org:8443".into())
    };
    let gateway = Gateway::with(CONNECTIONS, url).await;
    for host in ["echo.localhost", "secure.localhost"] {
        assert_eq!(told(&gateway.seen(VISITOR, host, "").await), [VISITOR, "https", "8443"], "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_is_believed_as_far_as_it_makes_sense() {
    let gateway = trusting(|_| {}).await;
    let cases = [
        ("", PROXY, "http", "80"),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.9\r\n", "203.0.113.9", "https", "443"),
        ("X-Forwarded-Proto: HTTPS\r\nX-Forwarded-Port: 8443\r\n", PROXY, "https", "8443"),
        ("X-Forwarded-Proto: ftp\r\nX-Forwarded-Port: 99999\r\nX-Forwarded-For: nonsense\r\n", PROXY, "http", "80"),
        ("X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", PROXY, "http", "80"),
        ("X-Forwarded-Port: 0443\r\n", PROXY, "http", "80"),
        ("X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n", "203.0.113.9", "http", "80"),
        ("X-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.6\r\n", "203.0.113.9", "http", "80"),
        (
            "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 127.0.0.6\r\n",
            "203.0.113.9",
            "http",
            "80",
        ),
        ("X-Forwarded-For: 6.6.6.6, nonsense\r\n", PROXY, "http", "80"),
        ("X-Forwarded-For: 6.6.6.6, nonsense, 127.0.0.6\r\n", OTHER_PROXY, "http", "80"),
        ("X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7", "http", "80"),
        ("X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\n", PROXY, "http", "80"),
    ];
    for (headers, address, scheme, port) in cases {
        let head = gateway.seen(PROXY, "echo.localhost", headers).await;
        assert_eq!(told(&head), [address, scheme, port], "{headers}");
    }
    let claims = "X-Forwarded-Proto: https\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Port: 6666\r\n";
    let port = gateway.listen.port().to_string();
    let head = gateway.seen(VISITOR, "echo.localhost", claims).await;
    assert_eq!(told(&head), [VISITOR, "http", &port], "another address is not believed");
    let secure = gateway.seen(PROXY, "secure.localhost", "").await;
    assert_eq!(told(&secure), [PROXY, "https", "443"], "what the proxy does not say, the instance says");
}

/// The header of PROXY protocol version 2 for a TCP connection from `source`.
fn version_2(source: [u8; 4], port: u16) -> Vec<u8> {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    bytes.extend(source);
    bytes.extend([10, 0, 0, 1]);
    bytes.extend(4444_u16.to_be_bytes());
    bytes.extend(port.to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_protocol_says_address_and_port_where_a_trusted_proxy_speaks_it() {
    let gateway = trusting(|settings| settings.gateway.ocim_gateway_proxy_protocol = true).await;
    let request = |headers: &str| format!("GET / HTTP/1.1\r\nHost: echo.localhost\r\n{headers}\r\n").into_bytes();
    let claims = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: ftp\r\n";
    let cases = [
        (version_2([203, 0, 113, 9], 443), ["203.0.113.9", "https", "443"]),
        (version_2([203, 0, 113, 9], 80), ["203.0.113.9", "http", "80"]),
        (b"PROXY TCP4 203.0.113.9 10.0.0.1 4444 443\r\n".to_vec(), ["203.0.113.9", "https", "443"]),
    ];
    for (header, wanted) in cases {
        gateway.application.forget();
        let answers = gateway.send(PROXY, &[header, request(claims)].concat()).await;
        assert_eq!(answers.first().map(|answer| answer.status), Some(200), "{answers:?}");
        assert_eq!(told(&gateway.application.requests().first().unwrap().head.to_lowercase()), wanted);
    }
    let port = gateway.listen.port().to_string();
    assert_eq!(told(&gateway.seen(VISITOR, "echo.localhost", "").await), [VISITOR, "http", &port]);
    gateway.application.forget();
    gateway.send(VISITOR, &[version_2([203, 0, 113, 9], 443), request("")].concat()).await;
    gateway.send(PROXY, &request("")).await;
    assert_eq!(gateway.application.requests(), [], "a header from elsewhere, and none from the proxy, are refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_sends_what_a_visitors_request_gets() {
    let settings =
        |settings: &mut Settings| settings.gateway.ocim_gateway_public_url = Some("https://apps.example.org".into());
    for gateway in [Gateway::start().await, Gateway::with(CONNECTIONS, settings).await] {
        for host in ["echo.localhost", "secure.localhost"] {
            gateway.application.forget();
            gateway.inner.ask(gateway.application.address, &Question::status(host, "/")).await.unwrap();
            let check = gateway.application.requests().first().unwrap().head.to_lowercase();
            let [_, scheme, port] = told(&check);
            let own = match (scheme, port) {
                ("http", "80") | ("https", "443") => host.to_owned(),
                (_, port) => format!("{host}:{port}"),
            };
            let visit = gateway.seen("127.0.0.1", &own, "User-Agent: ocim\r\nAccept: */*\r\n").await;
            let sorted = |head: &str| {
                let mut lines: Vec<String> = head.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            };
            assert_eq!(sorted(&check), sorted(&visit));
        }
    }
}
