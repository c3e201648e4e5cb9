//! Playbooks that run when traffic moves: before the first visitor, after the last, and before the machine ends.

use ocim::instances::traffic::after_hooks;
use serde_json::{Value, json};
use shared_types::AppServerId;

use crate::app::crash::End;
use crate::app::{GatedAnsible, Setup, TestApp, until};

const HOST: &str = "notes.example";
const RUNS: &str = "SELECT count(*) AS n FROM hook_runs";
const UNSETTLED: &str = "SELECT count(*) AS n FROM hook_runs WHERE settled_at IS NULL";

/// An instance whose app servers have all three hooks.
async fn hooked(app: &TestApp) -> i64 {
    let body = json!({ "name": "Notes", "instance_type": "notebook", "address": HOST, "edition": "hooked" });
    app.operator().await.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap()
}

/// An instance with two running app servers, the first active.
async fn two(app: &TestApp) -> (i64, i64, i64) {
    let instance = hooked(app).await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    app.activate(first).await.expect(200);
    (instance, first, second)
}

/// The playbooks that are hooks, in the order they ran.
fn hooks_of(specs: &[ocim::ansible::port::RunSpec]) -> Vec<&str> {
    specs.iter().map(|spec| spec.playbook_path.as_str()).filter(|path| *path != "notebook.yml").collect()
}

async fn ask(app: &TestApp, id: i64, body: Value) -> Value {
    app.operator().await.post(&format!("/api/v1/app-servers/{id}/activate"), body).await.expect(202)
}

async fn active(app: &TestApp, instance: i64) -> Value {
    app.read_instance(instance).await["active_appserver"]["id"].clone()
}

async fn until_settled(app: &TestApp) {
    until("no activation waits for hooks", async || app.number(UNSETTLED).await == 0).await;
}

#[tokio::test]
async fn traffic_moves_between_the_hook_before_and_the_hook_after_it() {
    let gate = GatedAnsible::new();
    let app = TestApp::with(Setup { ansible: Some(gate.clone()), ..Setup::default() }).await;
    let instance = hooked(&app).await;
    gate.let_go(2);
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    for (id, before) in [(first, None), (second, Some(app.sites[0].address))] {
        let answer = ask(&app, id, json!({ "reason": "upgrade" })).await;
        assert_eq!((&answer["app_server"]["is_activating"], &answer["is_applied"]), (&json!(true), &json!(false)));
        until("its hook runs", async || gate.running() == 1).await;
        assert_eq!(
            app.traffic.table().get(HOST).copied().flatten(),
            before,
            "visitors were moved before the hook ended"
        );
        // Asking again does not restart the hook.
        ask(&app, id, json!({})).await;
        gate.let_go(1);
        app.until_serving(id, "active").await;
    }
    until("the gateway moved", async || app.traffic.table()[HOST] == Some(app.sites[1].address)).await;
    until("the hook of the replaced one runs", async || gate.running() == 1).await;
    assert_eq!(app.read_app_server(first).await["serving"], "fallback", "it has drained");
    gate.let_go(1);
    until_settled(&app).await;
    let ended = gate.ended();
    assert_eq!(hooks_of(&ended), ["open.yml", "open.yml", "close.yml"]);
    let (build, hook) = (&ended[0], &ended[2]);
    assert_eq!(
        (&hook.source_repo, &hook.commit, &hook.variables, &hook.requirements),
        (&build.source_repo, &build.commit, &build.variables, &build.requirements)
    );
    assert!((850..=900).contains(&hook.global_timeout.as_secs()), "{:?}", hook.global_timeout);
    for line in ["Hook before traffic: open.yml of https://git.example/notebook.git", "Hook before traffic: done"] {
        assert!(app.log_says(first, line).await, "{:?}", app.log(first).await);
    }
    assert!(app.log_says(first, "Hook after traffic: done").await, "{:?}", app.log(first).await);
    let history = app.viewer().await.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200);
    assert_eq!((&history["items"][0]["kind"], &history["items"][0]["reason"]), (&json!("manual"), &json!("upgrade")));
    app.end().await;
}

#[tokio::test]
async fn a_failed_hook_before_traffic_refuses_the_activation() {
    let app = TestApp::start().await;
    let (instance, first, second) = two(&app).await;
    app.ansible.next_run_fails("workers : start", "no such unit");
    let problem = app.activate(second).await.problem(409);
    let why = "was not activated: Its hook before traffic failed: workers : start: no such unit";
    assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    assert_eq!(active(&app, instance).await, first);
    assert_eq!(app.traffic.table()[HOST], Some(app.sites[0].address));
    assert!(app.log_says(second, why).await, "{:?}", app.log(second).await);
    until_settled(&app).await;
    assert_eq!(hooks_of(&app.ansible.specs()), ["open.yml", "open.yml", "close.yml"]);
    app.activate(second).await.expect(200);
    assert_eq!(active(&app, instance).await, second);
    app.end().await;
}

#[tokio::test]
async fn a_forced_activation_runs_the_hook_and_does_not_depend_on_it() {
    let app = TestApp::start().await;
    let (instance, _, second) = two(&app).await;
    app.ansible.next_run_fails("workers : start", "no such unit");
    ask(&app, second, json!({ "force": true, "reason": "visitors first" })).await;
    app.until_serving(second, "active").await;
    assert_eq!(active(&app, instance).await, second);
    assert!(app.log_says(second, "Hook before traffic: workers : start: no such unit").await);
    app.end().await;
}

