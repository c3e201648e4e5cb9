//! Reports to GitHub about the instances: each exactly once, in spite of retries and crashes.

mod doorman;
mod refusals;
mod truth;

use std::sync::Arc;

use ocim::ansible::port::Ansible;
use ocim::pull_requests::report;
use ocim::pull_requests::store::reports;
use serde_json::Value;
use shared_types::PullRequestId;

use crate::app::github::{FakeGithub, PullSpec, Remark};
use crate::app::{GatedAnsible, Setup, TestApp, number, until};

const REPO: &str = "acme/edx-platform";
const MARKER: &str = "<!-- ocim ";

/// A program that watches this GitHub through `base` and makes these kinds of reports.
async fn watching(github: &FakeGithub, base: &str, told: &[&str], ansible: Option<Arc<dyn Ansible>>) -> TestApp {
    github.repository(REPO);
    github.set_team("acme", "owners", &["ada"]);
    let (base, told): (_, Vec<_>) = (base.to_owned(), told.iter().map(ToString::to_string).collect());
    let settings = move |settings: &mut ocim::config::Settings| {
        settings.watch.watch_fork = vec![format!("{REPO}=rebuild")];
        settings.watch.watch_organization = "acme".into();
        settings.watch.watch_interval = 1;
        settings.watch.watch_archive_minutes = 0;
        settings.watch.watch_report = told;
        settings.github.github_api_url = base;
        settings.github.github_access_token = Some("a-token".to_owned().into());
        settings.server.ocim_public_url = Some("https://ocim.example/".into());
    };
    TestApp::with(Setup { ansible, settings: Box::new(settings), ..Setup::default() }).await
}

const ALL: &[&str] = &["deployments", "statuses", "comments"];

async fn telling_all(github: &FakeGithub) -> TestApp {
    watching(github, &github.base, ALL, None).await
}

fn ours(github: &FakeGithub, number: i32) -> Vec<Remark> {
    github.comments(REPO, number).into_iter().filter(|one| one.body.starts_with(MARKER)).collect()
}

async fn until_said(github: &FakeGithub, number: i32, words: &str) {
    until(words, async || ours(github, number).iter().any(|one| one.body.contains(words))).await;
}

fn states(github: &FakeGithub, deployment: usize) -> Vec<String> {
    let deployments = github.deployments(REPO);
    let states = deployments.get(deployment).map(|one| one.states.iter().map(|state| state.state.clone()).collect());
    states.unwrap_or_default()
}

async fn until_deployed(github: &FakeGithub, deployment: usize, state: &str) {
    let is_so = async || states(github, deployment).last().is_some_and(|last| last == state);
    until(&format!("deployment {deployment} is {state}"), is_so).await;
}

fn statuses(github: &FakeGithub, commit: &str) -> Vec<String> {
    github.statuses(REPO).into_iter().filter(|one| one.commit == commit).map(|one| one.state).collect()
}

async fn until_status(github: &FakeGithub, commit: &str, state: &str) {
    until(state, async || statuses(github, commit).last().is_some_and(|last| last == state)).await;
}

/// The program's requests about deployments, statuses and comments.
fn calls(github: &FakeGithub) -> Vec<String> {
    let is_report = |path: &str| ["/deployments", "/statuses/", "/comments"].iter().any(|part| path.contains(part));
    let asked = github.asked().into_iter().filter(|asked| is_report(&asked.path));
    asked.map(|asked| format!("{} {} {}", asked.method, asked.path, asked.status)).collect()
}

/// Clears the record of what was reported, as if a worker had died before writing it. Raises the fencing token, so that
/// a report that is still running cannot write.
async fn forget(app: &TestApp) {
    let all = "UPDATE pull_requests SET comment_id = NULL, reported = NULL, reported_of = NULL, report_until = NULL, \
        report_turn = report_turn + 1";
    app.execute(all).await;
}

async fn trouble(app: &TestApp) -> Value {
    app.viewer().await.get("/api/v1/pull-requests/1").await.expect(200)["report_trouble"].clone()
}

