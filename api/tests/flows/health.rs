//! The health of instances: whether their sites work, in the list, the instance and the app server.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use diesel_async::SimpleAsyncConnection;
use ocim::instances::Options;
use ocim::instances::Pace;
use ocim::instances::health::{stale, watch};
use ocim::instances::upkeep::reaper;
use serde_json::{Value, json};
use shared_types::ServerId;

use crate::app::{Setup, TestApp, copies, until};

const CHANGES: &str = "SELECT count(*) AS n FROM instance_health_changes WHERE instance_id IS NOT NULL";
const EVENTS: &str = "SELECT count(*) AS n FROM events WHERE kind = 'HealthChanged'";

fn often(options: &mut Options) {
    options.pace = Pace { interval: Duration::from_millis(800), recheck: Duration::from_millis(300) };
}

async fn app() -> TestApp {
    TestApp::with(Setup { options: often, ..Setup::default() }).await
}

/// A new instance with an active app server.
async fn active(app: &TestApp, sub_domain: &str) -> (i64, i64) {
    let instance = app.instance(sub_domain).await;
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    (instance, id)
}

/// The health of an instance; asserts that list, instance and app server agree.
async fn health(app: &TestApp, instance: i64) -> Value {
    let (list, whole) =
        (app.viewer().await.get("/api/v1/instances?limit=500").await.expect(200), app.read_instance(instance).await);
    let one = list["items"].as_array().unwrap().iter().find(|one| one["id"] == instance).unwrap();
    match whole["active_appserver"]["id"].as_i64() {
        Some(id) if one["health"]["state"] == whole["health"]["state"] => {
            let shown = app.read_app_server(id).await;
            if shown["health"]["state"] == one["health"]["state"] { one["health"].clone() } else { Value::Null }
        }
        _ => one["health"].clone(),
    }
}

async fn becomes(app: &TestApp, instance: i64, state: &str, failing: &[&str]) {
    until(&format!("instance {instance} is {state}"), async || {
        let health = health(app, instance).await;
        health["state"] == state && health["failing"] == json!(failing)
    })
    .await;
}

async fn system_part(app: &TestApp) -> Value {
    let system = app.viewer().await.get("/api/v1/system").await.expect(200);
    system["checks"].as_array().unwrap().iter().find(|check| check["name"] == "checks").unwrap().clone()
}

#[tokio::test]
async fn health_follows_failing_and_recovering_sites() {
    let app = app().await;
    let unused = app.instance("unused").await;
    let (instance, id) = active(&app, "demo").await;
    becomes(&app, instance, "ok", &[]).await;
    assert_eq!(health(&app, unused).await, Value::Null, "nothing is active");
    let site = &app.sites[0];
    site.set_healthy(false);
    becomes(&app, instance, "down", &["lms", "studio"]).await;
    site.set_healthy(true);
    becomes(&app, instance, "ok", &[]).await;
    site.set_studio_ill(true);
    becomes(&app, instance, "degraded", &["studio"]).await;
    let checks = app.read_app_server(id).await["checks"]["items"].clone();
    assert_eq!((&checks[0]["is_ok"], &checks[1]["is_ok"]), (&json!(true), &json!(false)), "{checks}");
    site.set_studio_ill(false);
    becomes(&app, instance, "ok", &[]).await;
    let states =
        "SELECT string_agg(state, ' ' ORDER BY id) AS text FROM instance_health_changes WHERE instance_id IS NOT NULL";
    assert_eq!(app.text(states).await, "ok down ok degraded ok");
    // An app server that is not active has no health.
    let other = app.running(instance).await;
    app.activate(other).await.expect(200);
    assert_eq!(app.read_app_server(id).await["health"], Value::Null);
    app.operator().await.delete(&format!("/api/v1/instances/{instance}?terminate=true")).await.expect(200);
    assert_eq!(app.read_instance(instance).await["health"], Value::Null, "it is archived");
    assert_eq!(app.number("SELECT health_rank::bigint AS n FROM instances WHERE name = 'Instance demo'").await, 0);
    app.end().await;
}