#[tokio::test]
async fn a_rollback_runs_the_hooks_of_both_and_holds_at_once() {
    let app = TestApp::start().await;
    let (instance, first, second) = two(&app).await;
    app.activate(second).await.expect(200);
    app.until_serving(first, "fallback").await;
    until_settled(&app).await;
    let rollback = format!("/api/v1/instances/{instance}/rollback");
    app.operator().await.post(&rollback, json!({})).await;
    assert!(app.read_instance(instance).await["hold"].is_object());
    app.until_serving(first, "active").await;
    app.until_serving(second, "fallback").await;
    until_settled(&app).await;
    let ran = hooks_of(&app.ansible.specs()).join(" ");
    assert_eq!(ran, "open.yml open.yml close.yml open.yml close.yml");
    app.end().await;
}

#[tokio::test]
async fn a_failed_hook_after_traffic_does_not_undo_the_switch() {
    let app = TestApp::start().await;
    let (instance, first, second) = two(&app).await;
    app.ansible.next_run(ocim::ansible::fake::FakeEnd::Outcome(ocim::ansible::port::RunOutcome::Succeeded));
    app.ansible.next_run_fails("workers : stop", "timed out");
    app.activate(second).await.expect(200);
    app.until_serving(first, "fallback").await;
    until_settled(&app).await;
    assert_eq!(active(&app, instance).await, second);
    assert!(app.log_says(first, "Hook after traffic: workers : stop: timed out").await, "{:?}", app.log(first).await);
    app.end().await;
}

#[tokio::test]
async fn a_machine_is_terminated_after_its_hook_even_if_the_hook_fails() {
    let app = TestApp::start().await;
    let (_, _, second) = two(&app).await;
    let operator = app.operator().await;
    app.ansible.next_run_fails("workers : stop", "timed out");
    operator.post(&format!("/api/v1/app-servers/{second}/terminate"), json!({})).await;
    until("the machine is gone", async || app.provider.machines().len() == 1).await;
    assert_eq!(hooks_of(&app.ansible.specs()), ["open.yml", "end.yml"]);
    assert!(app.log_says(second, "Hook before the end: workers : stop: timed out").await);
    app.end().await;
}

#[tokio::test]
async fn an_activation_that_waits_for_its_hook_ends_when_the_instance_is_archived() {
    let gate = GatedAnsible::new();
    let app = TestApp::with(Setup { ansible: Some(gate.clone()), ..Setup::default() }).await;
    let instance = hooked(&app).await;
    gate.let_go(3);
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    app.activate(first).await.expect(200);
    ask(&app, second, json!({})).await;
    until("its hook runs", async || gate.running() == 1).await;
    app.operator().await.delete(&format!("/api/v1/instances/{instance}?terminate=true")).await.expect(200);
    gate.let_go(10);
    until_settled(&app).await;
    assert_eq!(active(&app, instance).await, Value::Null);
    assert!(app.log_says(second, "was not activated").await, "{:?}", app.log(second).await);
    until("the machines are gone", async || app.provider.machines().is_empty()).await;
    app.end().await;
}

#[tokio::test]
async fn app_servers_of_an_earlier_version_have_no_hooks() {
    let app = TestApp::start().await;
    let instance = hooked(&app).await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    app.execute("ALTER TABLE app_servers DISABLE TRIGGER app_servers_are_immutable").await;
    app.execute("UPDATE app_servers SET hooks = DEFAULT").await;
    app.execute("ALTER TABLE app_servers ENABLE TRIGGER app_servers_are_immutable").await;
    app.activate(first).await.expect(200);
    app.activate(second).await.expect(200);
    app.until_serving(first, "fallback").await;
    app.operator().await.delete(&format!("/api/v1/instances/{instance}?terminate=true")).await.expect(200);
    until("the machines are gone", async || app.provider.machines().is_empty()).await;
    assert_eq!(app.number(RUNS).await, 0);
    app.end().await;
}

#[tokio::test]
async fn an_activation_survives_a_crash_at_every_point_of_its_hooks_and_of_its_end() {
    let app = TestApp::idle().await;
    let instance = hooked(&app).await;
    let both = [app.running(instance).await, app.running(instance).await];
    let mut died = Vec::new();
    for (point, id) in (1..).zip(both.into_iter().cycle()) {
        ask(&app, id, json!({})).await;
        let end = app.elsewhere(point, move |builder| async move { goes_on(&builder, id).await }).await;
        if let End::Died(at) = &end {
            died.push(at.clone());
            app.outlive_leases().await;
            goes_on(&app.builder(), id).await;
        }
        // Runs the jobs once more: a job may be delivered twice.
        goes_on(&app.builder(), id).await;
        assert_eq!(active(&app, instance).await, id, "after {end:?}");
        assert_eq!(app.number(UNSETTLED).await, 0, "after {end:?}");
        if matches!(end, End::Done(_)) {
            break;
        }
    }
    for effect in ["prepare", "run", "ask"] {
        for when in ["before", "after"] {
            assert!(died.contains(&format!("{when} {effect}")), "no crash {when} {effect}: {died:?}");
        }
    }
    assert!(app.log_says(both[0], "the worker was interrupted; it runs again").await);
    app.end().await;
}

/// Runs the jobs of an activation with hooks.
async fn goes_on(builder: &ocim::instances::builds::Builder, id: i64) {
    builder.run_hooks(AppServerId(id)).await.unwrap();
    after_hooks::settle(builder.manager(), AppServerId(id)).await.unwrap();
}
