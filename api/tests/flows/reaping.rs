//! Orphaned and missing machines: when something is done about them, what, and what is never done.

use ocim::instances::upkeep::reaper;
use serde_json::{Value, json};
use shared_types::{Role, ServerId};

use crate::app::{TestApp, stories};

const PATH: &str = "/api/v1/servers/orphans";

async fn sweep(app: &TestApp) {
    reaper::sweep(&app.manager).await.unwrap();
}

async fn age(app: &TestApp, seconds: u32) {
    app.execute(&format!("UPDATE orphans SET first_seen = first_seen - interval '{seconds} seconds'")).await;
}

async fn report(app: &TestApp) -> Value {
    app.viewer().await.get(PATH).await.expect(200)
}

async fn server_of(app: &TestApp, app_server: i64) -> ServerId {
    ServerId(app.read_app_server(app_server).await["server"]["id"].as_i64().unwrap())
}

#[tokio::test]
async fn an_orphaned_machine_is_removed_after_its_grace_and_a_foreign_one_never() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let owned = app.running(instance).await;
    let ended = app.running(instance).await;
    let gone = server_of(&app, ended).await;
    app.execute(&format!("UPDATE servers SET status = 'terminated' WHERE id = {}", gone.0)).await;
    app.provider.plant(ServerId(999)).unwrap();
    app.provider.plant_stranger(ServerId(999));
    app.provider.plant_stranger(ServerId(1000));
    sweep(&app).await;
    let found = report(&app).await;
    let shown: Vec<_> =
        found["items"].as_array().unwrap().iter().map(|one| (&one["server_id"], &one["app_server_id"])).collect();
    assert_eq!(shown, [(&json!(gone.0), &json!(ended)), (&json!(999), &Value::Null)]);
    age(&app, 3500).await;
    sweep(&app).await;
    assert_eq!(app.provider.machines().len(), 3, "the grace time is an hour");
    age(&app, 200).await;
    // Two workers sweep at once.
    let (one, other) = tokio::join!(reaper::sweep(&app.manager), reaper::sweep(&app.manager));
    one.unwrap();
    other.unwrap();
    sweep(&app).await;
    assert_eq!(app.provider.machines(), [server_of(&app, owned).await]);
    assert_eq!(app.provider.strangers(), [ServerId(999), ServerId(1000)]);
    assert_eq!(report(&app).await["items"], json!([]));
    assert!(app.log_says(ended, "which had no owner, was deleted").await);
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'remove_orphans' AND actor = 'reaper'";
    assert!(app.number(audited).await >= 1);
    app.end().await;
}

#[tokio::test]
async fn a_missing_machine_counts_as_lost_after_two_sweeps_a_minute_apart() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let lost = app.running(instance).await;
    let other = app.running(instance).await;
    app.provider.lose(server_of(&app, lost).await);
    sweep(&app).await;
    let found = report(&app).await;
    assert_eq!(
        (&found["items"][0]["kind"], &found["items"][0]["action"], &found["items"][0]["app_server_id"]),
        (&json!("missing"), &json!("the record will be closed"), &json!(lost))
    );
    assert_eq!(app.number("SELECT count(*) AS n FROM servers WHERE missing_since IS NOT NULL").await, 1);
    sweep(&app).await;
    assert_eq!(app.read_app_server(lost).await["server"]["status"], "ready", "seen twice, but not a minute apart");
    age(&app, 60).await;
    sweep(&app).await;
    let off = app.read_app_server(lost).await;
    assert_eq!(
        (&off["status"], &off["server"]["status"], &off["has_machine"]),
        (&json!("terminated"), &json!("terminated"), &json!(false))
    );
    let log = app.viewer().await.get(&format!("/api/v1/app-servers/{lost}/logs?level=ERROR")).await.expect(200);
    assert!(log["items"][0]["text"].as_str().unwrap().contains("is missing since"), "{log:#}");
    assert_eq!(app.read_app_server(other).await["status"], "running");
    assert_eq!(report(&app).await["items"], json!([]));
    app.end().await;
}

