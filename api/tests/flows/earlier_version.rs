//! Builds that an earlier version of ocim began, with its order of steps: pin, machine, checkout, playbooks.

use std::sync::Arc;

use ocim::ansible::fake::FakeEnd;
use ocim::ansible::port::Requirements;
use ocim::instances::builds::Builder;
use serde_json::{Value, json};
use shared_types::AppServerId;
use tokio_util::sync::CancellationToken;

use crate::app::{TestApp, until};

/// A builder advances a build until its current step is this one, and is then stopped.
async fn interrupt(app: &TestApp, id: i64, step: &str) {
    let stop = CancellationToken::new();
    let worker = Builder::new(Arc::clone(&app.manager), 1, stop.clone());
    let work = tokio::spawn(async move { worker.advance(AppServerId(id)).await });
    until(step, async || app.read_app_server(id).await["progress"]["step"] == step).await;
    if step == "playbooks" {
        until("the playbook runs", async || app.ansible.calls().run == 1).await;
    }
    stop.cancel();
    work.await.unwrap().unwrap();
}

/// Asserts that the build succeeds with each step done and one machine.
async fn assert_ends_well(app: &TestApp, id: i64) {
    app.builder().advance(AppServerId(id)).await.unwrap();
    let built = app.read_app_server(id).await;
    assert_eq!(built["status"], "running", "{built:#}");
    assert!(built["steps"].as_array().unwrap().iter().all(|step| step["outcome"] == "done"), "{built:#}");
    assert_eq!(built["progress"]["tasks_done"], 3);
    assert_eq!(app.provider.calls().create, 1);
}

#[tokio::test]
async fn an_earlier_versions_build_is_checked_out_after_its_machine_boots() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    app.provider.set_answers_ssh(false);
    interrupt(&app, id, "server").await;
    app.execute("DELETE FROM build_steps WHERE step = 'checkout'").await;
    app.execute("UPDATE builds SET tasks_total = 0").await;
    assert_eq!(app.read_app_server(id).await["status"], "waiting");
    app.provider.set_answers_ssh(true);
    assert_ends_well(&app, id).await;
    assert_eq!(app.read_app_server(id).await["progress"]["tasks_total"], 3);
    app.end().await;
}

#[tokio::test]
async fn an_earlier_versions_build_keeps_its_machine_at_the_checkout() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    app.ansible.next_run(FakeEnd::Blocks);
    interrupt(&app, id, "playbooks").await;
    app.execute("DELETE FROM build_steps WHERE step IN ('checkout', 'playbooks')").await;
    // The earlier version numbered the run before the checkout.
    app.execute("INSERT INTO build_steps (app_server_id, step) SELECT app_server_id, 'checkout' FROM builds").await;
    app.execute("UPDATE builds SET step = 'checkout', run = 1, tasks_done = 0, tasks_total = 0, task = NULL").await;
    assert_eq!(app.read_app_server(id).await["status"], "configuring");
    assert_ends_well(&app, id).await;
    app.end().await;
}

#[tokio::test]
async fn an_earlier_versions_build_whose_checkout_fails_is_failed() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    app.ansible.next_run(FakeEnd::Blocks);
    interrupt(&app, id, "playbooks").await;
    app.execute("DELETE FROM build_steps WHERE step IN ('checkout', 'playbooks')").await;
    app.execute("INSERT INTO build_steps (app_server_id, step) SELECT app_server_id, 'checkout' FROM builds").await;
    app.execute("UPDATE builds SET step = 'checkout'").await;
    app.ansible.next_prepare_fails(ocim::ansible::port::AnsibleError::Permanent("no such playbook".to_owned()));
    app.builder().advance(AppServerId(id)).await.unwrap();
    let built = app.read_app_server(id).await;
    assert_eq!((&built["status"], &built["failure"]), (&"failed".into(), &"no such playbook".into()));
    app.end().await;
}

