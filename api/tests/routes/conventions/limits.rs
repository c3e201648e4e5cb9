use std::io::{Read, Write};
use std::time::Instant;

use diesel_async::AsyncConnection;
use reqwest::Method;
use serde_json::json;
use shared_types::Role;
use tokio::io::AsyncWriteExt;

use crate::app::{Answer, Client, Credentials, Setup, Stream, TestApp, until};

#[tokio::test]
async fn a_rate_limited_caller_gets_retry_after() {
    let app = TestApp::with(Setup {
        works: false,
        guard: |settings| settings.guard.ocim_principal_rate = 5,
        ..Setup::default()
    })
    .await;
    let (one, other) = (app.viewer().await, app.viewer().await);
    for _ in 0..5 {
        one.get("/api/v1/auth/me").await.expect(200);
    }
    let answer = one.get("/api/v1/auth/me").await;
    assert_eq!(answer.problem(429)["type"], "/docs/problems#too-many-requests");
    let wait: i64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=12).contains(&wait), "{wait}");
    other.get("/api/v1/auth/me").await.expect(200);
    app.end().await;
}

/// Creates a token of the user of this session.
async fn token_of(browser: &Client) -> Client {
    let made = browser.post("/api/v1/auth/tokens", json!({ "name": "x", "role": "viewer" })).await.expect(201);
    browser.with(Credentials::Token(made["secret"].as_str().unwrap().to_owned()))
}

#[tokio::test]
async fn the_tokens_of_a_user_share_the_limits_of_rate_and_streams() {
    let app = TestApp::with(Setup {
        works: false,
        guard: |settings| {
            settings.guard.ocim_principal_rate = 8;
            settings.guard.ocim_max_streams_each = 2;
        },
        ..Setup::default()
    })
    .await;
    let (browser, other) = (app.session(Role::Viewer).await, app.session(Role::Viewer).await);
    let (one, two) = (token_of(&browser).await, token_of(&browser).await);
    let _first = Stream::open(&one, "/api/v1/events", None).await;
    let _second = Stream::open(&two, "/api/v1/events", None).await;
    let problem = browser.get("/api/v1/events").await.problem(429);
    assert!(problem["detail"].as_str().unwrap().contains("You have 2 streams open"), "{problem}");
    // Five requests so far. With a budget of its own, each of the three would have eight.
    let mut answered = 0;
    for client in [&one, &two, &browser].into_iter().cycle().take(24) {
        answered += usize::from(client.get("/api/v1/auth/me").await.status == 200);
    }
    assert!((3..=6).contains(&answered), "{answered} were answered");
    let _third = Stream::open(&other, "/api/v1/events", None).await;
    app.end().await;
}

#[tokio::test]
async fn a_rate_limited_address_is_refused_before_any_query() {
    let app = TestApp::with(Setup {
        works: false,
        guard: |settings| {
            settings.guard.ocim_address_rate = 3;
            settings.guard.ocim_trusted_proxies = vec!["127.0.0.1".into()];
        },
        ..Setup::default()
    })
    .await;
    let anonymous = app.anonymous();
    let from = |address: &'static str| {
        let request = anonymous.request(Method::GET, "/api/v1/auth/me").header("x-forwarded-for", address);
        Answer::to(request)
    };
    for _ in 0..3 {
        from("192.0.2.1").await.problem(401);
    }
    from("192.0.2.1").await.problem(429);
    from("192.0.2.2").await.problem(401);
    app.end().await;
}

#[tokio::test]
async fn requests_for_other_host_names_are_refused() {
    let app = TestApp::with(Setup {
        works: false,
        guard: |settings| settings.guard.ocim_allowed_hosts = vec!["ocim.example".into()],
        ..Setup::default()
    })
    .await;
    let anonymous = app.anonymous();
    for (host, status) in
        [("ocim.example", 200), ("127.0.0.1:1", 200), ("evil.example", 400), ("ocim.example.evil", 400)]
    {
        let answer = Answer::to(anonymous.request(Method::GET, "/healthz").header("host", host)).await;
        assert_eq!(answer.status, status, "{host}");
    }
    app.end().await;
}

#[tokio::test]
async fn the_size_of_headers_is_limited() {
    let app = TestApp::idle().await;
    let anonymous = app.anonymous();
    let with =
        |size: usize| Answer::to(anonymous.request(Method::GET, "/healthz").header("x-filler", "x".repeat(size)));
    with(31_000).await.expect(200);
    with(33_000).await.problem(431);
    // Longer headers are not read at all.
    let mut connection = std::net::TcpStream::connect(anonymous.base().trim_start_matches("http://")).unwrap();
    let mut answer = String::new();
    let head = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Filler: {}\r\n\r\n", "x".repeat(400_000));
    let cut = tokio::task::spawn_blocking(move || {
        let _ = connection.write_all(head.as_bytes());
        let _ = connection.read_to_string(&mut answer);
        answer
    });
    let answer = cut.await.unwrap();
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    anonymous.get("/healthz").await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn the_depth_of_json_is_limited() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    let deep = format!("{{\"name\": {}{}}}", "[".repeat(200), "]".repeat(200));
    let request = operator.request(Method::POST, "/api/v1/instances").header("content-type", "application/json");
    let problem = Answer::to(request.body(deep)).await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("recursion limit"), "{problem}");
    app.end().await;
}

