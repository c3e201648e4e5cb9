//! One address that holds nearly all connections of the gateway.

use std::time::{Duration, Instant};

use ocim::config::gateway::Scheme;
use ocim::routing::traffic::{Question, Traffic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::application::Application;
use super::{CONNECTIONS, Gateway, visitor};

/// `make test-traffic` sets the production limit, which needs twice as many open files.
fn connections() -> u32 {
    std::env::var("OCIM_TRAFFIC_CONNECTIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(CONNECTIONS)
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_answered_while_one_address_holds_all_but_a_hundred_connections() {
    let limit = connections();
    let gateway = Gateway::with(limit, |_| {}).await;
    let other = Application::start().await;
    gateway.route("other.localhost", other.address, Scheme::Http).await;
    let (hold, mut held) = (limit - 100, Vec::new());
    for _ in 0..hold {
        let mut stream = visitor::connect(gateway.listen, "127.0.0.2".parse().unwrap()).await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: echo.localhost\r\n\r\n").await.unwrap();
        held.push(stream);
    }
    for stream in &mut held {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
    let began = Instant::now();
    for host in ["other.localhost", "echo.localhost"] {
        for from in ["127.0.0.3", "127.0.0.4", "127.0.0.2"] {
            let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(gateway.send(from, request.as_bytes()).await[0].status, 200, "{host} from {from}");
        }
    }
    let took = began.elapsed();
    println!("{hold} of {limit} connections held by one address; six requests from others and itself took {took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_made_while_visitors_hold_every_connection() {
    let gateway = Gateway::with(100, |_| {}).await;
    let mut held = Vec::new();
    for _ in 0..150 {
        held.push(visitor::connect(gateway.listen, "127.0.0.2".parse().unwrap()).await);
    }
    let answer = gateway.inner.ask(gateway.application.address, &Question::status("echo.localhost", "/")).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(200));
}
