//! Long heads of requests and of answers.

use super::Gateway;

/// The limit in the documentation, in bytes.
const PROMISED: usize = 32 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn heads_of_requests_up_to_32_kb_pass() {
    let gateway = Gateway::start().await;
    let many = |count: usize, length: usize| -> String {
        (0..count).map(|n| format!("X-Header-{n}: {}\r\n", "y".repeat(length))).collect()
    };
    let cookie = |length: usize| format!("Cookie: a={}\r\n", "x".repeat(length));
    for headers in [cookie(15_500), cookie(PROMISED - 100), many(300, 90), many(500, 40)] {
        assert!(headers.len() < PROMISED);
        let head = gateway.seen("127.0.0.1", "echo.localhost", &headers).await;
        let last = headers.to_lowercase().lines().last().unwrap().to_owned();
        assert!(head.contains(&last), "a head of {} bytes has lost its end", headers.len());
    }
    let path = "x".repeat(PROMISED - 100);
    let request = format!("GET /{path} HTTP/1.1\r\nHost: echo.localhost\r\n\r\n");
    assert_eq!(gateway.send("127.0.0.1", request.as_bytes()).await[0].status, 200);
    gateway.application.forget();
    let request = format!("GET / HTTP/1.1\r\nHost: echo.localhost\r\n{}\r\n", cookie(2 * PROMISED));
    let answers = gateway.send("127.0.0.1", request.as_bytes()).await;
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [400]);
    assert_eq!(gateway.application.requests(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_of_answers_up_to_32_kb_pass_and_a_longer_one_is_named() {
    let gateway = Gateway::start().await;
    let ask = async |length: usize| {
        let request = format!("GET /head/{length} HTTP/1.1\r\nHost: echo.localhost\r\n\r\n");
        gateway.send("127.0.0.1", request.as_bytes()).await.remove(0)
    };
    for length in [15_500, PROMISED - 100] {
        let answer = ask(length).await;
        assert_eq!((answer.status, answer.head.len() > length), (200, true), "{length}");
    }
    let answer = ask(2 * PROMISED).await;
    assert_eq!(answer.status, 502);
    assert!(answer.body.contains("sent headers of more than 32 KB"), "{}", answer.body);
}
