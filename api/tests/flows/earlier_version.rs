//! Builds that an earlier version of ocim began, in its order of steps: pin, machine, checkout, playbooks.

use std::sync::Arc;

use ocim::ansible::fake::FakeEnd;
use ocim::instances::builds::Builder;
use shared_types::AppServerId;
use tokio_util::sync::CancellationToken;

use crate::app::{TestApp, until};

/// A builder goes on with a build until it says that it has come to this step, and is stopped there.
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

/// The build ends well, each step is done, and there is one machine.
async fn assert_ends_well(app: &TestApp, id: i64) {
    app.builder().advance(AppServerId(id)).await.unwrap();
    let built = app.read_app_server(id).await;
    assert_eq!(built["status"], "running", "{built:#}");
    assert!(built["steps"].as_array().unwrap().iter().all(|step| step["outcome"] == "done"), "{built:#}");
    assert_eq!(built["progress"]["tasks_done"], 3);
    assert_eq!(app.provider.calls().create, 1);
}

#[tokio::test]
async fn a_build_that_waits_for_its_machine_is_checked_out_after_that() {
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
async fn a_build_that_is_checked_out_keeps_the_machine_it_has() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    app.ansible.next_run(FakeEnd::Blocks);
    interrupt(&app, id, "playbooks").await;
    app.execute("DELETE FROM build_steps WHERE step IN ('checkout', 'playbooks')").await;
    // The number of the run was given out before the checkout.
    app.execute("INSERT INTO build_steps (app_server_id, step) SELECT app_server_id, 'checkout' FROM builds").await;
    app.execute("UPDATE builds SET step = 'checkout', run = 1, tasks_done = 0, tasks_total = 0, task = NULL").await;
    assert_eq!(app.read_app_server(id).await["status"], "configuring");
    assert_ends_well(&app, id).await;
    app.end().await;
}

#[tokio::test]
async fn a_checkout_that_fails_beside_a_machine_ends_as_failed() {
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
