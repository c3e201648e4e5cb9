//! Machines whose provider does not answer for a while: their status is unknown until it answers again, and nothing else
//! changes.

use ocim::instances::upkeep::reaper;
use ocim::machines::providers::fake::FakeCreate;
use serde_json::json;
use shared_types::ServerId;

use crate::app::{TestApp, until};

async fn until_status(app: &TestApp, id: i64, status: &str) {
    until(status, async || app.read_app_server(id).await["server"]["status"] == status).await;
}

async fn sweep(app: &TestApp) {
    reaper::sweep(&app.manager).await.unwrap();
}

/// How often an app server's log says that the state of the machine is not known.
async fn told(app: &TestApp, id: i64) -> usize {
    let words = "VM unknown: The provider's API is not responsive";
    app.log(id).await.iter().filter(|line| line.as_str() == words).count()
}

#[tokio::test]
async fn a_build_whose_provider_stops_answering_goes_on_when_it_answers_again() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.set_answers_ssh(false);
    let id = app.launched(instance).await;
    until_status(&app, id, "booting").await;
    app.provider.set_away(true);
    until_status(&app, id, "unknown").await;
    // The sweep leaves the machines of builds to them.
    sweep(&app).await;
    app.provider.set_answers_ssh(true);
    app.provider.set_away(false);
    let built = app.until_built(id).await;
    assert_eq!((&built["status"], &built["server"]["status"]), (&json!("running"), &json!("ready")), "{built:#}");
    assert_eq!((app.provider.calls().create, told(&app, id).await), (1, 1));
    app.end().await;
}

#[tokio::test]
async fn a_machine_that_was_not_requested_before_the_outage_is_created_after_it() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.set_away(true);
    let id = app.launched(instance).await;
    until_status(&app, id, "unknown").await;
    assert_eq!(app.provider.calls().create, 0);
    app.provider.set_away(false);
    assert_eq!(app.until_built(id).await["status"], "running");
    assert_eq!((app.provider.calls().create, app.provider.machines().len()), (1, 1));
    app.end().await;
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_before_the_outage_makes_no_second_machine() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.next_create(FakeCreate::AnswerLost);
    app.provider.set_answers_ssh(false);
    let id = app.launched(instance).await;
    until("a machine is made", async || app.provider.calls().create == 1).await;
    app.provider.set_away(true);
    until_status(&app, id, "unknown").await;
    app.provider.set_answers_ssh(true);
    app.provider.set_away(false);
    assert_eq!(app.until_built(id).await["status"], "running");
    assert_eq!((app.provider.calls().create, app.provider.machines().len()), (1, 1));
    app.end().await;
}

#[tokio::test]
async fn a_reboot_during_an_outage_is_still_verified_by_the_boot() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.set_restarts(false);
    let id = app.launched(instance).await;
    until("the first reboot", async || app.provider.calls().reboot == 1).await;
    app.provider.set_away(true);
    until_status(&app, id, "unknown").await;
    app.provider.set_restarts(true);
    app.provider.set_away(false);
    assert_eq!(app.until_built(id).await["status"], "running");
    assert!(app.provider.calls().reboot >= 2, "the first one did not restart it");
    app.end().await;
}

#[tokio::test]
async fn a_machine_that_vanishes_during_an_outage_ends_its_build() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.set_answers_ssh(false);
    let id = app.launched(instance).await;
    until_status(&app, id, "booting").await;
    app.provider.set_away(true);
    until_status(&app, id, "unknown").await;
    app.provider.lose(ServerId(1));
    app.provider.set_away(false);
    let built = app.until_built(id).await;
    assert_eq!((&built["status"], &built["server"]["status"]), (&json!("error"), &json!("terminated")), "{built:#}");
    app.end().await;
}

#[tokio::test]
async fn ready_machines_are_unknown_while_their_provider_is_away_and_traffic_can_still_move() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let first = app.running(instance).await;
    let second = app.running(instance).await;
    app.activate(first).await.expect(200);
    app.provider.set_away(true);
    sweep(&app).await;
    sweep(&app).await;
    for id in [first, second] {
        let read = app.read_app_server(id).await;
        assert_eq!((&read["status"], &read["server"]["status"]), (&json!("running"), &json!("unknown")));
        assert_eq!(told(&app, id).await, 1, "once an outage");
    }
    let listed = app.viewer().await.get("/api/v1/servers?status=unknown").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2, "{listed:#}");
    app.activate(second).await.expect(200);
    app.provider.set_away(false);
    sweep(&app).await;
    for id in [first, second] {
        assert_eq!(app.read_app_server(id).await["server"]["status"], "ready");
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM orphans").await, 0);
    app.end().await;
}

#[tokio::test]
async fn a_machine_that_is_gone_after_an_outage_is_written_off_and_an_unlisted_one_is_not() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let lost = app.running(instance).await;
    let kept = app.running(instance).await;
    app.provider.set_away(true);
    sweep(&app).await;
    let server = app.read_app_server(lost).await["server"]["id"].as_i64().unwrap();
    app.provider.lose(ServerId(server));
    app.provider.set_away(false);
    // A lookup by id finds the other one.
    app.provider.set_lists_nothing(true);
    sweep(&app).await;
    assert_eq!(app.read_app_server(kept).await["server"]["status"], "ready");
    assert_eq!(app.read_app_server(lost).await["server"]["status"], "unknown");
    app.provider.set_lists_nothing(false);
    app.execute("UPDATE orphans SET first_seen = first_seen - interval '60 seconds'").await;
    sweep(&app).await;
    assert_eq!(app.read_app_server(lost).await["server"]["status"], "terminated");
    app.end().await;
}
