//! Members of the GitHub team that an instance names may log in to its machines, also while GitHub is away.

use ocim::config::Settings;
use ocim::instances::access::{self, Scope};
use serde_json::{Value, json};
use shared_types::ServerId;

use crate::app::github::FakeGithub;
use crate::app::{Setup, TestApp};
use crate::routes::auth::ssh_keys::{KEY, another};

/// The program beside a fake GitHub with the team acme/owners: ada has a key and grace none.
async fn beside(has_token: bool) -> (TestApp, FakeGithub) {
    let github = FakeGithub::start().await;
    github.set_team("acme", "owners", &["Ada", "grace"]);
    github.set_keys("ada", &[KEY]);
    let base = github.base.clone();
    let settings = move |settings: &mut Settings| {
        settings.github.github_api_url = base;
        settings.github.github_access_token = has_token.then(|| "secret".to_owned().into());
    };
    let setup = Setup { works: false, settings: Box::new(settings), ..Setup::default() };
    (TestApp::with(setup).await, github)
}

/// An instance that names the organization, with a running app server.
async fn running(app: &TestApp) -> (i64, i64) {
    let body = json!({ "name": "Demo", "sub_domain": "demo", "github_admin_organization_name": "Acme" });
    let instance = app.operator().await.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap();
    (instance, app.running(instance).await)
}

/// Reads the teams again, and installs what is known.
async fn swept(app: &TestApp) {
    app.execute("UPDATE ssh_teams SET tried_at = now() - interval '1 hour'").await;
    access::refresh_teams(&app.manager, Scope::Changed).await.unwrap();
    access::sweep(&app.manager, Scope::Changed).await.unwrap();
}

async fn access_of(app: &TestApp, id: i64) -> Value {
    app.viewer().await.get(&format!("/api/v1/app-servers/{id}/access")).await.expect(200)
}

#[tokio::test]
async fn members_of_the_team_may_log_in_for_as_long_as_they_are_members() {
    let (app, github) = beside(true).await;
    let (_, id) = running(&app).await;
    let people = || app.provider.people(ServerId(1));
    assert_eq!(people(), "", "the build asks GitHub nothing");
    swept(&app).await;
    assert!(people().contains(&format!("\n{KEY} ocim:ada\n")), "{}", people());
    let access = access_of(&app, id).await;
    assert_eq!((&access["team"], &access["team_trouble"]), (&json!("acme/owners"), &Value::Null));
    let item = &access["items"][0];
    assert_eq!(
        (&item["person"], &item["origin"], &item["key_name"]),
        (&json!("ada"), &json!("team"), &json!("acme/owners"))
    );
    assert_eq!(item["user_id"], Value::Null);

    // The next machine has the keys before its first playbook; a machine of an instance without a team never.
    let next = app.running(1).await;
    assert!(app.log_says(next, "ada (SHA256:").await);
    let other = app.instance("other").await;
    app.running(other).await;
    swept(&app).await;
    assert_eq!(app.provider.people(ServerId(3)), "");

    let hostile = "ssh-rsa AAAA\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA evil";
    github.set_keys("grace", &[&another(), "no key", hostile, &format!("command=\"id\" {}", another())]);
    swept(&app).await;
    assert_eq!(people().matches(" ocim:grace\n").count(), 1, "{}", people());
    assert_eq!(people().lines().count(), 4);

    github.set_team("acme", "owners", &["grace"]);
    swept(&app).await;
    assert!(!people().contains("ocim:ada") && people().contains("ocim:grace"), "{}", people());
    app.end().await;
    github.stop().await;
}

