//! The build queue: a limit on concurrent builds, their order, and the pause.

use serde_json::{Value, json};

use crate::app::{Answer, GatedAnsible, Setup, TestApp, until};

#[tokio::test]
async fn five_launches_are_built_two_at_a_time() {
    let ansible = GatedAnsible::new();
    let app = TestApp::with(Setup { slots: 2, ansible: Some(ansible.clone()), ..Setup::default() }).await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three", "four", "five"] {
        let instance = app.instance(name).await;
        ids.push(app.launched(instance).await);
    }
    until("two playbooks run", async || ansible.running() == 2).await;
    let mut ahead: Vec<i64> = Vec::new();
    for id in &ids {
        ahead.extend(app.read_app_server(*id).await["progress"]["queued"]["ahead"].as_i64());
    }
    assert_eq!(ahead, [0, 1, 2]);
    ansible.let_go(5);
    for id in ids {
        assert_eq!(app.until_built(id).await["status"], "running");
    }
    assert_eq!(ansible.most(), 2);
    assert_eq!(app.provider.machines().len(), 5);
    app.end().await;
}

#[tokio::test]
async fn an_instance_builds_one_at_a_time_unless_more_are_allowed() {
    let ansible = GatedAnsible::new();
    let app = TestApp::with(Setup { ansible: Some(ansible.clone()), ..Setup::default() }).await;
    let instance = app.instance("demo").await;
    let (first, second) = (app.launched(instance).await, app.launched(instance).await);
    until("the first playbook runs", async || ansible.running() == 1).await;
    let queued = app.read_app_server(second).await["progress"]["queued"].clone();
    assert_eq!((&queued["is_instance_busy"], &queued["ahead"]), (&json!(true), &json!(0)), "{queued}");
    let read = app.read_instance(instance).await;
    let path = format!("/api/v1/instances/{instance}");
    let two = json!({ "max_builds": 2 });
    app.operator().await.patch(&path, read["etag"].as_str().unwrap(), two).await.expect(200);
    until("both playbooks run", async || ansible.running() == 2).await;
    ansible.let_go(2);
    for id in [first, second] {
        assert_eq!(app.until_built(id).await["status"], "running");
    }
    app.end().await;
}

#[tokio::test]
async fn production_comes_before_previews() {
    let ansible = GatedAnsible::new();
    let app = TestApp::with(Setup { slots: 1, ansible: Some(ansible.clone()), ..Setup::default() }).await;
    let operator = app.operator().await;
    let mut ids = Vec::new();
    for (name, tier) in [("one", "production"), ("pr1", "preview"), ("pr2", "preview"), ("two", "production")] {
        let body = json!({ "name": name, "sub_domain": name, "tier": tier });
        let instance = operator.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap();
        ids.push(app.launched(instance).await);
        if name == "one" {
            until("the playbook runs", async || ansible.running() == 1).await;
        }
    }
    let queue = operator.get("/api/v1/queue").await.expect(200);
    let waiting: Vec<(i64, &str)> = queue["waiting"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["app_server_id"].as_i64().unwrap(), one["waits_for"].as_str().unwrap()))
        .collect();
    let words = |ahead| format!("queued: 1 of 1 slots in use, {ahead} ahead");
    assert_eq!(
        waiting,
        [(ids[3], words(0).as_str()), (ids[1], words(1).as_str()), (ids[2], words(2).as_str())],
        "{queue:#}"
    );
    assert_eq!((&queue["slots"], &queue["slots_in_use"]), (&json!(1), &json!(1)));
    assert_eq!(queue["building"][0]["app_server_id"], ids[0]);
    assert_eq!(queue["workers"][0]["id"], queue["building"][0]["worker"]);
    ansible.let_go(4);
    let mut begun = Vec::new();
    for id in &ids {
        app.until_built(*id).await;
        let at =
            format!("SELECT (extract(epoch FROM begun_at) * 1e6)::bigint AS n FROM builds WHERE app_server_id = {id}");
        begun.push((app.number(&at).await, *id));
    }
    begun.sort_unstable();
    let order: Vec<i64> = begun.into_iter().map(|(_, id)| id).collect();
    assert_eq!(order, [ids[0], ids[3], ids[1], ids[2]]);
    app.end().await;
}

