//! Who may log in to machines: users by their role, from the build on, for as long as they may.

use std::time::Instant;

use diesel_async::SimpleAsyncConnection;
use ocim::ansible::fake::FakeEnd;
use ocim::instances::access::{self, Scope};
use ocim::instances::builds::terminate;
use ocim::instances::store::access as store;
use ocim::machines::people::{BEGIN, END};
use ocim::platform::origin::Actor;
use serde_json::{Value, json};
use shared_types::{AppServerId, Role, ServerId};

use crate::app::{Client, TestApp, until};
use crate::routes::auth::ssh_keys::{KEY, another};

const PATH: &str = "/api/v1/auth/ssh-keys";

async fn adds(browser: &Client, key: &str) -> i64 {
    browser.post(PATH, json!({ "public_key": key })).await.expect(201)["id"].as_i64().unwrap()
}

async fn name(browser: &Client) -> String {
    browser.get("/api/v1/auth/me").await.expect(200)["username"].as_str().unwrap().to_owned()
}

async fn swept(app: &TestApp) {
    access::sweep(&app.manager, Scope::Changed).await.unwrap();
}

/// The keys that let people in to a machine.
fn people(app: &TestApp, server: i64) -> Vec<String> {
    let block = app.provider.people(ServerId(server));
    let lines: Vec<_> = block.lines().collect();
    match lines.as_slice() {
        [] => Vec::new(),
        [BEGIN, keys @ .., END] => keys.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

async fn access_of(app: &TestApp, id: i64) -> Value {
    app.viewer().await.get(&format!("/api/v1/app-servers/{id}/access")).await.expect(200)
}

#[tokio::test]
async fn people_are_let_in_before_the_first_playbook_and_for_as_long_as_they_may() {
    let app = TestApp::idle().await;
    let (ada, eve) = (app.session(Role::Operator).await, app.session(Role::Viewer).await);
    let ada_name = name(&ada).await;
    let first = adds(&ada, &format!("{KEY} ada@laptop")).await;
    adds(&eve, &another()).await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("oops", "fatal");
    let id = app.built(instance).await["id"].as_i64().unwrap();
    assert_eq!(people(&app, 1), [format!("{KEY} ocim:{ada_name}")], "a failed build's machine as well; no viewer");
    let fingerprint = "SHA256:PkHxyQHXdlacZkVs2nvhkY9x4y3BSsrnBF6fpwTZuSM";
    let granted = format!("SSH access: {ada_name} ({fingerprint}) may log in now");
    let log = app.log(id).await;
    let said = log.iter().position(|line| *line == granted).unwrap();
    let ran = log.iter().position(|line| line.contains("oops") || line.contains("fatal")).unwrap();
    assert!(said < ran, "{log:#?}");

    // A second key, then the first one goes.
    let second = another();
    adds(&ada, &second).await;
    swept(&app).await;
    assert_eq!(people(&app, 1).len(), 2);
    ada.delete(&format!("{PATH}/{first}")).await.expect(204);
    swept(&app).await;
    assert_eq!(people(&app, 1), [format!("{second} ocim:{ada_name}")]);
    assert!(app.log_says(id, &format!("SSH access: {ada_name} ({fingerprint}) may not any more")).await);

    // A lower role, a higher one, disabled, deleted.
    for (change, count) in
        [("role = 'viewer'", 0), ("role = 'admin'", 1), ("disabled_at = now()", 0), ("disabled_at = NULL", 1)]
    {
        app.execute(&format!("UPDATE users SET {change} WHERE username = '{ada_name}'")).await;
        swept(&app).await;
        assert_eq!(people(&app, 1).len(), count, "{change}");
    }
    app.execute(&format!("DELETE FROM users WHERE username = '{ada_name}'")).await;
    swept(&app).await;
    assert_eq!(people(&app, 1), Vec::<String>::new());

    let access = access_of(&app, id).await;
    let items = access["items"].as_array().unwrap();
    assert_eq!(items.len(), 4, "one for each time that a key let in: {access:#}");
    for item in items {
        assert_eq!((item["person"].as_str(), item["origin"].as_str()), (Some(ada_name.as_str()), Some("user")));
        assert!(item["granted_at"].as_str() <= item["confirmed_at"].as_str());
        assert!(item["confirmed_at"].as_str() < item["revoked_at"].as_str(), "{item}");
    }
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'install_ssh_keys' AND actor = 'ssh keys' \
                   AND app_server_id = 1 AND (detail #>> '{granted,0,fingerprint}' IS NOT NULL \
                   OR detail #>> '{revoked,0,fingerprint}' IS NOT NULL)";
    assert_eq!(app.number(audited).await, 8);
    app.end().await;
}

#[tokio::test]
async fn nothing_is_written_to_a_machine_without_a_reason() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    swept(&app).await;
    assert_eq!(app.provider.calls().install_people, 0, "no user has a key");
    let ada = app.session(Role::Operator).await;
    adds(&ada, KEY).await;
    swept(&app).await;
    swept(&app).await;
    assert_eq!(app.provider.calls().install_people, 1);
    // An hour later, and after the status has changed: a playbook may have replaced the file.
    app.execute("UPDATE server_access SET installed_at = installed_at - interval '61 minutes'").await;
    swept(&app).await;
    assert_eq!(app.provider.calls().install_people, 2);
    app.operator().await.post(&format!("/api/v1/app-servers/{id}/access"), Value::Null).await.expect(202);
    swept(&app).await;
    assert_eq!(app.provider.calls().install_people, 3);
    let lines = app.log(id).await;
    assert_eq!(lines.iter().filter(|line| line.contains("SSH access")).count(), 1, "only changes are told");
    app.end().await;
}

#[tokio::test]
async fn keys_are_installed_again_after_the_playbooks() {
    let app = TestApp::idle().await;
    let ada = app.session(Role::Operator).await;
    adds(&ada, KEY).await;
    let instance = app.instance("demo").await;
    app.running(instance).await;
    assert_eq!(app.provider.calls().install_people, 1);
    swept(&app).await;
    swept(&app).await;
    assert_eq!(app.provider.calls().install_people, 2);
    app.end().await;
}

#[tokio::test]
async fn a_machine_that_takes_no_keys_is_tried_again_and_ends_no_build() {
    let app = TestApp::idle().await;
    let ada = app.session(Role::Operator).await;
    adds(&ada, KEY).await;
    app.provider.set_takes_people(false);
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    swept(&app).await;
    assert_eq!(app.provider.calls().install_people, 1, "it rests after a failure");
    let access = access_of(&app, id).await;
    assert_eq!(access["trouble"], "no answer over SSH within 20 s");
    assert_ne!(access["next_try"], Value::Null);
    assert_eq!(access["items"][0]["confirmed_at"], Value::Null, "it may have the key: {access:#}");
    app.execute("UPDATE server_access SET next_try = now()").await;
    swept(&app).await;
    let warnings = app.log(id).await.into_iter().filter(|line| line.contains("could not be installed")).count();
    assert_eq!((app.provider.calls().install_people, warnings), (2, 1), "only the first failure is told");

    app.provider.set_takes_people(true);
    app.operator().await.post(&format!("/api/v1/app-servers/{id}/access"), Value::Null).await.expect(202);
    swept(&app).await;
    let access = access_of(&app, id).await;
    assert_eq!((&access["trouble"], &access["next_try"]), (&Value::Null, &Value::Null));
    assert_eq!(people(&app, 1).len(), 1);
    app.end().await;
}

#[tokio::test]
async fn two_workers_never_write_to_one_machine_at_once() {
    let app = TestApp::idle().await;
    let ada = app.session(Role::Operator).await;
    let instance = app.instance("demo").await;
    app.running(instance).await;
    adds(&ada, KEY).await;
    app.execute("INSERT INTO server_access (server_id, claimed_until) VALUES (1, now() + interval '1 minute')").await;
    swept(&app).await;
    assert_eq!(app.provider.calls().install_people, 0);
    // The other one has died.
    app.execute("UPDATE server_access SET claimed_until = now()").await;
    swept(&app).await;
    assert_eq!(people(&app, 1).len(), 1);
    app.end().await;
}

#[tokio::test]
async fn access_ends_with_the_machine_and_none_begins_after() {
    let app = TestApp::start().await;
    let ada = app.session(Role::Operator).await;
    adds(&ada, KEY).await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let (mut conn, actor) = (app.conn().await, Actor::User("test".to_owned()));
    terminate::terminate(&mut conn, &actor, AppServerId(id), terminate::Request::default()).await.unwrap();
    drop(conn);
    until("it is gone", async || app.read_app_server(id).await["server"]["status"] == "terminated").await;
    let access = access_of(&app, id).await;
    assert_ne!(access["items"][0]["revoked_at"], Value::Null, "{access:#}");
    let admin = app.operator().await;
    admin.post(&format!("/api/v1/app-servers/{id}/access"), Value::Null).await.problem(409);
    adds(&ada, &another()).await;
    swept(&app).await;
    assert_eq!(access_of(&app, id).await["items"].as_array().unwrap().len(), 1);
    app.end().await;
}

#[tokio::test]
async fn the_worker_keeps_running_machines_in_step() {
    let app = TestApp::start().await;
    let ada = app.session(Role::Operator).await;
    let instance = app.instance("demo").await;
    app.running(instance).await;
    let id = adds(&ada, KEY).await;
    until("the key is there", async || people(&app, 1).len() == 1).await;
    // Also while a playbook runs.
    app.ansible.next_run(FakeEnd::Blocks);
    let building = app.launched(instance).await;
    until("the build runs", async || people(&app, 2).len() == 1).await;
    ada.delete(&format!("{PATH}/{id}")).await.expect(204);
    until("the key is gone", async || people(&app, 1).is_empty() && people(&app, 2).is_empty()).await;
    app.operator().await.post(&format!("/api/v1/app-servers/{building}/stop"), json!({})).await;
    app.until_built(building).await;
    app.end().await;
}

#[tokio::test]
async fn the_ssh_line_is_told_to_those_who_may_log_in() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let (viewer, operator) = (app.viewer().await, app.operator().await);
    for path in [format!("/api/v1/app-servers/{id}"), "/api/v1/servers/1".to_owned(), "/api/v1/servers".to_owned()] {
        let ssh = |answer: Value| {
            [&answer["server"]["ssh"], &answer["ssh"], &answer["items"][0]["ssh"]]
                .into_iter()
                .find(|ssh| !ssh.is_null())
                .cloned()
        };
        assert_eq!(ssh(viewer.get(&path).await.expect(200)), None, "{path}");
        let told = ssh(operator.get(&path).await.expect(200)).unwrap();
        assert_eq!(
            told,
            json!({
                "user": "ubuntu", "host": "192.0.2.1", "port": 22, "command": "ssh ubuntu@192.0.2.1",
                "host_key": null,
            }),
            "{path}"
        );
    }
    app.end().await;
}

/// Ten thousand instances with a machine each that was given the keys with the digest `abc`.
const MANY: &str = "\
    INSERT INTO instances (instance_type, name, domain, settings, modified) \
        SELECT 'openedx', 'i' || n, 'i' || n || '.example', '{}', now() - interval '1 day' FROM generate_series(1, 10000) AS n; \
    INSERT INTO servers (name, provider, provider_id, status, ssh_address, http_address) \
        SELECT 's' || n, 'fake', 'f' || n, 'ready', '127.0.0.1:22', '127.0.0.1:80' FROM generate_series(1, 10000) AS n; \
    INSERT INTO app_servers (instance_id, server_id, number, name, settings, variables, playbooks, variable_references, \
        requested_by, status, modified) \
        SELECT n, n, 1, 'AppServer 1', '{}', jsonb_build_object('a', repeat('x', 1500)), '[]', '[]', 'test', 'running', \
        now() - interval '1 day' FROM generate_series(1, 10000) AS n; \
    INSERT INTO server_access (server_id, digest, installed_at) SELECT n, 'abc', now() FROM generate_series(1, 10000) AS n;";

#[tokio::test]
async fn of_ten_thousand_machines_the_frequent_sweep_reads_only_those_that_are_out_of_step() {
    let app = TestApp::idle().await;
    let mut conn = app.conn().await;
    conn.batch_execute(MANY).await.unwrap();
    conn.batch_execute("ANALYZE").await.unwrap();
    let wanted = ["abc".to_owned(), String::new()];
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let found = (store::out_of_step(&mut conn, &wanted).await.unwrap(), store::recent(&mut conn).await.unwrap());
        times.push(begun.elapsed());
        assert_eq!(found, (vec![], vec![]));
    }
    let begun = Instant::now();
    assert_eq!(store::machines(&mut conn, None).await.unwrap().len(), 10_000);
    println!("frequent sweep: {times:?}; all machines: {:?}", begun.elapsed());
    let changes = "UPDATE server_access SET digest = 'old' WHERE server_id = 7; \
        UPDATE server_access SET installed_at = now() - interval '61 minutes' WHERE server_id = 8; \
        UPDATE server_access SET digest = 'old', next_try = now() + interval '1 minute' WHERE server_id = 9; \
        UPDATE server_access SET digest = NULL WHERE server_id = 10; \
        UPDATE instances SET modified = now() WHERE id = 11; UPDATE app_servers SET modified = now() WHERE id = 12";
    conn.batch_execute(changes).await.unwrap();
    assert_eq!(store::out_of_step(&mut conn, &wanted).await.unwrap(), [ServerId(7), ServerId(8)]);
    assert_eq!(store::out_of_step(&mut conn, &wanted[..1]).await.unwrap(), [7, 8, 10].map(ServerId));
    assert_eq!(store::recent(&mut conn).await.unwrap(), [11, 12].map(ServerId));
    drop(conn);
    app.end().await;
}