#[tokio::test]
async fn each_event_from_opening_to_archiving_is_reported_once() {
    let github = FakeGithub::start().await;
    let ansible = GatedAnsible::new();
    let app = watching(&github, &github.base, ALL, Some(ansible.clone())).await;
    app.execute("INSERT INTO queue_pause (paused_by) VALUES ('test')").await;
    let pull = github.open_pull(REPO, PullSpec::default());
    let first = github.head(REPO, pull);
    until_deployed(&github, 0, "queued").await;
    until_said(&github, pull, "waits for its turn").await;
    app.execute("DELETE FROM queue_pause").await;
    until_deployed(&github, 0, "in_progress").await;
    until_said(&github, pull, "is being built").await;
    ansible.let_go(1);
    until_deployed(&github, 0, "success").await;
    until_status(&github, &first, "success").await;
    until_said(&github, pull, "has the traffic").await;
    assert_eq!(states(&github, 0), ["queued", "in_progress", "success"]);
    assert_eq!(statuses(&github, &first), ["pending", "success"]);
    let deployment = &github.deployments(REPO)[0];
    assert_eq!((&deployment.commit, &*deployment.environment), (&first, "ocim/pr-1"));
    let success = &deployment.states[2];
    assert_eq!(success.environment_url.as_deref(), Some("http://pr1.sandbox.localhost:8080/"));
    assert_eq!(success.log_url.as_deref(), Some("https://ocim.example/instances/1/app-servers/1"));
    let status = github.statuses(REPO).pop().unwrap();
    assert_eq!((status.context.as_str(), status.target_url), ("ocim", success.log_url.clone()));
    let body = ours(&github, pull).pop().unwrap().body;
    for part in ["http://pr1.sandbox.localhost:8080/", "http://studio.pr1.sandbox.localhost:8080/", &first] {
        assert!(body.contains(part), "{part}: {body}");
    }

    let second = github.push(REPO, pull);
    until_deployed(&github, 1, "in_progress").await;
    assert_eq!(states(&github, 0).last().unwrap(), "success", "the first one serves still");
    ansible.let_go(1);
    until_deployed(&github, 1, "success").await;
    until_deployed(&github, 0, "inactive").await;
    until_status(&github, &second, "success").await;
    assert_eq!(github.deployments(REPO)[1].commit, second);

    app.provider.be_away_at_terminate(1_000_000);
    github.close(REPO, pull);
    until_said(&github, pull, "being torn down").await;
    until_deployed(&github, 1, "inactive").await;
    assert!(!ours(&github, pull)[0].body.contains("gone"));
    app.provider.be_away_at_terminate(0);
    until_said(&github, pull, "its machines are verified gone").await;
    assert_eq!(app.provider.machines().len(), 0);
    until("all reports are settled", async || {
        app.number("SELECT count(*) AS n FROM pull_requests WHERE is_report_settled").await == 1
    })
    .await;
    assert_eq!((github.deployments(REPO).len(), ours(&github, pull).len()), (2, 1));
    assert_eq!(states(&github, 0), ["queued", "in_progress", "success", "inactive"]);
    let made = calls(&github);
    println!("{} calls:\n{}", made.len(), made.join("\n"));
    assert!(made.len() <= 25, "{made:#?}");
    app.end().await;
}

#[tokio::test]
async fn a_failed_build_is_reported_with_its_task_in_a_code_block() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let evil = "no table\n```\n@everyone see #1 <!-- ocim x --> <img src=x> [a](b)\n~~~~";
    for _ in 0..2 {
        app.ansible.next_run_fails("lms : migrate @ops", evil);
    }
    let title = "``` @everyone <b>#1</b> --> | x".to_owned();
    let pull = github.open_pull(REPO, PullSpec { title, ..PullSpec::default() });
    let commit = github.head(REPO, pull);
    until_said(&github, pull, "could not be built").await;
    until_deployed(&github, 0, "failure").await;
    until_status(&github, &commit, "failure").await;
    until_said(&github, pull, "AppServer 2** could not be built").await;
    let body = ours(&github, pull).pop().unwrap().body;
    assert!(body.contains("lms : migrate @ops: no table") && body.contains("at the step «Playbooks»"), "{body}");
    let outside = outside_of_blocks(&body);
    for part in ["@", "#1", "<img", "](b)", "everyone"] {
        assert!(!outside.contains(part), "{part}: {outside}");
    }
    assert_eq!(ours(&github, pull).len(), 1);
    app.end().await;
}

