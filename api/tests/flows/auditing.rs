//! Every operation that changes something leaves one entry in the audit log. The operations are read from the OpenAPI
//! document, so this test fails for a new operation until the story performs it, too.

use std::collections::BTreeSet;
use std::sync::Arc;

use ocim::ansible::fake::FakeEnd;
use ocim::backups::Backups;
use ocim::backups::fake::FakeBackups;
use ocim::certificates::store::wanted;
use ocim::config::Settings;
use ocim::config::sections::CertificatesFrom;
use ocim::instances::backups::work;
use ocim::instances::upkeep::reaper;
use ocim::resources::providers::fake::FakeServer;
use ocim::resources::registry::{Named, Servers};
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::{ResourceKind, Role, ServerId};

use super::pull_requests::FORK;
use super::resources;
use crate::app::github::{FakeGithub, PullSpec};
use crate::app::{Answer, Client, Credentials, Setup, TestApp, until};
use crate::routes::document::operations;

const OLD: &str = "correct horse battery staple";
const NEW: &str = "seven otters juggle lamps";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvFOWNs7imHHStqzdq3XANO9/b09kOXKCFdrjQudOCR";

/// Operations without an audited change: checks only read (and do at once what a sweep does anyway), logout ends one's own session, a webhook only wakes the sync
/// (which audits its own changes), faults of pages go to the program's log, and the agents of gateways report and take.
const EXEMPT: &[&str] = &[
    "check_app_server",
    "check_instance_dns",
    "exchange_with_gateway",
    "give_certificates_to_gateway",
    "logout",
    "receive_github_webhook",
    "report_client_error",
];

/// Performs operations and collects those that left an audit entry.
struct Story<'a> {
    app: &'a TestApp,
    told: BTreeSet<String>,
}

impl Story<'_> {
    async fn entries(&self, action: &str) -> i64 {
        let count = "SELECT count(*) AS n FROM audit_log WHERE outcome = 'done' AND action = ";
        self.app.number(&format!("{count}'{action}'")).await
    }

    /// Performs an operation, which must succeed and leave one entry.
    async fn does(&mut self, action: &str, who: &Client, method: Method, path: &str, body: Value) -> Answer {
        let before = self.entries(action).await;
        let path = format!("/api/v1{path}");
        let mut request = who.request(method.clone(), &path);
        if method == Method::PATCH {
            request = request.header("if-match", who.get(&path).await.header("etag"));
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = Answer::to(request).await;
        assert!(answer.status.is_success(), "{action}: {} {}", answer.status, answer.body);
        assert_eq!(self.entries(action).await - before, 1, "{action} must leave one entry");
        self.told.insert(action.to_owned());
        answer
    }

    async fn posts(&mut self, action: &str, who: &Client, path: &str, body: Value) -> Value {
        self.does(action, who, Method::POST, path, body).await.json()
    }
}

#[tokio::test]
async fn every_change_leaves_one_audit_entry() {
    let github = FakeGithub::start().await;
    let base = github.base.clone();
    let settings = move |settings: &mut Settings| {
        settings.github.github_api_url = base;
        settings.watch.watch_fork = vec![FORK.into()];
        settings.watch.watch_report = vec!["nothing".into()];
        settings.certificates.ocim_certificates = CertificatesFrom::Acme;
        settings.certificates.ocim_acme_directory = "https://127.0.0.1:1/directory".into();
    };
    let server = resources::named("main", &Arc::new(FakeServer::new(ResourceKind::Mysql)));
    let resources = Servers::new([Named { is_default: false, ..server }]);
    let backups = Some(Arc::new(FakeBackups::default()) as Arc<dyn Backups>);
    let app = TestApp::with(Setup { settings: Box::new(settings), resources, backups, ..Setup::default() }).await;
    let admin = app.session(Role::Admin).await;
    let mut story = Story { app: &app, told: BTreeSet::new() };
    people(&mut story, &admin).await;
    builds(&mut story, &admin).await;
    databases(&mut story, &admin).await;
    pull_requests(&mut story, &admin, &github).await;
    let all: BTreeSet<String> = operations()
        .iter()
        .filter(|operation| !operation.method.is_safe())
        .map(|operation| operation.said["operationId"].as_str().unwrap().to_owned())
        .filter(|name| !EXEMPT.contains(&name.as_str()))
        .collect();
    assert_eq!(story.told, all, "the story must do each operation that changes something");
    app.end().await;
}