#[tokio::test]
async fn a_paused_queue_begins_no_build_and_ends_running_ones() {
    let ansible = GatedAnsible::new();
    let app = TestApp::with(Setup { ansible: Some(ansible.clone()), ..Setup::default() }).await;
    let (one, two) = (app.instance("one").await, app.instance("two").await);
    let first = app.launched(one).await;
    until("the playbook runs", async || ansible.running() == 1).await;
    let operator = app.operator().await;
    let pause = async || {
        let request = operator.request(reqwest::Method::PUT, "/api/v1/queue/pause");
        Answer::to(request.json(&json!({ "reason": "upgrade" }))).await.expect(200)
    };
    let paused = pause().await;
    assert_eq!(paused["pause"]["reason"], "upgrade");
    assert_eq!(pause().await["pause"], paused["pause"], "paused again is paused");
    let second = app.launched(two).await;
    ansible.let_go(2);
    assert_eq!(app.until_built(first).await["status"], "running");
    app.builder().dispatch().await.unwrap();
    let waits = app.read_app_server(second).await;
    assert_eq!((&waits["status"], &waits["progress"]["queued"]["is_paused"]), (&json!("new"), &json!(true)));
    let resumed = operator.delete("/api/v1/queue/pause").await.expect(200);
    assert_eq!(resumed["pause"], Value::Null);
    operator.delete("/api/v1/queue/pause").await.expect(200);
    assert_eq!(app.until_built(second).await["status"], "running");
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action IN ('pause_queue', 'resume_queue')";
    assert_eq!(app.number(audited).await, 2);
    app.end().await;
}

#[tokio::test]
async fn launches_are_refused_with_the_reason_if_no_build_can_begin() {
    // Without a worker, which checks by itself and would replace this trouble.
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.manager.trouble.set(Some("the disk of /data is full".to_owned()));
    let path = format!("/api/v1/instances/{instance}/app-servers");
    let problem = app.operator().await.post(&path, json!({})).await.problem(503);
    assert_eq!(problem["detail"], "No build begins now: the disk of /data is full.");
    app.manager.trouble.set(None);
    app.running(instance).await;
    app.end().await;
}

#[tokio::test]
async fn two_workers_share_builds_and_none_is_built_twice() {
    let app = TestApp::with(Setup { slots: 3, ..Setup::default() }).await;
    let duties = ocim::worker::Duties { slots: 3, tells_gateway: false };
    let stop = app.stop.child_token();
    let second = ocim::worker::Worker::start(app.watch.clone(), &app.bus, duties, stop.clone()).await.unwrap();
    let mut ids = Vec::new();
    for n in 0..12 {
        let instance = app.instance(&format!("site{n}")).await;
        ids.push(app.launched(instance).await);
    }
    for id in &ids {
        assert_eq!(app.until_built(*id).await["status"], "running");
    }
    let calls = app.ansible.calls();
    assert_eq!((calls.run, calls.recover, app.provider.calls().create), (12, 0, 12));
    // A worker that is told to finish ends its builds and begins none.
    second.finish().await;
    stop.cancel();
    second.ended().await;
    app.end().await;
}

#[tokio::test]
async fn a_build_shows_its_deadline_and_its_estimated_end() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.set_answers_ssh(false);
    let progress = async |id: i64| {
        until("the build waits", async || app.read_app_server(id).await["progress"]["step"] == "server").await;
        app.read_app_server(id).await["progress"].clone()
    };
    let first = app.launched(instance).await;
    let waits = progress(first).await;
    assert!(waits["deadline"].is_string(), "{waits}");
    assert_eq!(waits["estimated_end"], Value::Null, "there is no estimate before the first build has ended");
    app.provider.set_answers_ssh(true);
    let built = app.until_built(first).await;
    assert_eq!((&built["status"], &built["progress"]["deadline"]), (&json!("running"), &Value::Null));
    app.provider.set_answers_ssh(false);
    // A build of the same instance, and one of an instance without builds of its own to estimate from.
    let other = app.instance("other").await;
    for instance in [instance, other] {
        let id = app.launched(instance).await;
        assert!(progress(id).await["estimated_end"].is_string());
    }
    app.provider.set_answers_ssh(true);
    app.until_built(2).await;
    app.until_built(3).await;
    app.end().await;
}
