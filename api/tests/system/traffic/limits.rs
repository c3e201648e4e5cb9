//! The limits of one app server and of one visitor.

use ocim::config::gateway::Scheme;

use super::application::Application;
use super::{CONNECTIONS, Gateway};

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: echo.localhost\r\n\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_above_the_limit_of_its_target_is_answered_at_once_and_others_are_served() {
    let gateway = Gateway::with(CONNECTIONS, |settings| settings.gateway.ocim_gateway_target_connections = 3).await;
    let other = Application::start().await;
    gateway.route("other.localhost", other.address, Scheme::Http).await;
    let began = std::time::Instant::now();
    let slow = get("/slow");
    let held = futures::future::join_all((0..8).map(|_| gateway.send("127.0.0.1", &slow)));
    let beside = async {
        // By now the eight requests have arrived, and the surplus ones were refused at once.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        gateway.send("127.0.0.1", b"GET / HTTP/1.1\r\nHost: other.localhost\r\n\r\n").await.remove(0).status
    };
    let (held, beside) = tokio::join!(held, beside);
    let (served, refused): (Vec<_>, Vec<_>) =
        held.into_iter().map(|mut answers| answers.remove(0)).partition(|answer| answer.status == 200);
    assert_eq!((served.len(), refused.len(), beside), (3, 5, 200), "after {:?}", began.elapsed());
    for answer in refused {
        let head = answer.head.to_lowercase();
        assert_eq!(answer.status, 503);
        assert!(head.contains("retry-after: 5") && answer.body.contains("too many requests"), "{answer:?}");
    }
    assert_eq!(gateway.send("127.0.0.1", &get("/")).await[0].status, 200, "there is room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_a_visitors_connections_is_off_until_it_is_set() {
    let limited = Gateway::with(CONNECTIONS, |settings| settings.gateway.ocim_gateway_source_connections = 2).await;
    let free = Gateway::start().await;
    let slow = get("/slow");
    for (gateway, wanted) in [(&limited, 2), (&free, 6)] {
        let answers = futures::future::join_all((0..6).map(|_| gateway.send("127.0.0.3", &slow))).await;
        let served =
            answers.iter().filter(|answers| answers.first().is_some_and(|answer| answer.status == 200)).count();
        assert_eq!(served, wanted);
        assert_eq!(gateway.send("127.0.0.4", &get("/")).await[0].status, 200, "another visitor");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_behind_a_trusted_proxy_are_limited_one_by_one() {
    let gateway = Gateway::with(CONNECTIONS, |settings| {
        settings.gateway.ocim_gateway_source_connections = 2;
        settings.gateway.ocim_gateway_trusted_proxies = vec!["127.0.0.5".into()];
    })
    .await;
    let slow = |visitor: &str| {
        format!("GET /slow HTTP/1.1\r\nHost: echo.localhost\r\nX-Forwarded-For: {visitor}\r\n\r\n").into_bytes()
    };
    let requests =
        [slow("203.0.113.7"), slow("203.0.113.7"), slow("203.0.113.7"), slow("203.0.113.8"), slow("203.0.113.9")];
    let answers = futures::future::join_all(requests.iter().map(|request| gateway.send("127.0.0.5", request))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answers| answers[0].status).collect();
    statuses[..3].sort_unstable();
    assert_eq!(statuses, [200, 200, 429, 200, 200]);
}