async fn pull_requests(story: &mut Story<'_>, admin: &Client, github: &FakeGithub) {
    let number = github.open_pull(FORK, PullSpec::default());
    let url = json!({ "url": format!("https://github.com/{FORK}/pull/{number}") });
    let seen = story.posts("watch_pull_request", admin, "/pull-requests", url).await;
    let path = format!("/pull-requests/{}", seen["id"]);
    let commit = json!({ "commit": seen["head_commit"], "version": seen["version"] });
    story.posts("ignore_pull_request", admin, &format!("{path}/ignore"), commit.clone()).await;
    story.posts("approve_pull_request", admin, &format!("{path}/approve"), commit).await;
    let update = format!("{path}/update-instance");
    story.posts("update_instance_from_pull_request", admin, &update, json!({})).await;
}

async fn databases(story: &mut Story<'_>, admin: &Client) {
    let id = resources::stored(story.app, "stored").await;
    let path = format!("/instances/{id}/resources/mysql");
    story.does("choose_resources", admin, Method::PUT, &path, json!({ "server": "main" })).await;
    assert_eq!(story.app.built(id).await["status"], "running");
    story.posts("show_resource_credentials", admin, &format!("{path}/credentials"), Value::Null).await;
    story.posts("rotate_resource_password", admin, &format!("{path}/rotate"), json!({ "cuts_off": true })).await;
    let path = format!("/instances/{id}/backups");
    let made = story.posts("create_backup", admin, &path, Value::Null).await;
    worked(story.app).await;
    let path = format!("{path}/{}", made["id"]);
    story.posts("verify_backup", admin, &format!("{path}/verify"), Value::Null).await;
    worked(story.app).await;
    story.posts("restore_backup", admin, &format!("{path}/restore"), json!({ "confirm": "stored" })).await;
    worked(story.app).await;
    let copy = resources::stored(story.app, "copied").await;
    let server = format!("/instances/{copy}/resources/mysql");
    story.does("choose_resources", admin, Method::PUT, &server, json!({ "server": "main" })).await;
    let body = json!({ "confirm": "copied", "into": copy });
    story.posts("restore_backup", admin, &format!("{path}/restore"), body).await;
    worked(story.app).await;
    let ended = format!("/instances/{copy}/neutralisation");
    story.does("end_neutralisation", admin, Method::DELETE, &ended, Value::Null).await;
    story.does("delete_backup", admin, Method::DELETE, &path, Value::Null).await;
    failed_migration(story, admin, id).await;
}

/// A build that fails while it migrates the databases of an instance, in front of visitors.
async fn failed_migration(story: &mut Story<'_>, admin: &Client, id: i64) {
    let path = format!("/api/v1/instances/{id}");
    let etag = admin.get(&path).await.expect(200)["etag"].as_str().unwrap().to_owned();
    let request = admin.request(Method::PATCH, &path).header("if-match", etag);
    Answer::to(request.json(&json!({ "edition": "stored 2" }))).await.expect(200);
    story.app.ansible.next_run_fails("migrate", "no such column");
    let body = json!({ "migrate_without_page": true });
    let launched = admin.post(&format!("{path}/app-servers"), body).await.expect(202)["id"].as_i64().unwrap();
    assert_eq!(story.app.until_built(launched).await["status"], "failed");
    let dismiss = format!("/instances/{id}/migrations/{launched}/dismiss");
    story.posts("dismiss_migration", admin, &dismiss, json!({})).await;
}