/// The lines of a comment outside of code blocks, by CommonMark's rules.
fn outside_of_blocks(body: &str) -> String {
    let mut fence = None;
    let mut outside = String::new();
    for line in body.lines() {
        let ticks = line.chars().take_while(|c| *c == '`').count();
        match fence {
            None if ticks >= 3 => fence = Some(ticks),
            None => outside.push_str(&format!("{line}\n")),
            Some(open) if ticks >= open && line.trim_end().len() == ticks => fence = None,
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "a block without an end: {body}");
    outside
}

#[tokio::test]
async fn unrecorded_reports_are_found_at_github() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    let strange = github.comment(REPO, pull, "other-ocim", "<!-- ocim 0123 -->\nanother installation");
    until_deployed(&github, 0, "success").await;
    until_said(&github, pull, "has the traffic").await;
    let is_noted = async || app.number("SELECT count(comment_id) AS n FROM pull_requests").await == 1;
    until("the comment is recorded", is_noted).await;
    let id = app.number("SELECT comment_id AS n FROM pull_requests").await;
    forget(&app).await;
    until("the old comment is recorded again", async || {
        app.number("SELECT count(comment_id) AS n FROM pull_requests WHERE reported_of IS NOT NULL").await == 1
    })
    .await;
    assert_eq!(app.number("SELECT comment_id AS n FROM pull_requests").await, id);
    assert_eq!((github.deployments(REPO).len(), ours(&github, pull).len()), (1, 2));

    // The id is not recorded, the comment does not exist, and four reports run at once.
    github.delete_comment(REPO, id);
    forget(&app).await;
    let tell = async || report::report(&app.watch, PullRequestId(1)).await.unwrap();
    tokio::join!(tell(), tell(), tell(), tell());
    until_said(&github, pull, "has the traffic").await;
    assert_eq!((github.deployments(REPO).len(), ours(&github, pull).len()), (1, 2));
    until("the comment is recorded again", is_noted).await;
    let id = app.number("SELECT comment_id AS n FROM pull_requests").await;

    // A user deletes the comment: the next report creates another one.
    github.delete_comment(REPO, id);
    let second = github.push(REPO, pull);
    until_deployed(&github, 1, "success").await;
    let news = format!("has the traffic, with commit {second}");
    until_said(&github, pull, &news).await;
    let comments = ours(&github, pull);
    assert_eq!(comments.len(), 2);
    assert_eq!(
        (comments[0].id, &*comments[0].body, comments[0].edits),
        (strange, "<!-- ocim 0123 -->\nanother installation", 0)
    );
    app.end().await;
}

