//! Preview links: made and revoked by people, told to the gateway with the routes, and ended by activation, termination and time.

use ocim::instances::traffic::apply_routing;
use ocim::routing::traffic::Preview;
use ocim::worker::housekeeping;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_types::Role;

use crate::app::{Client, TestApp, until};

/// An instance with an active app server and a candidate.
async fn with_candidate(app: &TestApp) -> (i64, i64) {
    let instance = app.instance("demo").await;
    let first = app.running(instance).await;
    app.activate(first).await.expect(200);
    (instance, app.running(instance).await)
}

fn path(id: i64) -> String {
    format!("/api/v1/app-servers/{id}/preview-links")
}

async fn make(operator: &Client, id: i64) -> Value {
    operator.post(&path(id), json!({})).await.expect(201)
}

async fn until_links(app: &TestApp, count: usize) -> Vec<Preview> {
    until("the gateway has the links", async || app.traffic.previews("demo.localhost").len() == count).await;
    app.traffic.previews("demo.localhost")
}

#[tokio::test]
async fn the_gateway_accepts_a_link_until_it_is_revoked_and_nothing_keeps_its_token() {
    let app = TestApp::start().await;
    let (_, candidate) = with_candidate(&app).await;
    let operator = app.operator().await;
    let answer = operator.post(&path(candidate), json!({ "hours": 2 })).await;
    let made = answer.expect(201);
    let urls = made["urls"].as_array().unwrap();
    assert_eq!(urls.len(), 1, "the link of the main name is enough for its subdomains: {urls:?}");
    let (base, token) = urls[0].as_str().unwrap().rsplit_once('/').unwrap();
    assert!(base.contains("://demo.localhost") && base.ends_with("/.ocim/preview") && token.len() == 64, "{base}");

    let hash = hex::encode(Sha256::digest(token));
    let links = until_links(&app, 1).await;
    let seconds = (links[0].ends_at - chrono::Utc::now()).num_seconds();
    assert!((7100..=7200).contains(&seconds), "{seconds}");
    for host in ["demo.localhost", "studio.demo.localhost"] {
        let expected = Preview {
            hash: hash.clone(),
            target: app.sites[1].address,
            ends_at: links[0].ends_at,
            domain: "demo.localhost".to_owned(),
        };
        assert_eq!(app.traffic.previews(host), [expected], "{host}");
    }
    assert_eq!(app.traffic.table()["demo.localhost"], Some(app.sites[0].address), "everyone else sees the active one");

    let listed = app.viewer().await.get(&path(candidate)).await;
    assert!(!listed.body.contains(token) && !listed.body.contains(&hash));
    let items = listed.expect(200)["items"].clone();
    assert_eq!((items.as_array().unwrap().len(), &items[0]["id"]), (1, &made["id"]));
    for table in
        ["preview_links", "gateway_routes", "audit_log", "log_lines", "events", "graphile_worker._private_jobs"]
    {
        let is_there = format!("SELECT count(*) AS n FROM information_schema.tables WHERE table_name = '{table}'");
        if app.number(&is_there).await == 1 {
            let kept = format!("SELECT count(*) AS n FROM {table} AS kept WHERE kept::text LIKE '%{token}%'");
            assert_eq!(app.number(&kept).await, 0, "{table}");
        }
    }

    let link = format!("{}/{}", path(candidate), made["id"]);
    let other = format!("{}/{}", path(candidate - 1), made["id"]);
    operator.delete(&other).await.problem(404);
    app.viewer().await.delete(&link).await.problem(403);
    operator.delete(&link).await.expect(204);
    until_links(&app, 0).await;
    operator.delete(&link).await.problem(404);
    let trail = app.person(Role::Admin).await.get("/api/v1/activity?limit=50").await.expect(200);
    let count = |action| {
        trail["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["action"] == action && one["outcome"] == "done")
            .count()
    };
    assert_eq!((count("create_preview_link"), count("delete_preview_link")), (1, 1));
    app.end().await;
}

#[tokio::test]
async fn activation_and_termination_revoke_the_links() {
    let app = TestApp::start().await;
    let (instance, candidate) = with_candidate(&app).await;
    let third = app.running(instance).await;
    let operator = app.operator().await;
    make(&operator, candidate).await;
    make(&operator, candidate).await;
    make(&operator, third).await;
    until_links(&app, 3).await;
    app.activate(candidate).await.expect(200);
    let left = until_links(&app, 1).await;
    assert_eq!(left[0].target, app.sites[2].address, "the link of another candidate goes on");
    assert_eq!(operator.get(&path(candidate)).await.expect(200)["items"], json!([]), "it is active");
    operator.post(&format!("/api/v1/app-servers/{third}/terminate"), json!({})).await.expect(202);
    until_links(&app, 0).await;
    assert_eq!(app.number("SELECT count(*) AS n FROM preview_links").await, 0);
    app.end().await;
}

#[tokio::test]
async fn an_archived_instance_has_no_links() {
    let app = TestApp::start().await;
    let (instance, candidate) = with_candidate(&app).await;
    let operator = app.operator().await;
    make(&operator, candidate).await;
    until_links(&app, 1).await;
    operator.delete(&format!("/api/v1/instances/{instance}?terminate=true")).await.expect(200);
    until_links(&app, 0).await;
    assert_eq!(app.number("SELECT count(*) AS n FROM preview_links").await, 0);
    app.end().await;
}

#[tokio::test]
async fn a_link_that_has_ended_is_listed_and_published_no_more_and_is_deleted() {
    let app = TestApp::start().await;
    let (_, candidate) = with_candidate(&app).await;
    let operator = app.operator().await;
    make(&operator, candidate).await;
    make(&operator, candidate).await;
    until_links(&app, 2).await;
    app.execute(
        "UPDATE preview_links SET created = now() - interval '2 hours', ends_at = now() - interval '1 second' \
         WHERE id = (SELECT min(id) FROM preview_links)",
    )
    .await;
    assert_eq!(operator.get(&path(candidate)).await.expect(200)["items"].as_array().unwrap().len(), 1);
    apply_routing::apply_all(&app.manager).await.unwrap();
    assert_eq!(app.traffic.previews("demo.localhost").len(), 1);
    assert_eq!(app.number("SELECT count(*) AS n FROM preview_links").await, 2);
    housekeeping::sweep(&app.manager).await.unwrap();
    assert_eq!(app.number("SELECT count(*) AS n FROM preview_links").await, 1);
    app.end().await;
}

#[tokio::test]
async fn links_to_what_is_no_candidate_and_too_many_of_them_are_refused() {
    let app = TestApp::start().await;
    let (instance, candidate) = with_candidate(&app).await;
    let operator = app.operator().await;
    let active = app.read_instance(instance).await["active_appserver"]["id"].as_i64().unwrap();
    let problem = operator.post(&path(active), json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("every visitor sees it"), "{problem}");
    app.viewer().await.post(&path(candidate), json!({})).await.problem(403);
    for hours in [0, -1, 169] {
        operator.post(&path(candidate), json!({ "hours": hours })).await.field_error("/hours");
    }
    operator.post(&path(candidate), json!({ "hours": 168 })).await.expect(201);
    for _ in 1..5 {
        make(&operator, candidate).await;
    }
    let problem = operator.post(&path(candidate), json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("revoke one first"), "{problem}");
    until_links(&app, 5).await;
    app.end().await;
}

#[tokio::test]
async fn an_answer_that_waits_comes_when_the_gateway_has_the_link() {
    let app = TestApp::start().await;
    let (_, candidate) = with_candidate(&app).await;
    let operator = app.operator().await;
    let request =
        operator.request(reqwest::Method::POST, &path(candidate)).header("prefer", "wait=30").json(&json!({}));
    crate::app::Answer::to(request).await.expect(201);
    assert_eq!(app.traffic.previews("demo.localhost").len(), 1);
    app.end().await;
}
