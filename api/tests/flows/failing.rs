//! Builds that fail: each ends with a reason and begins no further step.

use std::time::Duration;

use ocim::ansible::fake::FakeEnd;
use ocim::ansible::port::{AnsibleError, RunOutcome};
use ocim::git::port::GitError;
use serde_json::Value;

use crate::app::{Setup, TestApp};

/// The outcome of a step of a build; null if it did not begin.
fn outcome(app_server: &Value, kind: &str) -> Value {
    let steps = app_server["steps"].as_array().unwrap();
    steps.iter().find(|step| step["kind"] == kind).unwrap()["outcome"].clone()
}

fn failure(app_server: &Value) -> &str {
    app_server["failure"].as_str().unwrap()
}

#[tokio::test]
async fn a_playbook_that_fails_names_its_task_first() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("lms : migrate the database", "no such table: users");
    let built = app.built(instance).await;
    assert_eq!(built["status"], "failed");
    assert_eq!(failure(&built), "lms : migrate the database: no such table: users");
    assert_eq!((outcome(&built, "checkout"), outcome(&built, "playbooks")), ("done".into(), "failed".into()));
    assert_eq!((outcome(&built, "reboot"), outcome(&built, "checks")), (Value::Null, Value::Null));
    assert_eq!(app.provider.calls().reboot, 0);
    let log = app.log(1).await;
    assert_eq!(log.last().unwrap(), "Configuration failed: lms : migrate the database: no such table: users");
    app.end().await;
}

#[tokio::test]
async fn each_outcome_of_a_playbook_has_its_failure_text() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let failed = |exit_status| RunOutcome::Failed { exit_status, failed_task: None, words: None };
    for (outcome, words) in [
        (failed(Some(4)), "Ansible play exited with non-zero exit code 4"),
        (failed(None), "Ansible was ended by a signal"),
        (
            RunOutcome::NoHost { hosts: vec!["webservers".to_owned()] },
            "The playbook matched no host: its plays are for `webservers`; the inventory has the group `app`",
        ),
        (RunOutcome::LineTimeout, "The playbook printed nothing for 30 s and was ended"),
        (RunOutcome::GlobalTimeout, "The playbook took longer than 30 s and was ended"),
        (
            RunOutcome::Limit { words: "it wrote more than 5 MB and was ended".to_owned() },
            "The playbook met a limit of its run: it wrote more than 5 MB and was ended",
        ),
    ] {
        app.ansible.next_run(FakeEnd::Outcome(outcome));
        let built = app.built(instance).await;
        assert_eq!((&built["status"], failure(&built)), (&"failed".into(), words));
    }
    app.end().await;
}

#[tokio::test]
async fn tasks_added_during_a_run_raise_the_total() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_adds(4);
    app.ansible.next_run_fails("fake : task 7", "no space left");
    let built = app.built(instance).await;
    let progress = &built["progress"];
    assert_eq!((&progress["tasks_done"], &progress["tasks_total"]), (&7.into(), &7.into()), "{built:#}");
    let built = app.built(instance).await;
    assert_eq!((&built["status"], &built["progress"]["tasks_total"]), (&"running".into(), &3.into()), "{built:#}");
    app.end().await;
}

#[tokio::test]
async fn a_reference_that_does_not_exist_ends_the_build_before_there_is_a_machine() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.git.next_resolve(Err(GitError::Permanent("There is no branch or tag «nonsense»".to_owned())));
    let built = app.built(instance).await;
    assert_eq!(built["status"], "error");
    assert_eq!(failure(&built), "There is no branch or tag «nonsense»");
    assert_eq!(outcome(&built, "pin"), "failed");
    assert!(app.log_says(1, "Error: There is no branch or tag «nonsense»").await);
    assert_eq!(app.provider.calls().create, 0);
    app.end().await;
}

#[tokio::test]
async fn an_unavailable_repository_is_retried() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    for _ in 0..4 {
        app.git.next_resolve(Err(GitError::Transient("git.example does not answer".to_owned())));
    }
    let built = app.built(instance).await;
    assert_eq!(built["status"], "running");
    let told = app.log(1).await.into_iter().filter(|line| line.contains("git.example does not answer")).count();
    assert!((1..=2).contains(&told), "told {told} times, not each time");
    app.end().await;
}

#[tokio::test]
async fn a_playbook_that_cannot_be_loaded_ends_the_build_before_there_is_a_machine() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible
        .next_prepare_fails(AnsibleError::Permanent("There is no playbook playbooks/edx_sandbox.yml".to_owned()));
    let built = app.built(instance).await;
    assert_eq!(built["status"], "error");
    assert_eq!(failure(&built), "There is no playbook playbooks/edx_sandbox.yml");
    assert_eq!((outcome(&built, "checkout"), outcome(&built, "server")), ("failed".into(), Value::Null));
    assert_eq!((app.ansible.calls().run, app.provider.calls().create), (0, 0));
    app.end().await;
}

#[tokio::test]
async fn checks_that_never_pass_end_the_build() {
    let app =
        TestApp::with(Setup { options: |options| options.checks_timeout = Duration::ZERO, ..Setup::default() }).await;
    let instance = app.instance("demo").await;
    app.sites[0].set_healthy(false);
    let built = app.built(instance).await;
    assert_eq!(built["status"], "failed");
    assert!(failure(&built).starts_with("The application does not answer as it should: lms: 503"), "{built:#}");
    assert_eq!((outcome(&built, "reboot"), outcome(&built, "checks")), ("done".into(), "failed".into()));
    assert_eq!(built["checks"]["items"][0]["is_ok"], false);
    app.end().await;
}

#[tokio::test]
async fn the_checks_wait_for_a_slow_application() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.sites[0].set_healthy(false);
    let id = app.launched(instance).await;
    let asked = || app.sites[0].asked().len() >= 6;
    crate::app::until("the check is repeated", async || asked()).await;
    assert_eq!(app.read_app_server(id).await["progress"]["step"], "checks");
    app.sites[0].set_healthy(true);
    assert_eq!(app.until_built(id).await["status"], "running");
    app.end().await;
}

#[tokio::test]
async fn a_failed_build_does_not_affect_other_builds() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let active = app.running(instance).await;
    app.activate(active).await.expect(200);
    app.ansible.next_run_fails("lms : assets", "no space left");
    let failed = app.built(instance).await;
    assert_eq!(failed["status"], "failed");
    let read = app.read_instance(instance).await;
    assert_eq!((&read["active_appserver"]["id"], &read["newest_appserver"]["id"]), (&active.into(), &failed["id"]));
    assert_eq!(app.traffic.table()["demo.localhost"], Some(app.sites[0].address));
    assert_eq!(app.built(instance).await["status"], "running");
    app.end().await;
}
