//! Machines that are slow, refused, lost, or that do not answer.

use std::time::Duration;

use ocim::machines::provider::ProviderError;
use ocim::machines::providers::fake::FakeCreate;
use serde_json::Value;
use shared_types::ServerId;

use crate::app::{Setup, TestApp};

fn failure(app_server: &Value) -> &str {
    app_server["failure"].as_str().unwrap()
}

#[tokio::test]
async fn a_create_that_the_provider_refuses_ends_the_build_with_its_message() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.next_create(FakeCreate::Refused(ProviderError::Permanent("Quota exceeded for cores".to_owned())));
    let built = app.built(instance).await;
    assert_eq!(
        (&built["status"], failure(&built)),
        (&"error".into(), "Unable to start a server: Quota exceeded for cores")
    );
    assert_eq!(app.ansible.calls().run, 0);
    app.end().await;
}

#[tokio::test]
async fn a_machine_that_the_provider_fails_ends_the_build_with_its_message() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.next_create(FakeCreate::Failed("No valid host was found".to_owned()));
    let built = app.built(instance).await;
    assert_eq!(
        (&built["status"], failure(&built)),
        (&"error".into(), "Unable to start a server: No valid host was found")
    );
    assert_eq!(built["server"]["status"], "failed");
    app.end().await;
}

#[tokio::test]
async fn an_unavailable_provider_is_retried() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    for _ in 0..3 {
        app.provider.next_create(FakeCreate::Refused(ProviderError::Transient("503 Service Unavailable".to_owned())));
    }
    let built = app.built(instance).await;
    assert_eq!(built["status"], "running");
    assert_eq!((app.provider.calls().create, app.provider.machines().len()), (4, 1));
    let told = app.log(1).await.into_iter().filter(|line| line.contains("503 Service Unavailable")).count();
    assert_eq!(told, 1, "the same words are told once");
    app.end().await;
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_makes_no_second_machine() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.next_create(FakeCreate::AnswerLost);
    assert_eq!(app.built(instance).await["status"], "running");
    assert_eq!((app.provider.calls().create, app.provider.machines().len()), (1, 1));
    app.end().await;
}

#[tokio::test]
async fn a_build_waits_for_a_slow_machine() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.next_create(FakeCreate::Slow(5));
    assert_eq!(app.built(instance).await["status"], "running");
    app.end().await;
}

#[tokio::test]
async fn a_machine_that_never_answers_ssh_ends_the_build_when_its_time_is_over() {
    let setup = Setup { options: |options| options.machine_timeout = Duration::from_millis(300), ..Setup::default() };
    let app = TestApp::with(setup).await;
    let instance = app.instance("demo").await;
    app.provider.set_answers_ssh(false);
    let built = app.built(instance).await;
    let words = "Unable to start a server: no SSH within the time allowed";
    assert_eq!((&built["status"], failure(&built)), (&"error".into(), words));
    assert_eq!(built["server"]["status"], "booting");
    app.end().await;
}

#[tokio::test]
async fn a_machine_that_does_not_restart_ends_the_build() {
    let setup = Setup { options: |options| options.reboot_timeout = Duration::from_millis(300), ..Setup::default() };
    let app = TestApp::with(setup).await;
    let instance = app.instance("demo").await;
    app.provider.set_restarts(false);
    let built = app.built(instance).await;
    assert_eq!(
        (&built["status"], failure(&built)),
        (&"failed".into(), "The VM did not come up again after the reboot")
    );
    assert_eq!(app.sites[0].asked().len(), 0, "an application that did not restart is not asked");
    app.end().await;
}

#[tokio::test]
async fn a_machine_that_vanishes_ends_the_build() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.set_answers_ssh(false);
    let id = app.launched(instance).await;
    crate::app::until("a VM boots", async || app.read_app_server(id).await["server"]["status"] == "booting").await;
    app.provider.lose(ServerId(1));
    let built = app.until_built(id).await;
    assert_eq!(built["status"], "error");
    assert!(failure(&built).starts_with("Unable to start a server: VM edxapp-demo-1 is terminated"), "{built:#}");
    app.end().await;
}

#[tokio::test]
async fn playbooks_wait_for_the_end_of_the_first_boot_and_get_the_providers_python() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.set_first_boot(Some("cloud-init"));
    let id = app.launched(instance).await;
    let words = |what: &str| format!("The VM lets us in; waiting for the end of its {what}");
    crate::app::until("it waits for cloud-init", async || app.log_says(id, &words("cloud-init")).await).await;
    app.provider.set_first_boot(Some("apt"));
    crate::app::until("it waits for apt", async || app.log_says(id, &words("apt")).await).await;
    let read = app.read_app_server(id).await;
    assert_eq!((&read["status"], app.ansible.calls().run), (&"waiting".into(), 0), "{read:#}");
    app.provider.set_first_boot(None);
    assert_eq!(app.until_built(id).await["status"], "running");
    assert_eq!(app.log(id).await.iter().filter(|line| line.starts_with("The VM lets us in")).count(), 2);
    let specs = app.ansible.specs();
    assert_eq!(specs.last().and_then(|spec| spec.target.python.as_deref()), Some("/usr/bin/python3"));
    app.end().await;
}

#[tokio::test]
async fn a_first_boot_that_does_not_end_ends_the_build_when_its_time_is_over() {
    let setup = Setup { options: |options| options.machine_timeout = Duration::from_millis(300), ..Setup::default() };
    let app = TestApp::with(setup).await;
    let instance = app.instance("demo").await;
    app.provider.set_first_boot(Some("apt"));
    let built = app.built(instance).await;
    let words = "Unable to start a server: apt did not end within the time allowed";
    assert_eq!((&built["status"], failure(&built)), (&"error".into(), words));
    app.end().await;
}
