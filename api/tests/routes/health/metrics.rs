//! The metrics for Prometheus: complete, correct, bounded, documented, and protected.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Method;

use crate::app::{Answer, Client, Setup, TestApp, until};

/// The metrics as read from this host.
async fn scrape(app: &TestApp) -> String {
    let answer = app.anonymous().get("/metrics").await;
    answer.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    answer.body
}

/// The value of a metric, given with its labels as in the text.
fn value(text: &str, figure: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}

fn names(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).map(str::to_owned).collect()
}

#[tokio::test]
async fn metrics_show_the_state_of_the_installation() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let archived = app.instance("other").await;
    app.execute(&format!("UPDATE instances SET archived_at = now(), archived_by = 'x' WHERE id = {archived}")).await;
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    let fresh = "SELECT count(*) AS n FROM health_watch WHERE fresh_until > now()";
    until("the watch has shown that it checks", async || app.number(fresh).await == 1).await;
    until("the worker has shown that it lives", async || value(&scrape(&app).await, "ocim_workers") == Some(1.0)).await;
    let text = scrape(&app).await;
    let expected = [
        ("ocim_up_database", 1.0),
        ("ocim_builds{status=\"running\"}", 1.0),
        ("ocim_builds{status=\"failed\"}", 0.0),
        ("ocim_instances{state=\"in_use\"}", 1.0),
        ("ocim_instances{state=\"archived\"}", 1.0),
        ("ocim_queue_depth", 0.0),
        ("ocim_queue_oldest_seconds", 0.0),
        ("ocim_worker_slots", 4.0),
        ("ocim_leases_expired", 0.0),
        ("ocim_routing_behind", 0.0),
        ("ocim_jobs_failed", 0.0),
        ("ocim_instances_health{state=\"ok\"}", 1.0),
        ("ocim_instances_health{state=\"unknown\"}", 0.0),
        ("ocim_instances_health{state=\"degraded\"}", 0.0),
        ("ocim_instances_health{state=\"down\"}", 0.0),
        ("ocim_checks_stale_seconds", 0.0),
        ("ocim_outbox_waiting", 0.0),
        ("ocim_outbox_given_up", 0.0),
        ("ocim_streams_open", 0.0),
    ];
    for (figure, is) in expected {
        assert_eq!(value(&text, figure), Some(is), "{figure} in\n{text}");
    }
    let activations =
        "ocim_http_requests_total{method=\"POST\",route=\"/api/v1/app-servers/{id}/activate\",status=\"200\"}";
    assert!(value(&text, activations).unwrap() >= 1.0);
    assert!(value(&text, "ocim_log_lag_seconds_count").unwrap() >= 1.0, "a playbook has printed");
    assert!(value(&text, "ocim_database_pool_size").unwrap() >= 1.0);
    app.end().await;
}

