//! A current Open edX by Tutor, on machines of a fake provider that have kernels of their own.

use ocim::ansible::fake::FakeEnd;
use ocim::machines::providers::local;
use serde_json::{Value, json};

use crate::app::{TestApp, until};

const PATH: &str = "/api/v1/instances";
const DATABASES: &str = "MYSQL_HOST: 10.0.0.1\nOPENEDX_MYSQL_DATABASE: demo\nOPENEDX_MYSQL_USERNAME: demo\n\
                         OPENEDX_MYSQL_PASSWORD: hunter2-hunter2\nMONGODB_HOST: 10.0.0.1\nREDIS_HOST: 10.0.0.1\n";

async fn create(app: &TestApp, more: Value) -> i64 {
    let mut body = json!({ "name": "Campus", "instance_type": "tutor", "sub_domain": "campus" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.operator().await.post(PATH, body).await.expect(201)["id"].as_i64().unwrap()
}

#[tokio::test]
async fn tutor_secrets_are_sealed_shared_and_never_shown() {
    let app = TestApp::start().await;
    let id = create(&app, json!({ "extra_config": "SMTP_PASSWORD: hunter2-hunter2\n" })).await;
    let (one, other) = (app.running(id).await, app.running(id).await);
    let ansible = app.ansible.specs();
    let of = |at: usize, key: &str| ansible[at].variables["tutor_config"][key].as_str().unwrap().to_owned();
    for key in ["OPENEDX_SECRET_KEY", "JWT_RSA_PRIVATE_KEY", "MEILISEARCH_API_KEY_UID", "MEILISEARCH_API_KEY"] {
        assert_eq!(of(0, key), of(1, key), "{key}");
    }
    let secrets = [of(0, "OPENEDX_SECRET_KEY"), of(0, "MEILISEARCH_API_KEY"), "hunter2".to_owned()];
    for shown in [app.read_instance(id).await, app.read_app_server(one).await, app.read_app_server(other).await] {
        let shown = shown.to_string();
        assert!(!secrets.iter().any(|secret| shown.contains(secret)) && shown.contains("••••••"), "{shown}");
        assert!(!shown.contains("BEGIN"), "{shown}");
    }
    for table in ["instances", "app_servers"] {
        let clear =
            format!("SELECT count(*) AS n FROM {table} AS t WHERE to_jsonb(t)::text ~ 'hunter2|BEGIN .*PRIVATE'");
        assert_eq!(app.number(&clear).await, 0, "{table}");
    }
    app.end().await;
}

#[tokio::test]
async fn background_workers_start_before_the_traffic_and_stop_after_it_where_databases_are_shared() {
    let app = TestApp::start().await;
    let id = create(&app, json!({ "databases": DATABASES })).await;
    let (first, second) = (app.running(id).await, app.running(id).await);
    app.activate(first).await.expect(200);
    app.activate(second).await.expect(200);
    app.until_serving(first, "fallback").await;
    until("the hooks have ended", async || {
        app.number("SELECT count(*) AS n FROM hook_runs WHERE settled_at IS NOT NULL").await == 3
    })
    .await;
    let specs = app.ansible.specs();
    let hooks: Vec<_> = specs.iter().skip(2).map(|spec| spec.playbook_path.as_str()).collect();
    assert_eq!(hooks, ["playbooks/start_workers.yml", "playbooks/start_workers.yml", "playbooks/stop_workers.yml"]);
    assert!(specs.iter().all(|spec| spec.variables["tutor_hold_workers"] == true));
    app.end().await;
}

#[tokio::test]
async fn another_release_upgrades_the_shared_databases_from_the_release_that_ran_last() {
    let app = TestApp::start().await;
    let id = create(&app, json!({ "databases": DATABASES, "release": "ulmo" })).await;
    let upgrades_from = async || {
        app.built(id).await;
        let specs = app.ansible.specs();
        specs.last().unwrap().variables["tutor_upgrade_from"].as_str().unwrap().to_owned()
    };
    assert_eq!(upgrades_from().await, "", "there is nothing to upgrade");
    let operator = app.operator().await;
    let set = async |release: &str| {
        let etag = app.read_instance(id).await["etag"].as_str().unwrap().to_owned();
        operator.patch(&format!("{PATH}/{id}"), &etag, json!({ "release": release })).await.expect(200);
    };
    set("verawood").await;
    app.ansible.next_run_fails("mysql is away", "");
    assert_eq!(upgrades_from().await, "ulmo");
    app.ansible.next_run(FakeEnd::Blocks);
    let blocked = app.launched(id).await;
    until("the playbook runs", async || app.ansible.calls().run == 3).await;
    let problem = operator.post(&format!("{PATH}/{id}/app-servers"), json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().starts_with("AppServer 3 is being built"), "{problem}");
    operator.post(&format!("/api/v1/app-servers/{blocked}/stop"), json!({ "reason": "too slow" })).await.expect(202);
    app.until_built(blocked).await;
    assert_eq!(upgrades_from().await, "ulmo", "a failed build does not count as an upgrade");
    assert_eq!(upgrades_from().await, "", "they are verawood's now");
    set("ulmo").await;
    let problem = operator.post(&format!("{PATH}/{id}/app-servers"), json!({})).await.problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("migrated by verawood; ulmo cannot use them"), "{detail}");
    app.end().await;
}

#[tokio::test]
async fn tutor_refuses_local_machines_with_the_reason() {
    let app = TestApp::start().await;
    let id = create(&app, json!({})).await;
    app.provider.offer(local::OFFER);
    let problem = app.operator().await.post(&format!("{PATH}/{id}/app-servers"), json!({})).await.problem(409);
    let words =
        "Open edX (Tutor) needs a machine with a kernel of its own, which machines of the provider `fake` do not have.";
    assert!(problem["detail"].as_str().unwrap().starts_with(words), "{problem}");
    let types = app.viewer().await.get("/api/v1/instance-types").await.expect(200);
    let tutor = types["items"].as_array().unwrap().iter().find(|one| one["instance_type"] == "tutor").unwrap().clone();
    assert!(tutor["unavailable"].as_str().unwrap().starts_with(words), "{tutor}");
    assert_eq!(tutor["is_default"], false);
    app.end().await;
}