/// A document as ocim 0.1 stored it.
fn document(name: &str) -> String {
    let path = format!("{}/tests/documents/0.1/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().replace('\'', "''")
}

/// Replaces the documents of the instance and its app servers by those of 0.1.
async fn make_earlier(app: &TestApp) {
    let settings = document("openedx_instance");
    app.execute(&format!("UPDATE instances SET settings = '{settings}', settings_version = 1")).await;
    let (playbooks, references) = (document("app_server_playbooks"), document("app_server_references"));
    let variables = document("app_server_variables");
    // The trigger refuses each change of an app server.
    app.execute("ALTER TABLE app_servers DISABLE TRIGGER USER").await;
    app.execute(&format!(
        "UPDATE app_servers SET settings = '{settings}', settings_version = 1, playbooks = '{playbooks}', variable_references = '{references}', \
         variables = '{variables}'"
    ))
    .await;
    app.execute("ALTER TABLE app_servers ENABLE TRIGGER USER").await;
}

#[tokio::test]
async fn an_instance_of_0_1_keeps_its_playbook_and_can_be_changed_launched_and_compared() {
    let app = TestApp::start().await;
    let instance = app.instance("astro").await;
    let first = app.launched(instance).await;
    assert_eq!(app.until_built(first).await["status"], "running");
    make_earlier(&app).await;
    let operator = app.operator().await;
    app.activate(first).await.expect(200);
    let read = app.read_instance(instance).await;
    assert_eq!(read["configuration_playbook"], "playbooks/edx_sandbox.yml");
    assert_eq!(read["configuration_requirements"], "requirements.txt");
    assert_eq!(read["pending_changes"], json!([]));
    let diff = operator.get(&format!("/api/v1/app-servers/{first}/diff?against=instance")).await.expect(200);
    assert_eq!(diff["settings"], json!([]));
    let earlier = app.read_app_server(first).await;
    assert_eq!(earlier["configuration"]["configuration_playbook"], "playbooks/edx_sandbox.yml");
    assert_eq!(earlier["playbooks"][0]["requirements"], Value::Null);
    assert_eq!(earlier["pins"][0]["name"], "edx-platform");
    let path = format!("/api/v1/instances/{instance}");
    let change = json!({ "use_ephemeral_databases": true, "email": "new@campus.example" });
    operator.patch(&path, read["etag"].as_str().unwrap(), change).await.expect(200);
    assert_eq!(app.read_instance(instance).await["pending_changes"], json!(["email"]));
    let second = app.launched(instance).await;
    let built = app.until_built(second).await;
    assert_eq!(built["status"], "running", "{built:#}");
    assert_eq!(built["playbooks"][0]["playbook_path"], "playbooks/edx_sandbox.yml");
    let diff = operator.get(&format!("/api/v1/app-servers/{first}/diff?against={second}")).await.expect(200);
    let names: Vec<_> = diff["settings"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["email"]);
    app.end().await;
}

#[tokio::test]
async fn a_build_that_0_1_began_gets_its_commit_and_a_rollback_to_it_works() {
    let app = TestApp::idle().await;
    let instance = app.instance("astro").await;
    let first = app.launched(instance).await;
    make_earlier(&app).await;
    app.execute("DELETE FROM app_server_pins").await;
    for (repository, version) in [
        ("https://git.example/edx/configuration.git", "open-release/hawthorn.2"),
        ("https://git.example/astro/edx-platform.git", "astro-branch"),
    ] {
        app.execute(&format!(
            "INSERT INTO app_server_pins (app_server_id, repository, version) VALUES ({first}, '{repository}', '{version}')"
        ))
        .await;
    }
    app.builder().advance(AppServerId(first)).await.unwrap();
    let built = app.read_app_server(first).await;
    assert_eq!(built["status"], "running", "{built:#}");
    let commit = built["pins"][0]["commit"].as_str().unwrap();
    let ran = app.ansible.specs().pop().unwrap();
    assert_eq!(ran.variables["edx_platform_version"], commit);
    assert_eq!(ran.playbook_path, "playbooks/edx_sandbox.yml");
    assert_eq!(ran.requirements, Requirements::File("requirements.txt".to_owned()));
    let second = app.launched(instance).await;
    app.builder().advance(AppServerId(second)).await.unwrap();
    let operator = app.operator().await;
    for id in [first, second] {
        operator.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.expect(202);
    }
    operator.post(&format!("/api/v1/instances/{instance}/rollback"), json!({})).await.expect(202);
    assert_eq!(app.read_instance(instance).await["active_appserver"]["id"], first);
    app.end().await;
}