#[tokio::test]
async fn checks_that_find_nothing_new_write_neither_rows_nor_events() {
    let app = app().await;
    let (instance, id) = active(&app, "demo").await;
    becomes(&app, instance, "ok", &[]).await;
    let before = app.sites[0].asked().len();
    let written = "SELECT extract(epoch FROM max(checked_at))::bigint + count(*) AS n FROM app_server_checks";
    let made = "SELECT count(*) AS n FROM events WHERE kind = 'ChecksMade'";
    let seen = async || (app.number(written).await, app.number(made).await, app.number(EVENTS).await);
    let (counts, checked) = (seen().await, app.read_app_server(id).await["checks"]["items"][0]["checked_at"].clone());
    until("the site was checked three times more", async || app.sites[0].asked().len() >= before + 8).await;
    assert_eq!(seen().await, counts);
    until("the time of the last check is shown", async || {
        let check = app.read_app_server(id).await["checks"]["items"][0].clone();
        check["checked_at"].as_str() > checked.as_str() && check["detail"] == "200"
    })
    .await;
    app.end().await;
}

#[tokio::test]
async fn an_instance_without_its_machine_is_down_at_once() {
    let app = app().await;
    let (instance, id) = active(&app, "demo").await;
    // The sweep ignores a provider that lists no machine, so there is another one.
    app.running(instance).await;
    becomes(&app, instance, "ok", &[]).await;
    let server = app.read_app_server(id).await["server"]["id"].as_i64().unwrap();
    app.provider.lose(ServerId(server));
    reaper::sweep(&app.manager).await.unwrap();
    app.execute("UPDATE orphans SET first_seen = first_seen - interval '60 seconds'").await;
    reaper::sweep(&app.manager).await.unwrap();
    // A web server still answers at the address, as another machine's might; that must not count.
    assert_eq!(health(&app, instance).await["state"], "down");
    assert_eq!(app.read_app_server(id).await["checks"]["items"][0]["detail"], "its machine is gone");
    app.end().await;
}

#[tokio::test]
async fn without_the_gateway_every_health_is_unknown_and_no_instance_changes() {
    let app = app().await;
    let (well, _) = active(&app, "well").await;
    let (ill, _) = active(&app, "ill").await;
    app.sites[1].set_healthy(false);
    becomes(&app, well, "ok", &[]).await;
    becomes(&app, ill, "down", &["lms", "studio"]).await;
    let changes = app.number(CHANGES).await;
    let part = system_part(&app).await;
    assert_eq!((&part["is_ok"], &part["since"]), (&json!(true), &Value::Null), "{part}");
    app.traffic.set_away(true);
    becomes(&app, well, "unknown", &[]).await;
    becomes(&app, ill, "unknown", &[]).await;
    assert!(health(&app, well).await["checked_at"].is_string());
    until("listeners got an event", async || {
        app.number("SELECT is_told_stale::int::bigint AS n FROM health_watch").await == 1
    })
    .await;
    let told = format!("{EVENTS} AND instance_id IS NULL");
    assert!(app.number(&told).await >= 1);
    assert_eq!(app.number(CHANGES).await, changes, "no instance has changed");
    until("the system says why", async || {
        let part = system_part(&app).await;
        part["is_ok"] == false && part["last_error"].as_str().is_some_and(|words| words.contains("the gateway is away"))
    })
    .await;
    assert!(system_part(&app).await["since"].is_string());
    app.traffic.set_away(false);
    becomes(&app, well, "ok", &[]).await;
    becomes(&app, ill, "down", &["lms", "studio"]).await;
    assert_eq!(app.number(CHANGES).await, changes, "it comes back as it was");
    let whole =
        "SELECT string_agg(state, ' ' ORDER BY id) AS text FROM instance_health_changes WHERE instance_id IS NULL";
    assert_eq!(app.text(whole).await, "unknown ok");
    app.end().await;
}

#[tokio::test]
async fn a_gateway_that_hangs_makes_no_site_fail() {
    let app = app().await;
    let (instance, _) = active(&app, "demo").await;
    becomes(&app, instance, "ok", &[]).await;
    // The checks time out, and the gateway does not answer its own status request either.
    app.sites[0].set_healthy(false);
    app.traffic.fail_next(u32::MAX);
    becomes(&app, instance, "unknown", &[]).await;
    assert_eq!(app.number(&format!("{CHANGES} AND state = 'down'")).await, 0);
    app.traffic.fail_next(0);
    becomes(&app, instance, "down", &["lms", "studio"]).await;
    app.end().await;
}

#[tokio::test]
async fn without_any_process_that_checks_health_is_unknown_where_it_is_read() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.operator().await.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.expect(202);
    stale::beat(&app.manager).await.unwrap();
    assert_eq!(health(&app, instance).await["state"], "ok", "the checks of the activation are the first results");
    app.execute("UPDATE health_watch SET fresh_until = now() - interval '1 second'").await;
    let shown = health(&app, instance).await;
    assert_eq!((&shown["state"], &shown["failing"]), (&json!("unknown"), &json!([])));
    let events = app.number(EVENTS).await;
    // Two processes notice the stale checks.
    let (one, other) = tokio::join!(stale::tell_stale(&app.manager), stale::tell_stale(&app.manager));
    one.and(other).unwrap();
    assert_eq!(app.number(EVENTS).await, events + 1);
    app.end().await;
}