#[tokio::test]
async fn a_request_that_times_out_leaves_no_lock() {
    let app = TestApp::with(Setup {
        works: false,
        guard: |settings| settings.guard.ocim_request_timeout = 1,
        ..Setup::default()
    })
    .await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let launch = "/api/v1/instances/1/app-servers";
    let mut conn = app.conn().await;
    conn.transaction(async |conn| {
        diesel_async::RunQueryDsl::execute(diesel::sql_query("SELECT 1 FROM instances FOR UPDATE"), conn).await?;
        let began = Instant::now();
        let problem = operator.post(launch, json!({})).await.problem(503);
        assert!(problem["detail"].as_str().unwrap().contains("longer than 1 s"), "{problem}");
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
        Ok::<_, diesel::result::Error>(())
    })
    .await
    .unwrap();
    assert_eq!(app.number("SELECT count(*) AS n FROM app_servers").await, 0);
    operator.post(launch, json!({})).await.expect(202);
    app.end().await;
}

#[tokio::test]
async fn the_number_of_open_streams_is_limited() {
    let app = TestApp::with(Setup {
        works: false,
        guard: |settings| {
            settings.guard.ocim_max_streams = 3;
            settings.guard.ocim_max_streams_each = 2;
        },
        ..Setup::default()
    })
    .await;
    let (one, other) = (app.viewer().await, app.viewer().await);
    let first = Stream::open(&one, "/api/v1/events", None).await;
    let _second = Stream::open(&one, "/api/v1/events", None).await;
    let answer = one.get("/api/v1/events").await;
    assert!(answer.problem(429)["detail"].as_str().unwrap().contains("You have 2 streams open"));
    assert_eq!(answer.header("retry-after"), "30");
    let _third = Stream::open(&other, "/api/v1/events", None).await;
    assert!(other.get("/api/v1/events").await.problem(429)["detail"].as_str().unwrap().contains("3 streams are open"));
    drop(first);
    // The next event shows that the client is gone.
    app.instance("demo").await;
    until("a stream was closed", async || app.guard.streams.count() == 2).await;
    let _fourth = Stream::open(&other, "/api/v1/events", None).await;
    app.end().await;
}

#[tokio::test]
async fn a_stalled_reader_of_a_stream_is_disconnected() {
    let app = TestApp::with(Setup {
        works: false,
        guard: |settings| settings.guard.ocim_stall_timeout = 2,
        ..Setup::default()
    })
    .await;
    let viewer = app.viewer().await;
    let mut connection = std::net::TcpStream::connect(viewer.base().trim_start_matches("http://")).unwrap();
    let head =
        format!("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n", viewer.token());
    connection.write_all(head.as_bytes()).unwrap();
    until("the stream is open", async || app.guard.streams.count() == 1).await;
    // More than the socket buffers hold; the client does not read.
    let loud = "SELECT count(pg_notify('ocim_events', json_build_object('id', null, 'type', 'LogAppended', 'created', now(), \
        'instance_id', 1, 'last_seq', n)::text)) FROM generate_series(1, 100000) AS n";
    until("the stream is cut", async || {
        app.execute(loud).await;
        app.guard.streams.count() == 0
    })
    .await;
    drop(connection);
    app.end().await;
}

/// Raises the limit of open files, since the test has both ends of each connection.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(65_536).min(65_536);
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).unwrap();
}

#[tokio::test]
async fn many_slow_connections_of_one_address_leave_room_for_others() {
    raise_open_files();
    let app = TestApp::start().await;
    until("the worker runs", async || app.anonymous().get("/readyz").await.status == 200).await;
    let to: std::net::SocketAddr = app.anonymous().base().trim_start_matches("http://").parse().unwrap();
    let mut slow = Vec::new();
    for _ in 0..1100 {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(to).await.unwrap();
        let head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{";
        // A connection too many is closed meanwhile.
        let _ = stream.write_all(head).await;
        slow.push(stream);
    }
    let mut longest = std::time::Duration::ZERO;
    for _ in 0..10 {
        let began = Instant::now();
        app.anonymous().get("/readyz").await.expect(200);
        longest = longest.max(began.elapsed());
    }
    let is_closed = |stream: &tokio::net::TcpStream| match stream.try_read(&mut [0; 64]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    };
    let closed = slow.iter().filter(|stream| is_closed(stream)).count();
    eprintln!("beside 1,100 slow connections an answer took {longest:?} at most; {closed} were closed");
    assert!(closed >= 100, "1,000 are allowed, and {closed} of 1,100 were closed");
    app.end().await;
}