#[tokio::test]
async fn metrics_count_waiting_late_and_abandoned_jobs() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    for _ in 0..3 {
        app.launched(instance).await;
    }
    app.execute("ALTER TABLE app_servers DISABLE TRIGGER USER").await;
    app.execute("UPDATE app_servers SET created = now() - interval '1000 seconds' WHERE id = 1").await;
    let hold = |id: i64, until: &str| {
        format!(
            "UPDATE builds SET begun_at = now(), lease_holder = 'x', lease_until = now() + '{until}' WHERE app_server_id = {id}"
        )
    };
    app.execute(&hold(2, "10 seconds")).await;
    app.execute(&hold(3, "-70 seconds")).await;
    app.execute("UPDATE instances SET routing_generation = routing_generation + 1").await;
    app.execute(
        "INSERT INTO activations (instance_id, app_server_id, generation, activated_by, activated_at) \
         VALUES (1, 1, 1, 'x', now() - interval '40 seconds')",
    )
    .await;
    let waiting = value(&scrape(&app).await, "ocim_jobs_waiting").unwrap();
    assert!(waiting >= 3.0, "{waiting}");
    app.execute("UPDATE graphile_worker._private_jobs SET attempts = max_attempts WHERE key = 'advance_app_server:1'")
        .await;
    app.execute(
        "INSERT INTO workers (id, hostname, version, slots, is_draining, trouble, seen) VALUES \
         ('a', 'h', '0', 2, false, NULL, now()), ('b', 'h', '0', 4, true, NULL, now()), \
         ('c', 'h', '0', 8, false, 'no room', now()), ('d', 'h', '0', 16, false, NULL, now() - interval '20 seconds')",
    )
    .await;
    app.execute(
        "INSERT INTO gateways (name, token_hash, created_by, agent, seen, revision, error) VALUES \
         ('good', 'a', 'x', 'a', now(), 1, NULL), ('late', 'b', 'x', 'b', now(), 0, NULL), ('new', 'c', 'x', NULL, NULL, 0, NULL), \
         ('failing', 'd', 'x', 'd', now(), 1, 'x'), ('silent', 'e', 'x', 'e', now() - interval '16 seconds', 1, NULL)",
    )
    .await;
    let text = scrape(&app).await;
    let expected = [
        ("ocim_gateway_up{gateway=\"good\"}", 1.0),
        ("ocim_gateway_up{gateway=\"late\"}", 0.0),
        ("ocim_gateway_up{gateway=\"new\"}", 0.0),
        ("ocim_gateway_up{gateway=\"failing\"}", 0.0),
        ("ocim_gateway_up{gateway=\"silent\"}", 0.0),
        ("ocim_queue_depth", 1.0),
        ("ocim_leases_held", 1.0),
        ("ocim_leases_expired", 1.0),
        ("ocim_workers", 3.0),
        ("ocim_worker_slots", 2.0),
        ("ocim_worker_slots_in_use", 1.0),
        ("ocim_routing_behind", 1.0),
        ("ocim_jobs_waiting", waiting - 1.0),
        ("ocim_jobs_failed", 1.0),
    ];
    for (figure, is) in expected {
        assert_eq!(value(&text, figure), Some(is), "{figure} in\n{text}");
    }
    let ages = [
        ("ocim_queue_oldest_seconds", 1000.0),
        ("ocim_leases_expired_oldest_seconds", 70.0),
        ("ocim_routing_behind_oldest_seconds", 40.0),
    ];
    for (figure, least) in ages {
        let age = value(&text, figure).unwrap();
        assert!((least..least + 60.0).contains(&age), "{figure} {age}");
    }
    app.execute("UPDATE builds SET lease_holder = NULL, lease_until = NULL").await;
    app.end().await;
}

#[tokio::test]
async fn metrics_count_failing_instances_stale_checks_and_waiting_messages() {
    let app = TestApp::idle().await;
    for name in ["one", "two"] {
        let instance = app.instance(name).await;
        let id = app.running(instance).await;
        app.operator()
            .await
            .post(&format!("/api/v1/app-servers/{id}/activate"), serde_json::json!({}))
            .await
            .expect(202);
    }
    app.execute(
        "UPDATE instance_health SET state = 'down', failing = '{lms}', failing_since = now() WHERE instance_id = 1",
    )
    .await;
    app.execute("UPDATE health_watch SET fresh_until = now() + interval '1 minute'").await;
    app.execute(
        "INSERT INTO outbox (kind, payload, created, given_up_at) VALUES ('x', '{}', now() - interval '100 seconds', NULL), \
         ('x', '{}', now(), now())",
    )
    .await;
    let health = |text: &str| {
        ["ok", "unknown", "degraded", "down"]
            .map(|state| value(text, &format!("ocim_instances_health{{state=\"{state}\"}}")).unwrap())
    };
    let text = scrape(&app).await;
    assert_eq!(health(&text), [1.0, 0.0, 0.0, 1.0], "{text}");
    assert_eq!(value(&text, "ocim_outbox_waiting"), Some(1.0));
    assert_eq!(value(&text, "ocim_outbox_given_up"), Some(1.0));
    assert!(value(&text, "ocim_outbox_oldest_seconds").unwrap() >= 100.0);
    app.execute("UPDATE health_watch SET fresh_until = now() - interval '50 seconds'").await;
    let text = scrape(&app).await;
    assert_eq!(health(&text), [0.0, 2.0, 0.0, 0.0], "{text}");
    assert!((50.0..80.0).contains(&value(&text, "ocim_checks_stale_seconds").unwrap()), "{text}");
    app.end().await;
}

#[tokio::test]
async fn metrics_of_the_process_are_served_without_a_database() {
    let app = TestApp::idle().await;
    app.execute("ALTER TABLE workers RENAME TO gone").await;
    let text = scrape(&app).await;
    assert_eq!(value(&text, "ocim_up_database"), Some(0.0), "{text}");
    assert!(value(&text, "ocim_database_pool_size").is_some() && value(&text, "ocim_workers").is_none(), "{text}");
    app.end().await;
}