#[tokio::test]
async fn a_machine_that_reappears_is_not_reported_any_more() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.running(instance).await;
    let server = server_of(&app, id).await;
    app.provider.lose(server);
    sweep(&app).await;
    app.provider.plant(server).unwrap();
    age(&app, 120).await;
    sweep(&app).await;
    assert_eq!(app.read_app_server(id).await["server"]["status"], "ready");
    assert_eq!(app.number("SELECT count(*) AS n FROM servers WHERE missing_since IS NOT NULL").await, 0);
    assert_eq!(report(&app).await["items"], json!([]));
    app.end().await;
}

#[tokio::test]
async fn the_active_app_server_stays_active_without_its_machine() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let active = app.running(instance).await;
    app.activate(active).await.expect(200);
    let other = app.running(instance).await;
    let server = server_of(&app, active).await;
    app.provider.lose(server);
    app.sites[0].set_healthy(false);
    sweep(&app).await;
    age(&app, 60).await;
    sweep(&app).await;
    let seen = app.read_app_server(active).await;
    assert_eq!(
        (&seen["status"], &seen["serving"], &seen["has_machine"], &seen["server"]["status"]),
        (&json!("running"), &json!("active"), &json!(false), &json!("terminated"))
    );
    assert_eq!(seen["checks"]["items"][0]["is_ok"], false);
    // If the machine reappears, it is kept while its app server is active.
    app.provider.plant(server).unwrap();
    sweep(&app).await;
    age(&app, 4000).await;
    sweep(&app).await;
    assert!(app.provider.machines().contains(&server));
    assert_eq!(report(&app).await["items"][0]["action"], "nothing, as long as its app server is active");
    // After another activation the app server has no machine, and is no fallback.
    assert_eq!(stories::activate(&app.operator().await, other, json!({})).await.status, 200);
    sweep(&app).await;
    let left = app.read_app_server(active).await;
    assert_eq!((&left["status"], &left["serving"] != "fallback"), (&json!("terminated"), true));
    app.end().await;
}

#[tokio::test]
async fn nothing_is_reconciled_if_the_provider_fails_or_lists_no_machine() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.provider.lose(server_of(&app, id).await);
    app.provider.plant(ServerId(999)).unwrap();
    sweep(&app).await;
    age(&app, 7200).await;
    app.provider.set_away(true);
    sweep(&app).await;
    let admin = app.person(Role::Admin).await;
    let asked = admin.post(PATH, json!({})).await.expect(200);
    assert_eq!((&asked["done"], asked["items"].as_array().unwrap().len()), (&json!([]), 2));
    assert_eq!(asked["note"], "the provider does not answer (the provider does not answer): nothing is done");
    app.provider.set_away(false);
    assert_eq!(app.provider.machines(), [ServerId(999)]);

    app.provider.set_lists_nothing(true);
    sweep(&app).await;
    assert_eq!(app.read_app_server(id).await["server"]["status"], "unknown");
    let note = report(&app).await["note"].as_str().unwrap().to_owned();
    assert!(note.contains("lists no machine, and 1 are expected: nothing is done by itself"), "{note}");
    let asked = admin.post(PATH, json!({})).await.expect(200);
    assert_eq!(asked["done"].as_array().unwrap().len(), 1, "a person decides: {asked:#}");
    assert_eq!(app.read_app_server(id).await["server"]["status"], "terminated");
    app.end().await;
}

#[tokio::test]
async fn an_unlisted_machine_is_looked_up_before_it_counts_as_missing() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.running(instance).await;
    app.provider.set_lists_nothing(true);
    sweep(&app).await;
    assert_eq!(report(&app).await["items"], json!([]), "the provider finds it");
    app.end().await;
}

#[tokio::test]
async fn what_machines_that_are_gone_have_left_is_released_when_the_provider_lists_its_machines() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.running(instance).await;
    app.provider.leave("floating address 192.0.2.40, whose server 9 is gone, was released");
    app.provider.set_lists_nothing(true);
    sweep(&app).await;
    assert_eq!(app.provider.leftovers(), 1, "a list that lacks an expected machine is not believed");
    app.provider.set_lists_nothing(false);
    let admin = app.person(Role::Admin).await;
    let done = admin.post(PATH, json!({})).await.expect(200)["done"].clone();
    assert_eq!(done, json!(["floating address 192.0.2.40, whose server 9 is gone, was released"]));
    let audited =
        "SELECT count(*) AS n FROM audit_log WHERE action = 'remove_orphans' AND detail::text LIKE '%192.0.2.40%'";
    assert_eq!(app.number(audited).await, 1);
    app.end().await;
}
