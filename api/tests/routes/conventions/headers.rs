use ocim::config::Settings;
use reqwest::Method;

use crate::app::{Answer, Setup, TestApp};

#[tokio::test]
async fn security_headers_are_set() {
    let app = TestApp::idle().await;
    let anonymous = app.anonymous();
    for path in ["/", "/healthz", "/api/v1/auth/me", "/api/v1/nothing", "/docs/"] {
        let answer = anonymous.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("strict-transport-security", ""),
            ("access-control-allow-origin", ""),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("object-src 'none'"), "{path}: {policy}");
        assert_eq!(policy.contains("'unsafe-inline'"), path == "/docs/", "{path}: {policy}");
        assert_eq!(answer.header("x-request-id").len(), 16);
    }
    app.end().await;
}

#[tokio::test]
async fn strict_transport_security_is_set_behind_tls() {
    let behind_tls: fn(&mut Settings) = |settings| settings.server.ocim_behind_tls = true;
    let with_hosts_below: fn(&mut Settings) = |settings| {
        settings.server.ocim_behind_tls = true;
        settings.server.ocim_hsts_subdomains = true;
    };
    for (guard, expected) in
        [(behind_tls, "max-age=31536000"), (with_hosts_below, "max-age=31536000; includeSubDomains")]
    {
        let app = TestApp::with(Setup { works: false, guard, ..Setup::default() }).await;
        let answer = app.anonymous().get("/healthz").await;
        assert_eq!(answer.header("strict-transport-security"), expected);
        app.end().await;
    }
}

#[tokio::test]
async fn cors_allows_only_the_configured_origins() {
    let app = TestApp::with(Setup {
        works: false,
        guard: |settings| settings.guard.ocim_cors_origins = vec!["https://console.example".into()],
        ..Setup::default()
    })
    .await;
    let anonymous = app.anonymous();
    for (origin, allowed) in [("https://console.example", "https://console.example"), ("https://evil.example", "")] {
        let asked = anonymous.request(Method::OPTIONS, "/api/v1/instances").header("origin", origin);
        let asked = asked.header("access-control-request-method", "POST");
        let answer = Answer::to(asked.header("access-control-request-headers", "authorization,content-type")).await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin}: {}", answer.body);
        let answer = Answer::to(anonymous.request(Method::GET, "/api/v1/instances").header("origin", origin)).await;
        assert_eq!(answer.header("access-control-allow-origin"), allowed, "{origin}: {}", answer.body);
        assert_eq!(answer.header("access-control-allow-credentials"), "");
    }
    app.end().await;
}