#[tokio::test]
async fn the_labels_of_metrics_are_bounded_for_any_request() {
    let app = TestApp::idle().await;
    let anonymous = app.anonymous();
    for path in ["/api/v1/no-such-thing", "/api/v1/instances/987654", "/api/v1/instances/secret-word?password=x"] {
        anonymous.get(path).await;
    }
    Answer::to(anonymous.request(Method::from_bytes(b"BREW").unwrap(), "/api/v1/instances")).await;
    let text = scrape(&app).await;
    for word in ["no-such-thing", "/987654", "secret-word", "password=x", "BREW"] {
        assert!(!text.contains(word), "{word} in\n{text}");
    }
    assert!(text.contains("method=\"other\",route=\"/api/v1/instances\""), "{text}");
    assert!(text.contains("route=\"/api/v1/instances/{id}\""), "{text}");
    app.end().await;
}

#[tokio::test]
async fn metrics_need_the_token_from_other_hosts() {
    let elsewhere = |client: &Client, token: Option<&str>| {
        let request = client.request(Method::GET, "/metrics").header("x-forwarded-for", "192.0.2.7");
        match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    };
    let app = TestApp::idle().await;
    let problem = Answer::to(elsewhere(&app.anonymous(), Some("s3cret"))).await.problem(403);
    assert!(problem["detail"].as_str().unwrap().contains("OCIM_METRICS_TOKEN"), "{problem}");
    app.end().await;
    let guard = |settings: &mut ocim::config::Settings| {
        settings.server.ocim_metrics_token = Some("s3cret".to_owned().into());
        settings.guard.ocim_trusted_proxies = vec!["127.0.0.1".into()];
    };
    let app = TestApp::with(Setup { works: false, guard, ..Setup::default() }).await;
    Answer::to(elsewhere(&app.anonymous(), Some("s3cret"))).await.expect(200);
    for wrong in [None, Some("s3cre"), Some("")] {
        Answer::to(elsewhere(&app.anonymous(), wrong)).await.problem(401);
    }
    app.anonymous().get("/metrics").await.expect(200);
    app.end().await;
}

fn ops(file: &str) -> String {
    let dir: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ops");
    fs::read_to_string(dir.join(file)).unwrap()
}

/// Every word with the prefix of our metrics.
fn mentioned(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.split(|c| !is_part(c)).filter(|word| word.starts_with("ocim_")).map(str::to_owned).collect()
}

#[tokio::test]
async fn documentation_rules_and_dashboard_match_the_metrics() {
    let app = TestApp::idle().await;
    app.execute("INSERT INTO gateways (name, token_hash, created_by) VALUES ('one', 'a', 'x')").await;
    // A request is counted when it is answered, so the process needs a first one.
    scrape(&app).await;
    let text = scrape(&app).await;
    let given = names(&text);
    assert!(given.len() > 20, "{given:?}");
    let page = ops("README.md");
    let documented: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.starts_with("ocim_"))
        .map(str::to_owned)
        .collect();
    assert_eq!(documented, given, "docs/ops/README.md has a row for each figure, and no other");
    let dashboard: serde_json::Value = serde_json::from_str(&ops("dashboard.json")).unwrap();
    let shown: String = dashboard["panels"].as_array().unwrap().iter().map(ToString::to_string).collect();
    let alerted: String = ops("rules.yaml").lines().filter(|line| line.trim().starts_with("expr:")).collect();
    let known = |name: &str| {
        given.contains(name)
            || ["_bucket", "_count", "_sum"].iter().any(|end| {
                name.strip_suffix(end).is_some_and(|base| text.contains(&format!("# TYPE {base} histogram")))
            })
    };
    for (file, queries, least) in [("dashboard.json", &shown, 20), ("rules.yaml", &alerted, 7)] {
        let named = mentioned(queries);
        assert!(named.len() >= least, "{file} names only {named:?}");
        for name in named {
            assert!(known(&name), "{file} names {name}, which /metrics does not give");
        }
    }
    assert_eq!(dashboard["templating"]["list"][0]["type"], "datasource");
    assert!(!shown.contains("\"uid\":\"P"), "the datasource is a variable");
    app.end().await;
}