#[tokio::test]
async fn an_outage_of_github_takes_nobody_s_access_and_blocks_no_build() {
    let (app, github) = beside(true).await;
    let (instance, id) = running(&app).await;
    swept(&app).await;
    assert!(app.provider.people(ServerId(1)).contains("ocim:ada"));
    github.fail_next(1000, 502);
    swept(&app).await;
    assert!(app.provider.people(ServerId(1)).contains("ocim:ada"));
    let trouble = access_of(&app, id).await["team_trouble"].as_str().unwrap().to_owned();
    assert!(trouble.contains("502"), "{trouble}");
    let next = app.running(instance).await;
    assert!(app.provider.people(ServerId(2)).contains("ocim:ada"));
    assert!(app.log_says(next, "The members of the team acme/owners are those of 20").await);
    // Only a part of the answers fails: half a team is no team.
    github.fail_next(0, 502);
    github.set_team("acme", "owners", &["ada", "grace", "zoe"]);
    github.garble_next(2);
    swept(&app).await;
    assert!(app.provider.people(ServerId(1)).contains("ocim:ada"));

    github.garble_next(0);
    swept(&app).await;
    assert_eq!(access_of(&app, id).await["team_trouble"], Value::Null);
    // A team that is gone has no members.
    github.delete_team("acme", "owners");
    swept(&app).await;
    assert!(!app.provider.people(ServerId(1)).contains("ocim:ada"));
    let trouble = access_of(&app, id).await["team_trouble"].as_str().unwrap().to_owned();
    assert!(trouble.contains("Either there is no such team"), "{trouble}");
    app.end().await;
    github.stop().await;
}

#[tokio::test]
async fn access_follows_the_settings_of_the_instance() {
    let (app, github) = beside(true).await;
    let (instance, _) = running(&app).await;
    swept(&app).await;
    assert!(app.provider.people(ServerId(1)).contains("ocim:ada"));
    let path = format!("/api/v1/instances/{instance}");
    let operator = app.operator().await;
    let etag = operator.get(&path).await.header("etag").to_owned();
    operator.patch(&path, &etag, json!({ "github_admin_organization_name": "other" })).await.expect(200);
    swept(&app).await;
    assert!(!app.provider.people(ServerId(1)).contains("ocim:ada"));
    app.end().await;
    github.stop().await;
}

#[tokio::test]
async fn a_change_that_the_frequent_sweeps_have_missed_is_made_by_that_of_all_machines() {
    let (app, github) = beside(true).await;
    let (instance, _) = running(&app).await;
    swept(&app).await;
    let path = format!("/api/v1/instances/{instance}");
    let operator = app.operator().await;
    let etag = operator.get(&path).await.header("etag").to_owned();
    operator.patch(&path, &etag, json!({ "github_admin_organization_name": "other" })).await.expect(200);
    // As if no worker had run for an hour.
    for table in ["instances", "app_servers"] {
        app.execute(&format!("UPDATE {table} SET modified = now() - interval '30 minutes'")).await;
    }
    swept(&app).await;
    assert!(app.provider.people(ServerId(1)).contains("ocim:ada"), "the control");
    access::refresh_teams(&app.manager, Scope::All).await.unwrap();
    access::sweep(&app.manager, Scope::All).await.unwrap();
    assert!(!app.provider.people(ServerId(1)).contains("ocim:ada"));
    app.end().await;
    github.stop().await;
}

#[tokio::test]
async fn without_credentials_for_github_a_warning_says_so_and_nothing_fails() {
    let (app, github) = beside(false).await;
    let (instance, id) = running(&app).await;
    swept(&app).await;
    let trouble = access_of(&app, id).await["team_trouble"].as_str().unwrap().to_owned();
    assert!(trouble.contains("set GITHUB_ACCESS_TOKEN"), "{trouble}");
    let next = app.running(instance).await;
    assert!(app.log_says(next, "The members of the team acme/owners cannot log in to the machine").await);
    assert_eq!(github.asked().len(), 0);
    app.end().await;
    github.stop().await;
}

#[tokio::test]
async fn a_team_is_read_once_in_five_minutes() {
    let (app, github) = beside(true).await;
    running(&app).await;
    for _ in 0..3 {
        access::refresh_teams(&app.manager, Scope::Changed).await.unwrap();
    }
    let paths: Vec<_> = github.asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(paths.len(), 3, "the team and two members: {paths:?}");
    app.end().await;
    github.stop().await;
}
