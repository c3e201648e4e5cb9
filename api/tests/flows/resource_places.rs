//! Where instances have their databases: what the next app server asks for, the default of new instances, and how servers are
//! compared with our rows.

use std::sync::Arc;

use ocim::resources::names;
use ocim::resources::providers::fake::FakeServer;
use serde_json::{Value, json};
use shared_types::ResourceKind;

use super::resources::{named, stored, with_mysql};
use crate::app::TestApp;

const PATH: &str = "/api/v1/instances";

async fn wanted(app: &TestApp, id: i64) -> Vec<Value> {
    app.viewer().await.get(&format!("{PATH}/{id}/resources")).await.expect(200)["wanted"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_the_next_app_server_asks_for_is_shown_with_its_server_or_what_to_do() {
    let (app, _) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    let asked = wanted(&app, id).await;
    let expected = json!([
        { "kind": "mysql", "databases": ["pages", "readers"], "is_required": true, "server": "main", "missing": null },
        { "kind": "redis", "databases": ["cache"], "is_required": false, "server": null, "missing": null },
    ]);
    assert_eq!(json!(asked), expected);
    app.built(id).await;
    assert_eq!(wanted(&app, id).await[0]["server"], "main");
    let body = json!({ "name": "demo", "sub_domain": "demo", "use_ephemeral_databases": true });
    let plain = app.operator().await.post(PATH, body).await.expect(201)["id"].as_i64().unwrap();
    assert_eq!(wanted(&app, plain).await, Vec::<Value>::new(), "its databases are on the machine");
    app.end().await;
    let app = TestApp::idle().await;
    let id = stored(&app, "one").await;
    let asked = wanted(&app, id).await;
    let words = asked[0]["missing"].as_str().unwrap();
    assert!(words.contains("no server of MySQL") && words.contains("[resources.NAME]"), "{words}");
    assert_eq!(asked[1]["missing"], Value::Null, "it is optional");
    app.end().await;
}

#[tokio::test]
async fn new_instances_for_production_have_databases_outside_where_a_default_server_is() {
    let create = async |app: &TestApp, name: &str, more: Value| {
        let mut body = json!({ "name": name, "sub_domain": name });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.operator().await.post(PATH, body).await.expect(201)["use_ephemeral_databases"].clone()
    };
    let default_of = async |app: &TestApp| {
        let types = app.viewer().await.get("/api/v1/instance-types").await.expect(200);
        let of_type = |one: &&Value| one["instance_type"] == "openedx";
        types["items"].as_array().unwrap().iter().find(of_type).unwrap()["defaults"]["use_ephemeral_databases"].clone()
    };
    let (app, _) = with_mysql([]).await;
    assert_eq!(create(&app, "one", json!({})).await, false);
    assert_eq!(create(&app, "two", json!({ "tier": "preview" })).await, true);
    assert_eq!(create(&app, "three", json!({ "use_ephemeral_databases": true })).await, true);
    assert_eq!(default_of(&app).await, false);
    app.end().await;
    let app = TestApp::idle().await;
    assert_eq!((create(&app, "one", json!({})).await, default_of(&app).await), (json!(true), json!(true)));
    app.end().await;
}

#[tokio::test]
async fn servers_are_compared_both_ways_and_strangers_do_not_count() {
    let numbers = Arc::new(FakeServer::new(ResourceKind::Redis));
    let (app, server) = with_mysql([named("cache", &numbers)]).await;
    let id = stored(&app, "one").await;
    app.built(id).await;
    let prefix = names::prefix(ResourceKind::Mysql, &app.manager.db.installation().await.unwrap());
    let orphan = format!("{prefix}9_pages_abcdef");
    for stranger in [orphan.as_str(), "wordpress", "ocim_00000000_1_pages_abcdef"] {
        server.add_stranger(stranger);
    }
    let gone = server.databases().into_keys().find(|name| name.contains("_readers_")).unwrap();
    server.lose(&gone);
    let state = app.viewer().await.get("/api/v1/system").await.expect(200);
    let found = &state["resource_servers"];
    let main = &found[1];
    assert_eq!((&found[0]["name"], &main["name"]), (&json!("cache"), &json!("main")));
    assert_eq!((&found[0]["unowned"], &found[0]["missing"]), (&json!([]), &json!([])));
    assert_eq!((&main["unowned"], &main["missing"]), (&json!([orphan]), &json!([gone])));
    assert_eq!((&main["instances"], &main["databases"], &main["is_ok"]), (&json!(1), &json!(2), &json!(true)));
    assert!(server.databases().contains_key(&orphan), "nothing is deleted by a comparison");
    app.end().await;
}

#[tokio::test]
async fn a_server_that_is_away_or_not_in_the_settings_any_more_is_named() {
    let (app, server) = with_mysql([]).await;
    let id = stored(&app, "one").await;
    app.built(id).await;
    server.set_away(true);
    let state = app.viewer().await.get("/api/v1/system").await.expect(200);
    let main = &state["resource_servers"][0];
    assert_eq!((&main["is_ok"], &main["instances"]), (&json!(false), &json!(1)));
    assert!(main["last_error"].as_str().unwrap().contains("does not answer"), "{main}");
    let part = |one: &&Value| one["name"] == "databases";
    let check = state["checks"].as_array().unwrap().iter().find(part).unwrap().clone();
    assert_eq!((&check["is_ok"], &check["is_configured"]), (&json!(false), &json!(true)));
    app.end().await;
    let app = TestApp::idle().await;
    let id = app.instance("demo").await;
    app.execute(&format!(
        "INSERT INTO resources (instance_id, kind, part, name, class, server, remote_name, state) VALUES \
         ({id}, 'mysql', 'account', 'account', 'made', 'former', 'u', 'present'), \
         ({id}, 'mysql', 'database', 'main', 'made', 'former', 'd', 'present')"
    ))
    .await;
    let state = app.viewer().await.get("/api/v1/system").await.expect(200);
    let main = &state["resource_servers"][0];
    assert_eq!((&main["name"], &main["kind"], &main["databases"]), (&json!("former"), &Value::Null, &json!(1)));
    app.end().await;
}
