//! The state of each configured part.

use std::time::Duration;

use ocim::config::Settings;
use ocim::platform::mail::MailError;
use serde_json::{Value, json};

use crate::app::{Setup, TestApp, until};

fn part<'a>(system: &'a Value, name: &str) -> &'a Value {
    let checks = system["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {system:#}"))
}

#[tokio::test]
async fn a_viewer_reads_whether_each_part_answers() {
    let app = TestApp::start().await;
    let fresh = "SELECT count(*) AS n FROM health_watch WHERE fresh_until > now()";
    until("the watch has shown that it checks", async || app.number(fresh).await == 1).await;
    let system = app.viewer().await.get("/api/v1/system").await.expect(200);
    assert_eq!(system["version"], env!("CARGO_PKG_VERSION"));
    let found: Vec<(&str, bool, Option<bool>)> = system["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            assert_eq!(check["is_ok"].is_null(), check["checked_at"].is_null(), "{check}");
            assert_eq!(check["last_error"], Value::Null, "{check}");
            (check["name"].as_str().unwrap(), check["is_configured"].as_bool().unwrap(), check["is_ok"].as_bool())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("database", true, Some(true)),
            ("provider", true, Some(true)),
            ("gateway", true, Some(true)),
            ("worker", true, Some(true)),
            ("checks", true, Some(true)),
            ("mail", true, Some(true)),
            ("secret_keys", true, None),
            ("github", false, None),
            ("oidc", false, None),
            ("databases", false, None),
            ("dns", false, None),
        ]
    );
    assert_eq!(part(&system, "provider")["detail"], "fake");
    assert_eq!(part(&system, "secret_keys")["detail"], "test; the first one encrypts");
    assert!(!system.to_string().contains("postgres://") && !system.to_string().contains("0000000000"), "no secret");
    app.end().await;
}

#[tokio::test]
async fn a_viewer_reads_which_settings_open_a_wall() {
    // The tests' program has no rate limits.
    let app = TestApp::idle().await;
    let system = app.viewer().await.get("/api/v1/system").await.expect(200);
    let opened: Vec<_> = system["opened_walls"].as_array().unwrap().iter().map(|wall| &wall["setting"]).collect();
    assert_eq!(opened, ["OCIM_PRINCIPAL_RATE", "OCIM_ADDRESS_RATE"]);
    assert!(system["opened_walls"][0]["effect"].as_str().is_some_and(|effect| effect.ends_with('.')), "{system}");
    app.end().await;
    let limits = |settings: &mut Settings| {
        (settings.guard.ocim_principal_rate, settings.guard.ocim_address_rate) = (100_000, 100_000);
    };
    let app = TestApp::with(Setup { works: false, guard: limits, ..Setup::default() }).await;
    let system = app.viewer().await.get("/api/v1/system").await.expect(200);
    assert_eq!(system["opened_walls"], json!([]));
    app.end().await;
}

#[tokio::test]
async fn failed_parts_are_shown_without_addresses_and_cached_for_a_moment() {
    let app = TestApp::idle().await;
    app.provider.set_away(true);
    app.traffic.fail_next(1);
    app.mailer.next_fails(MailError::Away("connect to mail.internal.example:25 failed".into()));
    let viewer = app.viewer().await;
    let system = viewer.get("/api/v1/system").await.expect(200);
    for name in ["provider", "gateway", "mail", "worker", "checks"] {
        let check = part(&system, name);
        assert_eq!(check["is_ok"], json!(false), "{check}");
        assert!(check["since"].is_string(), "{check}");
        assert!(check["last_error"].as_str().is_some_and(|error| !error.is_empty()), "{check}");
    }
    assert_eq!(part(&system, "mail")["last_error"], "connect to … failed");
    app.provider.set_away(false);
    assert_eq!(viewer.get("/api/v1/system").await.expect(200), system, "it is remembered for ten seconds");
    app.end().await;
}

#[tokio::test]
async fn a_hanging_part_costs_two_seconds_and_missing_parts_are_not_checked() {
    let app = TestApp::with(Setup { works: false, mailer: Some(None), ..Setup::default() }).await;
    let viewer = app.viewer().await;
    let mut conn = app.db.dedicated().await.unwrap();
    // The lock blocks every read of instances.
    let locked = "BEGIN; LOCK TABLE instances IN ACCESS EXCLUSIVE MODE";
    diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, locked).await.unwrap();
    let began = std::time::Instant::now();
    let (one, other) = tokio::join!(viewer.get("/api/v1/system"), viewer.get("/api/v1/system"));
    assert!(began.elapsed() < Duration::from_secs(4), "took {:?}", began.elapsed());
    let system = one.expect(200);
    assert_eq!(system, other.expect(200));
    assert_eq!(part(&system, "database")["last_error"], "no answer within 2 s");
    assert_eq!(part(&system, "mail")["is_configured"], json!(false));
    assert_eq!(part(&system, "mail")["is_ok"], Value::Null);
    drop(conn);
    app.end().await;
}