#[tokio::test]
async fn a_forced_activation_of_an_unhealthy_app_server_is_down_at_once() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let (path, operator) = (format!("/api/v1/app-servers/{id}/activate"), app.operator().await);
    stale::beat(&app.manager).await.unwrap();
    app.sites[0].set_studio_ill(true);
    operator.post(&path, json!({})).await.problem(409);
    operator.post(&path, json!({ "force": true, "reason": "exam" })).await.expect(202);
    let shown = health(&app, instance).await;
    assert_eq!((&shown["state"], &shown["failing"]), (&json!("degraded"), &json!(["studio"])));
    app.end().await;
    // If there was no check before the activation, the first check decides.
    let app = self::app().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.execute("UPDATE app_server_checks SET checked_at = now() - interval '1 hour'").await;
    app.sites[0].set_healthy(false);
    crate::app::stories::activate(&app.operator().await, id, json!({ "force": true, "reason": "exam" }))
        .await
        .expect(200);
    becomes(&app, instance, "down", &["lms", "studio"]).await;
    let states =
        "SELECT string_agg(state, ' ' ORDER BY id) AS text FROM instance_health_changes WHERE instance_id IS NOT NULL";
    assert_eq!(app.text(states).await, "down", "it was never green");
    app.end().await;
}

#[tokio::test]
async fn health_begins_anew_with_each_activation() {
    let app = app().await;
    let (instance, first) = active(&app, "demo").await;
    let second = app.running(instance).await;
    app.sites[0].set_healthy(false);
    becomes(&app, instance, "down", &["lms", "studio"]).await;
    app.activate(second).await.expect(200);
    assert_eq!(health(&app, instance).await["state"], "ok");
    let since = |shown: &Value| shown["since"].as_str().unwrap().to_owned();
    let activated =
        "SELECT to_char(max(activated_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') AS text FROM activations";
    assert!(since(&health(&app, instance).await).starts_with(&app.text(activated).await));
    let rollback = json!({ "force": true, "reason": "back", "app_server_id": first });
    app.operator().await.post(&format!("/api/v1/instances/{instance}/rollback"), rollback).await;
    becomes(&app, instance, "down", &["lms", "studio"]).await;
    app.end().await;
}

#[tokio::test]
async fn dead_hosts_do_not_delay_the_check_of_others() {
    let app = TestApp::with(Setup { options: often, ..Setup::default() }).await;
    let (instance, _) = active(&app, "demo").await;
    becomes(&app, instance, "ok", &[]).await;
    // The kernel accepts connections to these hosts; no process answers.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut conn = app.conn().await;
    for statement in copies::of_the_first(65) {
        conn.batch_execute(&statement).await.unwrap();
    }
    drop(conn);
    app.execute(&format!("UPDATE servers SET http_address = '{}' WHERE name LIKE 's%'", dead.local_addr().unwrap()))
        .await;
    let down = "SELECT count(*) AS n FROM instance_health WHERE state = 'down'";
    until("the dead hosts are down", async || app.number(down).await == 64).await;
    app.sites[0].set_healthy(false);
    let began = Instant::now();
    becomes(&app, instance, "down", &["lms", "studio"]).await;
    assert!(began.elapsed() < Duration::from_secs(4), "took {:?}", began.elapsed());
    app.sites[0].set_healthy(true);
    becomes(&app, instance, "ok", &[]).await;
    app.end().await;
}

#[tokio::test]
async fn two_watches_at_once_write_each_change_once() {
    let app = app().await;
    let (instance, _) = active(&app, "demo").await;
    let manager = app.manager.clone();
    let signals = app.bus.subscribe();
    let second = tokio::spawn(async move { watch::watch(&manager, signals).await });
    becomes(&app, instance, "ok", &[]).await;
    for _ in 0..3 {
        app.sites[0].set_healthy(false);
        becomes(&app, instance, "down", &["lms", "studio"]).await;
        app.sites[0].set_healthy(true);
        becomes(&app, instance, "ok", &[]).await;
    }
    second.abort();
    assert_eq!(app.number(&format!("{CHANGES} AND state = 'down'")).await, 3);
    app.end().await;
}
