//! Several providers: which one makes a machine, budgets and quotas, and one that the settings no longer have.

use std::time::Duration;

use ocim::instances::upkeep::reaper;
use ocim::machines::provider::{MachineOffer, ProviderError};
use ocim::machines::providers::fake::FakeCreate;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::{AppServerId, Role, ServerId};

use crate::app::{Answer, GatedAnsible, Setup, TestApp, until};

const OTHER: &str = "frankfurt";

/// Sets the provider of an instance's next machines.
async fn choose(app: &TestApp, instance: i64, provider: Value) {
    let path = format!("/api/v1/instances/{instance}");
    let etag = app.read_instance(instance).await["etag"].as_str().unwrap().to_owned();
    let changed = app.operator().await.patch(&path, &etag, json!({ "provider": provider })).await.expect(200);
    assert_eq!(changed["provider"], provider);
}

/// What a waiting build waits for, as the queue says; none: it does not wait.
async fn waits_for(app: &TestApp, id: i64) -> Option<String> {
    let queue = app.viewer().await.get("/api/v1/queue").await.expect(200);
    let waiting = queue["waiting"].as_array().unwrap().iter().find(|one| one["app_server_id"] == id)?.clone();
    Some(waiting["waits_for"].as_str().unwrap().to_owned())
}

async fn quota_of(app: &TestApp, id: i64) -> Value {
    app.read_app_server(id).await["progress"]["queued"]["quota"].clone()
}

async fn terminate(app: &TestApp, id: i64) {
    let path = format!("/api/v1/app-servers/{id}/terminate");
    let operator = app.operator().await;
    // After a switch it drains for a moment, and the request is refused.
    until("it is terminated", async || {
        let request = operator.request(Method::POST, &path).header("prefer", "wait=20");
        Answer::to(request.json(&json!({}))).await.status == 200
    })
    .await;
}

async fn stop(app: &TestApp, id: i64) {
    let request = app.operator().await.request(Method::POST, &format!("/api/v1/app-servers/{id}/stop"));
    let stopped = Answer::to(request.header("prefer", "wait=20").json(&json!({}))).await.expect(200);
    assert_eq!(stopped["status"], "stopped");
}

#[tokio::test]
async fn an_instance_moves_to_another_provider_with_its_next_launch_and_each_machine_stays_where_it_is() {
    let app = TestApp::with(Setup { other: Some(OTHER), ..Setup::default() }).await;
    let instance = app.instance("demo").await;
    let first = app.running(instance).await;
    app.activate(first).await.expect(200);
    choose(&app, instance, json!(OTHER)).await;
    assert_eq!(app.read_app_server(first).await["server"]["provider"], "fake");
    let second = app.running(instance).await;
    assert_eq!(app.read_app_server(second).await["server"]["provider"], OTHER);
    let made = async |id: i64| ServerId(app.read_app_server(id).await["server"]["id"].as_i64().unwrap());
    assert_eq!((app.provider.machines(), app.other.machines()), (vec![made(first).await], vec![made(second).await]));
    // The reaper finds each at its own provider.
    reaper::sweep(&app.manager).await.unwrap();
    assert_eq!(app.number("SELECT count(*) AS n FROM orphans").await, 0);
    app.activate(second).await.expect(200);
    terminate(&app, first).await;
    assert_eq!((app.provider.machines().len(), app.other.machines().len()), (0, 1));
    choose(&app, instance, Value::Null).await;
    let third = app.running(instance).await;
    assert_eq!(app.read_app_server(third).await["server"]["provider"], "fake");
    app.end().await;
}

