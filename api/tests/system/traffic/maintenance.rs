//! The maintenance page: every visitor gets its text, ocim's own questions reach the app server, and both ways of the switch lose
//! nothing.

use ocim::config::gateway::Scheme;
use ocim::routing::traffic::{Question, Route, Traffic};
use shared_types::https::HttpsPolicy;

use super::Gateway;

const GET: &[u8] = b"GET /courses?x=1 HTTP/1.1\r\nHost: echo.localhost\r\n\r\n";

impl Gateway {
    /// Puts the page of `echo.localhost` up with this text, or takes it down.
    async fn maintain(&self, notice: Option<&str>) {
        let route = Route {
            hostname: "echo.localhost".to_owned(),
            target: Some(self.application.address),
            notice: notice.map(str::to_owned),
            scheme: Scheme::Http,
            https: HttpsPolicy::Optional,
            previews: Vec::new(),
        };
        self.inner.apply(&[route]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_get_the_text_and_questions_reach_the_app_server() {
    let gateway = Gateway::start().await;
    assert_eq!(gateway.send("127.0.0.1", GET).await[0].status, 200);
    gateway.maintain(Some("Back at 5; <script>\"soon\"</script> 100% %[src] \\ 🙂\nSecond line")).await;
    gateway.application.forget();
    for request in [GET, b"POST / HTTP/1.1\r\nHost: echo.localhost\r\nContent-Length: 2\r\n\r\nhi"] {
        let answer = gateway.send("127.0.0.1", request).await.remove(0);
        let head = answer.head.to_lowercase();
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(head.contains("retry-after: 120") && head.contains("cache-control: no-store"), "{head}");
        let text = "<p>Back at 5; &lt;script&gt;&quot;soon&quot;&lt;/script&gt; 100% %[src] \\ 🙂<br>Second line</p>";
        assert!(answer.body.contains(text), "{}", answer.body);
        assert!(answer.body.contains("min-height: 100vh") && !answer.body.contains("%%"), "the styles are whole");
    }
    assert!(gateway.application.requests().is_empty(), "no visitor reaches the app server");
    let secure = gateway.send("127.0.0.1", b"GET / HTTP/1.1\r\nHost: secure.localhost\r\n\r\n").await.remove(0);
    assert_eq!(secure.status, 200, "the other instances are served");
    let question = Question::status("echo.localhost", "/");
    assert_eq!(gateway.inner.ask(gateway.application.address, &question).await.unwrap().status, 200);
    gateway.maintain(None).await;
    assert_eq!(gateway.send("127.0.0.1", GET).await[0].status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_text_fits_and_a_restart_of_the_gateway_keeps_it() {
    let gateway = Gateway::start().await;
    let text = "\"".repeat(500);
    gateway.maintain(Some(&text)).await;
    let page = async || gateway.send("127.0.0.1", GET).await.remove(0);
    let expected = "&quot;".repeat(500);
    assert!(page().await.body.contains(&expected));
    gateway.crash_and_come_back().await;
    assert!(page().await.body.contains(&expected));
}