/// Does the work on backups that is due, or waits for the worker that does it.
async fn worked(app: &TestApp) {
    work::sweep(&app.manager).await.unwrap();
    let left = "SELECT count(*) AS n FROM backups WHERE work IS NOT NULL";
    until("the work on the backup has ended", async || app.number(left).await == 0).await;
    assert_eq!(app.number("SELECT count(*) AS n FROM backups WHERE trouble IS NOT NULL").await, 0);
}

async fn people(story: &mut Story<'_>, admin: &Client) {
    let new = json!({ "username": "ada", "password": OLD, "role": "operator" });
    let ada = story.posts("create_user", admin, "/users", new).await["id"].clone();
    let anonymous = story.app.anonymous();
    let cookie = |answer: &Answer| {
        let header = answer.header("set-cookie");
        anonymous.with(Credentials::Cookie(header.split(['=', ';']).nth(1).unwrap().to_owned()))
    };
    let login = json!({ "username": "ada", "password": OLD });
    let here = cookie(&story.does("login", &anonymous, Method::POST, "/auth/login", login.clone()).await);
    let there = cookie(&story.does("login", &anonymous, Method::POST, "/auth/login", login.clone()).await);
    let sessions = there.get("/api/v1/auth/sessions").await.json();
    let own = sessions["items"].as_array().unwrap().iter().find(|one| one["is_current"] == true).unwrap()["id"].clone();
    story.does("end_session", &here, Method::DELETE, &format!("/auth/sessions/{own}"), Value::Null).await;
    story.does("login", &anonymous, Method::POST, "/auth/login", login).await;
    story.does("end_other_sessions", &here, Method::DELETE, "/auth/sessions", Value::Null).await;
    let change = json!({ "current": OLD, "new": NEW });
    let here = cookie(&story.does("change_password", &here, Method::POST, "/auth/password", change).await);
    let token = story.posts("create_token", &here, "/auth/tokens", json!({ "name": "x", "role": "viewer" })).await;
    story.does("delete_token", &here, Method::DELETE, &format!("/auth/tokens/{}", token["id"]), Value::Null).await;
    let key = story.posts("add_ssh_key", &here, "/auth/ssh-keys", json!({ "public_key": KEY })).await;
    story.does("delete_ssh_key", &here, Method::DELETE, &format!("/auth/ssh-keys/{}", key["id"]), Value::Null).await;
    let path = format!("/users/{ada}");
    let token = story.posts("create_token", &here, "/auth/tokens", json!({ "name": "x", "role": "viewer" })).await;
    let deleted = format!("{path}/tokens/{}", token["id"]);
    story.does("delete_user_token", admin, Method::DELETE, &deleted, Value::Null).await;
    story.does("delete_user_tokens", admin, Method::DELETE, &format!("{path}/tokens"), Value::Null).await;
    let session = here.get("/api/v1/auth/sessions").await.json()["items"][0]["id"].clone();
    let ended = format!("{path}/sessions/{session}");
    story.does("end_user_session", admin, Method::DELETE, &ended, Value::Null).await;
    story.does("end_user_sessions", admin, Method::DELETE, &format!("{path}/sessions"), Value::Null).await;
    story.does("update_user", admin, Method::PATCH, &path, json!({ "role": "viewer" })).await;
    story.does("set_user_password", admin, Method::POST, &format!("{path}/password"), json!({ "password": OLD })).await;
    story.does("delete_user", admin, Method::DELETE, &path, Value::Null).await;
}