#[tokio::test]
async fn each_kind_of_report_can_be_switched_off() {
    for told in ["deployments", "statuses", "comments", "nothing"] {
        let github = FakeGithub::start().await;
        let app = watching(&github, &github.base, &[told], None).await;
        let pull = github.open_pull(REPO, PullSpec::default());
        let commit = github.head(REPO, pull);
        until("the app server has the traffic", async || {
            app.number("SELECT count(*) AS n FROM activations WHERE applied_at IS NOT NULL").await == 1
        })
        .await;
        match told {
            "deployments" => until_deployed(&github, 0, "success").await,
            "statuses" => until_status(&github, &commit, "success").await,
            "comments" => until_said(&github, pull, "has the traffic").await,
            _ => {
                report::look(&app.watch).await.unwrap();
                report::report(&app.watch, PullRequestId(1)).await.unwrap();
            }
        }
        let there = (github.deployments(REPO).len(), statuses(&github, &commit).is_empty(), ours(&github, pull).len());
        let wanted = match told {
            "deployments" => (1, true, 0),
            "statuses" => (0, false, 0),
            "comments" => (0, true, 1),
            _ => (0, true, 0),
        };
        assert_eq!(there, wanted, "{told}");
        app.end().await;
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_reported() {
    let github = FakeGithub::start().await;
    github.repository(REPO);
    let base = github.base.clone();
    let settings = move |settings: &mut ocim::config::Settings| {
        settings.watch.watch_fork = vec![REPO.into()];
        settings.watch.watch_interval = 1;
        settings.github.github_api_url = base;
    };
    let app = TestApp::with(Setup { settings: Box::new(settings), ..Setup::default() }).await;
    github.open_pull(REPO, PullSpec::default());
    until("one is known", async || app.number("SELECT count(*) AS n FROM pull_requests").await == 1).await;
    report::look(&app.watch).await.unwrap();
    report::report(&app.watch, PullRequestId(1)).await.unwrap();
    assert_eq!(calls(&github), Vec::<String>::new());
    assert_eq!(trouble(&app).await, Value::Null);
    app.end().await;
}

#[tokio::test]
async fn required_actions_are_reported_without_an_instance() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let eve = PullSpec { author: "eve".into(), ..PullSpec::default() };
    let waits = github.open_pull(REPO, eve);
    let body = "**Settings**\n```yaml\nA: [@all\n```".to_owned();
    let wrong = github.open_pull(REPO, PullSpec { body, ..PullSpec::default() });
    until_said(&github, waits, "waits for approval by an operator").await;
    until_said(&github, wrong, "The settings in its description cannot be used").await;
    let text = ours(&github, wrong).pop().unwrap().body;
    assert!(text.contains("line ") && !outside_of_blocks(&text).contains('@'), "{text}");
    assert_eq!(app.number("SELECT count(*) AS n FROM instances").await, 0);
    assert_eq!((github.deployments(REPO).len(), github.statuses(REPO).len()), (0, 0));
    github.edit_body(REPO, wrong, "");
    until_said(&github, wrong, "has the traffic").await;
    assert!(!ours(&github, wrong)[0].body.contains("cannot be used"));
    app.end().await;
}

/// 10,000 closed pull requests whose instances are archived, and one whose instance is in use.
const FILL: &[&str] = &[
    "INSERT INTO watched_repositories (configured, name) VALUES ('a/b', 'a/b')",
    "INSERT INTO instances (instance_type, name, domain, settings, tier, archived_at, archived_by) \
     SELECT 'openedx', 'i', 'c' || n || '.example', '{}', 'preview', CASE WHEN n > 1 THEN now() END, \
        CASE WHEN n > 1 THEN 'x' END FROM generate_series(1, 10001) AS n",
    "INSERT INTO pull_requests (repository_id, number, state, title, author, is_draft, is_trusted, branch_name, head_commit, \
        extra_settings, settings_trouble, github_updated, closed_at, instance_id, is_report_settled) \
     SELECT r.id, i.id, 'closed', 't', 'a', false, true, 'b', repeat('0', 40), '', 'x', now(), now(), i.id, true \
     FROM instances AS i, watched_repositories AS r",
    "ANALYZE",
];

#[tokio::test]
async fn due_reports_are_found_without_a_scan_of_closed_pull_requests() {
    let app = TestApp::idle().await;
    for statement in FILL {
        app.execute(statement).await;
    }
    let scans = "SELECT coalesce(sum(seq_scan), 0)::bigint AS n FROM pg_stat_xact_user_tables \
        WHERE relname IN ('instances', 'pull_requests')";
    let mut conn = app.conn().await;
    diesel_async::SimpleAsyncConnection::batch_execute(&mut *conn, "BEGIN").await.unwrap();
    let before = number(&mut conn, scans).await;
    let found = reports::due(&mut conn, &app.manager.code_references()).await.unwrap();
    let after = number(&mut conn, scans).await;
    diesel_async::SimpleAsyncConnection::batch_execute(&mut *conn, "COMMIT").await.unwrap();
    assert_eq!((found.len(), after - before), (1, 0), "only the one whose instance is in use");
    // A restored instance and a changed row need a new report.
    app.execute(
        "UPDATE instances SET archived_at = NULL, archived_by = NULL WHERE id = (SELECT max(id) FROM instances)",
    )
    .await;
    app.execute("UPDATE pull_requests SET trouble = 'x' WHERE number = 5000").await;
    assert_eq!(reports::due(&mut conn, &app.manager.code_references()).await.unwrap().len(), 3);
    drop(conn);
    app.end().await;
}