#[tokio::test]
async fn an_unknown_provider_cannot_be_chosen_and_the_others_are_named() {
    let app = TestApp::with(Setup { other: Some(OTHER), works: false, ..Setup::default() }).await;
    let instance = app.instance("demo").await;
    let etag = app.read_instance(instance).await["etag"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/instances/{instance}");
    for (wrong, words) in [
        (json!("moon"), "There is no provider of this name; choose one of: fake, frankfurt."),
        (json!("Moon!"), "A provider's name has 1 to 32 small letters, digits and hyphens, the first a letter."),
        (json!(7), "Must be a provider's name."),
    ] {
        let problem = app.operator().await.patch(&path, &etag, json!({ "provider": wrong })).await.problem(422);
        assert_eq!(problem["errors"], json!([{ "pointer": "/provider", "detail": words }]), "{problem:#}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_launch_is_refused_in_words_if_the_chosen_provider_has_no_such_machines_or_is_gone() {
    let app = TestApp::with(Setup { other: Some(OTHER), works: false, ..Setup::default() }).await;
    app.other.offer(MachineOffer { memory_mb: Some(512), ..MachineOffer::ANY });
    let body = json!({ "name": "Demo", "instance_type": "tutor", "sub_domain": "demo" });
    let instance = app.operator().await.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap();
    choose(&app, instance, json!(OTHER)).await;
    let path = format!("/api/v1/instances/{instance}/app-servers");
    let problem = app.operator().await.post(&path, json!({})).await.problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("MB of memory") && detail.contains("`frankfurt` do not have"), "{detail}");
    app.execute("UPDATE instances SET provider = 'moon'").await;
    let problem = app.operator().await.post(&path, json!({})).await.problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("The instance's provider is `moon`, which the settings do not have"), "{detail}");
    assert_eq!((app.provider.calls().create, app.other.calls().create), (0, 0));
    app.end().await;
}

#[tokio::test]
async fn a_build_waits_in_the_queue_while_its_provider_has_as_many_machines_as_it_may_have() {
    let app = TestApp::with(Setup { budget: Some(1), other: Some(OTHER), ..Setup::default() }).await;
    let (one, two) = (app.instance("one").await, app.instance("two").await);
    let first = app.running(one).await;
    let second = app.launched(two).await;
    let words = "waiting for quota: 1 of 1 machines of fake";
    assert_eq!(waits_for(&app, second).await.unwrap(), format!("queued: {words}, 0 ahead"));
    assert_eq!(quota_of(&app, second).await, words);
    app.builder().dispatch().await.unwrap();
    assert_eq!(app.read_app_server(second).await["status"], "new");
    // Builds at another provider need not wait.
    choose(&app, one, json!(OTHER)).await;
    assert_eq!(app.built(one).await["status"], "running");
    terminate(&app, first).await;
    app.builder().dispatch().await.unwrap();
    assert_eq!(app.until_built(second).await["status"], "running");
    let system = app.viewer().await.get("/api/v1/system").await.expect(200);
    let provider = &system["providers"][0];
    assert_eq!(
        (&provider["name"], &provider["is_default"], &provider["machines"], &provider["budget"], &provider["quota"]),
        (&json!("fake"), &json!(true), &json!(1), &json!(1), &json!(words)),
        "{system:#}"
    );
    app.end().await;
}

#[tokio::test]
async fn concurrent_builds_exceed_no_budget() {
    let ansible = GatedAnsible::new();
    let setup = Setup { budget: Some(3), slots: 8, ansible: Some(ansible.clone()), ..Setup::default() };
    let app = TestApp::with(setup).await;
    let mut ids = Vec::new();
    for number in 1..=8 {
        let instance = app.instance(&format!("one{number}")).await;
        ids.push(app.launched(instance).await);
    }
    until("three playbooks run", async || ansible.running() == 3).await;
    // Each of the others is asked to begin, and does not.
    for id in &ids {
        app.builder().advance(AppServerId(*id)).await.unwrap();
    }
    assert_eq!((ansible.running(), app.provider.machines().len()), (3, 3));
    ansible.let_go(8);
    for _ in 0..8 {
        let running = "SELECT min(a.id) AS n FROM app_servers AS a WHERE a.status = 'running'";
        until("one is running", async || {
            app.number("SELECT count(*) AS n FROM app_servers WHERE status = 'running'").await > 0
        })
        .await;
        terminate(&app, app.number(running).await).await;
        app.builder().dispatch().await.unwrap();
        assert!(app.provider.machines().len() <= 3);
    }
    assert_eq!(app.provider.calls().create, 8);
    app.end().await;
}

#[tokio::test]
async fn a_build_that_meets_a_quota_waits_in_the_queue_without_a_slot_and_begins_again() {
    let app = TestApp::with(Setup { slots: 1, other: Some(OTHER), ..Setup::default() }).await;
    let (one, two) = (app.instance("one").await, app.instance("two").await);
    let quota = || ProviderError::Quota("Quota exceeded for cores: 40 of 40".to_owned());
    app.provider.next_create(FakeCreate::Refused(quota()));
    let first = app.launched(one).await;
    until("it waits", async || waits_for(&app, first).await.is_some_and(|words| words.contains("quota of fake"))).await;
    let words = quota_of(&app, first).await.as_str().unwrap().to_owned();
    assert!(words.starts_with("waiting for quota of fake until "), "{words}");
    assert!(words.ends_with(" UTC: Quota exceeded for cores: 40 of 40"), "{words}");
    assert!(app.log_says(first, "The provider fake makes no more machines for now: Quota exceeded").await);
    // The only slot is free for a build at another provider.
    choose(&app, two, json!(OTHER)).await;
    assert_eq!(app.built(two).await["status"], "running");
    let pause = "SELECT extract(epoch FROM paused_until - now())::bigint AS n FROM providers WHERE name = 'fake'";
    let seconds = app.number(pause).await;
    assert!((1..=45).contains(&seconds), "{seconds}");
    // It is refused again, and the pause grows.
    app.provider.next_create(FakeCreate::Refused(quota()));
    app.execute("UPDATE providers SET paused_until = now() WHERE name = 'fake'").await;
    app.builder().dispatch().await.unwrap();
    until("it is refused again", async || {
        app.number("SELECT refusals::bigint AS n FROM providers WHERE name = 'fake'").await == 2
    })
    .await;
    assert!(app.number(pause).await >= 20);
    app.execute("UPDATE providers SET paused_until = now() WHERE name = 'fake'").await;
    app.builder().dispatch().await.unwrap();
    let built = app.until_built(first).await;
    assert_eq!((&built["status"], &built["attempt"]), (&json!("running"), &json!(1)), "{built:#}");
    assert_eq!(app.number("SELECT refusals::bigint AS n FROM providers WHERE name = 'fake'").await, 0);
    assert_eq!((app.provider.calls().create, app.provider.machines().len()), (3, 1));
    app.end().await;
}

#[tokio::test]
async fn a_build_that_waits_for_a_quota_can_be_stopped() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.next_create(FakeCreate::Refused(ProviderError::Quota("no more cores".to_owned())));
    let id = app.launched(instance).await;
    until("it waits", async || waits_for(&app, id).await.is_some_and(|words| words.contains("quota"))).await;
    stop(&app, id).await;
    assert_eq!(app.provider.machines(), []);
    app.end().await;
}

