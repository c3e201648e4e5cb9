//! Stopping a build, at every moment of it.

use std::sync::Arc;

use ocim::ansible::fake::FakeEnd;
use ocim::instances::builds::Builder;
use serde_json::{Value, json};
use shared_types::AppServerId;
use tokio_util::sync::CancellationToken;

use crate::app::{Answer, GatedAnsible, Setup, TestApp, until};

/// An operator stops a build; waits until it is stopped.
async fn stop(app: &TestApp, id: i64) -> Answer {
    let request = app.operator().await.request(reqwest::Method::POST, &format!("/api/v1/app-servers/{id}/stop"));
    Answer::to(request.header("prefer", "wait=20").json(&json!({ "reason": "wrong branch" }))).await
}

/// Asserts the state of a stopped build.
async fn assert_stopped(app: &TestApp, stopped: &Value) {
    let id = stopped["id"].as_i64().unwrap();
    assert_eq!((&stopped["status"], &stopped["failure"]), (&json!("stopped"), &Value::Null), "{stopped:#}");
    assert!(stopped["stop_requested_by"].as_str().unwrap().starts_with("operator-"), "{stopped:#}");
    assert_eq!((&stopped["server"]["status"], &stopped["has_machine"]), (&json!("terminated"), &json!(false)));
    assert!(!app.provider.machines().contains(&shared_types::ServerId(stopped["server"]["id"].as_i64().unwrap())));
    let log = app.log(id).await;
    let by = stopped["stop_requested_by"].as_str().unwrap();
    assert!(log.contains(&format!("Stopped by {by}: wrong branch")), "{log:#?}");
    assert_eq!(log.last().unwrap(), "Stopped: The build was stopped before it ended");
    let held = format!("SELECT count(*) AS n FROM builds WHERE app_server_id = {id} AND lease_holder IS NOT NULL");
    until("the lease is given back", async || app.number(&held).await == 0).await;
    let audited =
        format!("SELECT count(*) AS n FROM audit_log WHERE action = 'stop_app_server' AND app_server_id = {id}");
    assert_eq!(app.number(&audited).await, 1);
}

#[tokio::test]
async fn a_build_is_stopped_in_each_of_its_steps() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    for step in ["pin", "checkout", "server", "playbooks", "reboot", "checks"] {
        app.git.set_silent(step == "pin");
        app.ansible.set_silent_checkouts(step == "checkout");
        app.provider.set_answers_ssh(step != "server");
        app.provider.set_restarts(step != "reboot");
        app.sites.iter().for_each(|site| site.set_healthy(step != "checks"));
        if step == "playbooks" {
            app.ansible.next_run(FakeEnd::Blocks);
        }
        let id = app.launched(instance).await;
        until(step, async || app.read_app_server(id).await["progress"]["step"] == step).await;
        if step == "playbooks" {
            // Otherwise the run that blocks would be the next build's.
            until("the playbook runs", async || app.ansible.calls().run == 1).await;
        }
        let stopped = stop(&app, id).await.expect(200);
        assert_stopped(&app, &stopped).await;
        let steps = stopped["steps"].as_array().unwrap();
        let left = steps.iter().find(|one| one["kind"] == step).unwrap();
        assert_eq!(left["outcome"], "stopped", "{step}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_queued_build_is_stopped_without_a_slot() {
    let ansible = GatedAnsible::new();
    let app = TestApp::with(Setup { slots: 1, ansible: Some(ansible.clone()), ..Setup::default() }).await;
    let (first, second) = (app.instance("one").await, app.instance("two").await);
    let first = app.launched(first).await;
    until("the playbook runs", async || ansible.running() == 1).await;
    let queued = app.launched(second).await;
    assert_stopped(&app, &stop(&app, queued).await.expect(200)).await;
    assert_eq!(app.provider.calls().create, 1, "no machine was made for it");
    ansible.let_go(1);
    assert_eq!(app.until_built(first).await["status"], "running");
    app.end().await;
}

#[tokio::test]
async fn stopping_twice_succeeds_and_stopping_an_ended_build_is_refused() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run(FakeEnd::Blocks);
    let id = app.launched(instance).await;
    until("the playbook runs", async || app.ansible.calls().run == 1).await;
    assert_stopped(&app, &stop(&app, id).await.expect(200)).await;
    assert_stopped(&app, &stop(&app, id).await.expect(200)).await;
    let running = app.running(instance).await;
    let detail = stop(&app, running).await.problem(409)["detail"].as_str().unwrap().to_owned();
    assert_eq!(
        detail,
        "App server 2 is running; it must be building to be stopped. The build is finished; use Terminate to delete its \
         machine."
    );
    app.end().await;
}

#[tokio::test]
async fn a_stop_at_the_end_of_a_build_stops_it_or_is_refused() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let (mut stopped, mut built) = (0, 0);
    for round in 0..24u64 {
        let id = app.launched(instance).await;
        // Each round stops a little later, so that some stops come before the end of the build and some after.
        let events = (round % 12) * 2;
        let mut changes = app.bus.subscribe();
        for _ in 0..events {
            let _ = tokio::time::timeout(std::time::Duration::from_millis(50), changes.recv()).await;
        }
        let answer = stop(&app, id).await;
        let ended = app.until_built(id).await;
        let server = shared_types::ServerId(ended["server"]["id"].as_i64().unwrap());
        if answer.status == 200 {
            assert_stopped(&app, &ended).await;
            stopped += 1;
        } else {
            answer.problem(409);
            assert_eq!(ended["status"], "running");
            assert!(app.provider.machines().contains(&server), "who was not stopped keeps the machine");
            built += 1;
        }
    }
    assert!(stopped > 0 && built + stopped == 24, "{stopped} stopped, {built} built");
    app.end().await;
}

#[tokio::test]
async fn a_stop_retries_the_provider_until_the_machine_is_gone() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run(FakeEnd::Blocks);
    let id = app.launched(instance).await;
    until("the playbook runs", async || app.ansible.calls().run == 1).await;
    app.provider.be_away_at_terminate(3);
    assert_stopped(&app, &stop(&app, id).await.expect(200)).await;
    assert_eq!(app.provider.calls().terminate, 4);
    let told = app.log(id).await.into_iter().filter(|line| line.contains("Stop: 503")).count();
    assert_eq!(told, 1, "the same words are told once");
    app.end().await;
}

#[tokio::test]
async fn a_stop_is_performed_by_another_worker_if_the_first_one_ends() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    app.ansible.next_run(FakeEnd::Blocks);
    let hand_over = CancellationToken::new();
    let first = Builder::new(Arc::clone(&app.manager), 1, hand_over.clone());
    let work = tokio::spawn(async move { first.advance(AppServerId(id)).await });
    until("the playbook runs", async || app.ansible.calls().run == 1).await;
    // The stop request is not heard here, and the heartbeat that would notice it comes seconds later.
    let path = format!("/api/v1/app-servers/{id}/stop");
    let asked = app.operator().await.post(&path, json!({ "reason": "wrong branch" })).await.expect(202);
    assert_eq!(asked["status"], "configuring");
    hand_over.cancel();
    work.await.unwrap().unwrap();
    app.builder().advance(AppServerId(id)).await.unwrap();
    assert_stopped(&app, &app.read_app_server(id).await).await;
    let calls = app.ansible.calls();
    assert_eq!((calls.recover, calls.run), (1, 1), "the orphan was ended and not run again");
    app.end().await;
}
