//! What each machine is needed for, and when it ends.

use std::collections::BTreeMap;

use ocim::instances::traffic::{activate, apply_routing};
use ocim::instances::upkeep::retention;
use ocim::machines::provider::{Endpoint, Machine, MachineState, MadeFrom};
use ocim::machines::store;
use ocim::platform::origin::Actor;
use serde_json::{Value, json};
use shared_types::{AppServerId, ServerId};

use crate::app::TestApp;

/// Each machine's role, by the id of its app server.
async fn roles(app: &TestApp) -> BTreeMap<i64, String> {
    let page = app.viewer().await.get("/api/v1/servers").await.expect(200);
    let role = |one: &Value| (one["app_server_id"].as_i64().unwrap(), one["role"].as_str().unwrap().to_owned());
    page["items"].as_array().unwrap().iter().map(role).collect()
}

/// The app servers of the machines that a query finds, the oldest first.
async fn found(app: &TestApp, query: &str) -> Vec<i64> {
    let page = app.viewer().await.get(&format!("/api/v1/servers?sort=created&{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|one| one["app_server_id"].as_i64().unwrap()).collect()
}

async fn machine(app: &TestApp, app_server: i64) -> Value {
    let id = &app.read_app_server(app_server).await["server"]["id"];
    app.viewer().await.get(&format!("/api/v1/servers/{id}")).await.expect(200)
}

/// The app servers whose machines retention ends.
async fn expiring(app: &TestApp) -> Vec<i64> {
    retention::mark(&app.manager).await.unwrap();
    let page = app.viewer().await.get("/api/v1/retention").await.expect(200);
    let mut ids: Vec<i64> =
        page["items"].as_array().unwrap().iter().map(|one| one["app_server_id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_machine_has_the_role_that_retention_keeps_it_for() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let (a, b, c) = (app.running(instance).await, app.running(instance).await, app.running(instance).await);
    let named =
        |all: &[(i64, &str)]| all.iter().map(|(id, role)| (*id, (*role).to_owned())).collect::<BTreeMap<_, _>>();
    assert_eq!(roles(&app).await, named(&[(a, "unneeded"), (b, "unneeded"), (c, "newest")]));
    assert_eq!(found(&app, "role=unneeded").await, expiring(&app).await);
    for id in [a, b, c] {
        let (by, request) = (Actor::User("test".to_owned()), activate::Request::default());
        activate::activate(&app.manager, &by, AppServerId(id), request).await.unwrap();
        apply_routing::apply_all(&app.manager).await.unwrap();
    }
    assert_eq!(roles(&app).await, named(&[(a, "draining"), (b, "fallback"), (c, "active")]));
    assert_eq!(found(&app, "role=unneeded").await, expiring(&app).await);
    app.execute("UPDATE activations SET drained_at = now()").await;
    let d = app.running(instance).await;
    app.ansible.next_run_fails("role : task", "no");
    let e = app.built(instance).await["id"].as_i64().unwrap();
    let f = app.launched(instance).await;
    app.operator().await.put(&format!("/api/v1/app-servers/{d}/pin"), json!({})).await.expect(200);
    app.operator().await.put(&format!("/api/v1/app-servers/{c}/pin"), json!({})).await.expect(200);
    assert_eq!(
        roles(&app).await,
        named(&[(a, "unneeded"), (b, "fallback"), (c, "active"), (d, "pinned"), (e, "unneeded"), (f, "building")])
    );
    assert_eq!(found(&app, "role=unneeded").await, expiring(&app).await);
    assert_eq!(
        found(&app, "role=unneeded").await,
        [a, e],
        "the set is not empty, so that the comparison says something"
    );
    assert_eq!(
        (&machine(&app, c).await["role"], &machine(&app, c).await["is_pinned"]),
        (&json!("active"), &json!(true))
    );
    app.execute("UPDATE instances SET active_app_server_id = NULL, archived_at = now(), archived_by = 'test'").await;
    assert_eq!(found(&app, "role=unneeded").await, expiring(&app).await, "an archived instance needs none");
    assert_eq!(found(&app, "role=unneeded").await, [a, b, c, d, e]);
    app.end().await;
}

#[tokio::test]
async fn a_machine_says_when_it_ends_and_who_ended_it() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let (old, newest) = (app.running(instance).await, app.running(instance).await);
    assert_eq!(expiring(&app).await, [old]);
    let ending = machine(&app, old).await;
    assert_eq!(ending["ends_at"], app.read_app_server(old).await["terminates_at"]);
    assert!(ending["ends_at"].is_string() && ending["unneeded_since"].is_string(), "{ending}");
    assert_eq!(found(&app, "ending=true").await, [old]);
    assert_eq!(found(&app, "ending=false").await, [newest]);
    assert_eq!(machine(&app, newest).await["ends_at"], Value::Null);

    app.operator().await.post(&format!("/api/v1/app-servers/{newest}/terminate"), json!({})).await.expect(202);
    let ended = machine(&app, newest).await;
    assert_eq!(ended["role"], "ending", "no worker has deleted it yet");
    assert!(ended["termination_requested_at"].is_string(), "{ended}");
    assert!(ended["termination_requested_by"].as_str().unwrap().starts_with("operator"), "{ended}");
    assert_eq!(found(&app, "ending=true").await, [old, newest]);
    app.execute(&format!("UPDATE servers SET status = 'terminated' WHERE id = {}", ended["id"])).await;
    assert_eq!(machine(&app, newest).await["role"], "ended");
    assert_eq!(found(&app, "ending=true").await, [old]);
    assert_eq!(found(&app, "exists=false").await, [newest]);
    app.end().await;
}

#[tokio::test]
async fn what_a_machine_was_made_from_is_kept_when_a_later_answer_does_not_say_it() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.execute("UPDATE servers SET image = 'ubuntu-24.04', flavor = NULL").await;
    let (ssh, http) = ("192.0.2.1:22".parse().unwrap(), "127.0.0.1:80".parse().unwrap());
    let found = Machine {
        provider_id: "fake-1".to_owned(),
        state: MachineState::Active,
        endpoint: Some(Endpoint { public_ip: "192.0.2.1".parse().unwrap(), ssh, http }),
        host_key: None,
        made_from: MadeFrom { image: Some("4f1a9c".to_owned()), flavor: Some(format!("  m1.{}", "x".repeat(300))) },
    };
    store::keep_machine(&mut *app.conn().await, ServerId(1), &found).await.unwrap();
    store::keep_machine(&mut *app.conn().await, ServerId(1), &Machine { made_from: MadeFrom::default(), ..found })
        .await
        .unwrap();
    let kept = machine(&app, id).await;
    assert_eq!(kept["image"], "ubuntu-24.04", "the first answer counts");
    assert_eq!(kept["flavor"].as_str().unwrap().len(), 255, "cut off where the column ends");
    app.end().await;
}