#[tokio::test]
async fn a_build_that_waits_for_its_machine_takes_no_slot() {
    let app = TestApp::with(Setup { slots: 1, other: Some(OTHER), ..Setup::default() }).await;
    app.provider.set_pace(Duration::from_millis(20));
    app.provider.next_create(FakeCreate::Slow(100_000));
    let (one, two) = (app.instance("one").await, app.instance("two").await);
    let slow = app.launched(one).await;
    until("its machine is requested", async || app.provider.calls().create == 1).await;
    choose(&app, two, json!(OTHER)).await;
    assert_eq!(app.built(two).await["status"], "running");
    let queue = app.viewer().await.get("/api/v1/queue").await.expect(200);
    assert_eq!((&queue["slots_in_use"], &queue["building"][0]["app_server_id"]), (&json!(0), &json!(slow)));
    stop(&app, slow).await;
    app.end().await;
}

#[tokio::test]
async fn nothing_is_done_with_the_machines_of_a_provider_that_the_settings_lack() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.execute("UPDATE servers SET provider = 'moon'").await;
    for _ in 0..3 {
        reaper::sweep(&app.manager).await.unwrap();
        app.execute("UPDATE orphans SET first_seen = first_seen - interval '2 hours'").await;
    }
    let orphans = app.viewer().await.get("/api/v1/servers/orphans").await.expect(200);
    let note = orphans["note"].as_str().unwrap();
    assert!(note.contains("the settings do not have the provider `moon`, which has 1 machines"), "{note}");
    let read = app.read_app_server(id).await;
    assert_eq!((&read["status"], &read["server"]["status"]), (&json!("running"), &json!("ready")));
    let system = app.person(Role::Viewer).await.get("/api/v1/system").await.expect(200);
    let last = system["providers"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["name"], &last["kind"], &last["machines"]), (&json!("moon"), &Value::Null, &json!(1)));
    // A termination waits for the provider.
    let path = format!("/api/v1/app-servers/{id}/terminate");
    app.operator().await.post(&path, json!({})).await.expect(202);
    let told = "SELECT count(*) AS n FROM graphile_worker.jobs WHERE last_error LIKE '%is of the provider `moon`%'";
    until("its job says why it waits", async || app.number(told).await == 1).await;
    assert_eq!(app.read_app_server(id).await["server"]["status"], "ready");
    app.execute("UPDATE servers SET provider = 'fake'").await;
    app.execute("UPDATE graphile_worker._private_jobs SET run_at = now()").await;
    until("it ends", async || app.read_app_server(id).await["server"]["status"] == "terminated").await;
    app.end().await;
}