async fn builds(story: &mut Story<'_>, admin: &Client) {
    let app = story.app;
    let token = json!({ "source": "https://git.example/acme/*", "kind": "token", "secret": "x" });
    let made = story.posts("create_source_credential", admin, "/source-credentials", token).await;
    let path = format!("/source-credentials/{}", made["id"]);
    story.does("delete_source_credential", admin, Method::DELETE, &path, Value::Null).await;
    story.posts("add_gateway", admin, "/gateways", json!({ "name": "one" })).await;
    story.posts("renew_gateway_token", admin, "/gateways/one/token", Value::Null).await;
    story.does("remove_gateway", admin, Method::DELETE, "/gateways/one", Value::Null).await;
    let made =
        story.posts("create_instance", admin, "/instances", json!({ "name": "Demo", "sub_domain": "demo" })).await;
    let (instance, id) = (format!("/instances/{}", made["id"]), made["id"].as_i64().unwrap());
    story.does("update_instance", admin, Method::PATCH, &instance, json!({ "name": "Another" })).await;
    let (first, second) = (app.running(id).await, app.running(id).await);
    let of = |id: i64, what: &str| format!("/app-servers/{id}{what}");
    for one in [first, second] {
        story.posts("activate_app_server", admin, &of(one, "/activate"), json!({})).await;
    }
    story.posts("roll_back_instance", admin, &format!("{instance}/rollback"), json!({})).await;
    story.does("lift_hold", admin, Method::DELETE, &format!("{instance}/hold"), Value::Null).await;
    story.does("hold_instance", admin, Method::PUT, &format!("{instance}/hold"), json!({})).await;
    let page = json!({ "text": "Back at 5." });
    story.does("begin_maintenance", admin, Method::PUT, &format!("{instance}/maintenance"), page).await;
    story.does("end_maintenance", admin, Method::DELETE, &format!("{instance}/maintenance"), Value::Null).await;
    let public = format!(
        "UPDATE instance_hostnames SET protocol = 'https', hostname = replace(hostname, 'localhost', 'campus.example') \
         WHERE instance_id = {id}"
    );
    app.execute(&public).await;
    wanted::sync(&mut *app.conn().await, "https://127.0.0.1:1/directory").await.unwrap();
    story.posts("renew_certificate", admin, &format!("{instance}/certificate/renew"), Value::Null).await;
    story.does("install_ssh_keys", admin, Method::POST, &of(second, "/access"), Value::Null).await;
    let preview = story.posts("create_preview_link", admin, &of(second, "/preview-links"), json!({})).await;
    let link = of(second, &format!("/preview-links/{}", preview["id"]));
    story.does("delete_preview_link", admin, Method::DELETE, &link, Value::Null).await;
    story.does("pin_app_server", admin, Method::PUT, &of(second, "/pin"), json!({})).await;
    story.does("unpin_app_server", admin, Method::DELETE, &of(second, "/pin"), Value::Null).await;
    app.until_serving(second, "fallback").await;
    story.posts("terminate_app_server", admin, &of(second, "/terminate"), json!({})).await;
    let runs = app.ansible.calls().run;
    app.ansible.next_run(FakeEnd::Blocks);
    let third = story.posts("launch_app_server", admin, &format!("{instance}/app-servers"), json!({})).await;
    let third = third["id"].as_i64().unwrap();
    // Otherwise the run that blocks would be the next build's.
    until("the playbook runs", async || app.ansible.calls().run > runs).await;
    story.posts("stop_app_server", admin, &of(third, "/stop"), json!({})).await;
    app.until_built(third).await;
    story.does("pause_queue", admin, Method::PUT, "/queue/pause", json!({})).await;
    story.does("resume_queue", admin, Method::DELETE, "/queue/pause", Value::Null).await;
    let away = format!("{instance}?terminate=true");
    story.does("archive_instance", admin, Method::DELETE, &away, Value::Null).await;
    story.posts("restore_instance", admin, &format!("{instance}/restore"), json!({})).await;
    story.does("archive_instance", admin, Method::DELETE, &away, Value::Null).await;
    let left = "SELECT count(*) AS n FROM servers WHERE status <> 'terminated'";
    until("the machines are gone", async || app.number(left).await == 0).await;
    let confirm = json!({ "confirm": made["domain"] });
    story.posts("purge_instance", admin, &format!("{instance}/purge"), confirm).await;
    app.provider.plant(ServerId(999)).unwrap();
    reaper::sweep(&app.manager).await.unwrap();
    app.execute("UPDATE orphans SET first_seen = first_seen - interval '1 hour'").await;
    story.posts("remove_orphans", admin, "/servers/orphans", json!({})).await;
}
