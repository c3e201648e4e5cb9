//! The mail about a failed build: one per build, with the log, retried while the mail server is unavailable.

use ocim::ansible::fake::FakeEnd;
use ocim::ansible::port::{AnsibleError, RunOutcome};
use ocim::git::port::GitError;
use ocim::instances::upkeep::courier;
use ocim::machines::providers::fake::FakeCreate;
use ocim::platform::logs::{self, About, Line};
use ocim::platform::mail::MailError;
use serde_json::json;
use shared_types::{AppServerId, InstanceId};

use crate::app::{Setup, TestApp, until};

const OWED: &str = "SELECT count(*) AS n FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL";

/// Makes the next attempt due now.
async fn hurry(app: &TestApp) {
    app.execute("UPDATE outbox SET due = now() WHERE sent_at IS NULL AND given_up_at IS NULL").await;
}

/// Does what every worker does every two seconds.
async fn deliver(app: &TestApp) {
    courier::deliver(&app.manager).await.unwrap();
}

#[tokio::test]
async fn a_failed_playbook_is_mailed_once_with_its_log() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("lms : migrate", "no such table: users");
    app.built(instance).await;
    until("the mail is sent", async || app.mailer.sent().len() == 1 && app.number(OWED).await == 0).await;
    let mail = app.mailer.sent().remove(0);
    assert_eq!(mail.subject, "AppServer AppServer 1 (Instance demo) failed to provision");
    assert_eq!(
        mail.text,
        "AppServer AppServer 1 for Instance Instance demo failed to provision.\n\
         Reason: AppServer deploy failed: Ansible play exited with non-zero exit code\n\n\
         lms : migrate: no such table: users\n\n/instances/1/app-servers/1\n"
    );
    let installation = app.text("SELECT id AS text FROM installation").await;
    assert_eq!(mail.id, format!("app-server-1@{installation}"));
    let attachment = mail.attachment.unwrap();
    assert_eq!(attachment.name, "provision.log");
    let written = app.viewer().await.get("/api/v1/app-servers/1/logs?format=text").await.body;
    assert_eq!(attachment.text, written);
    // Delivering again sends no second one.
    deliver(&app).await;
    assert_eq!(app.mailer.tries(), 1);
    app.end().await;
}

#[tokio::test]
async fn each_kind_of_failure_is_mailed_with_its_reason() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let started = "Unable to start a server";
    let exited = "AppServer deploy failed: Ansible play exited with non-zero exit code";
    let loaded = "AppServer deploy failed: the configuration cannot be loaded";
    app.git.next_resolve(Err(GitError::Permanent("no such branch".to_owned())));
    app.built(instance).await;
    app.ansible.next_run(FakeEnd::Outcome(RunOutcome::LineTimeout));
    app.built(instance).await;
    app.ansible.next_prepare_fails(AnsibleError::Permanent("no such playbook".to_owned()));
    app.built(instance).await;
    app.provider.next_create(FakeCreate::Failed("No valid host was found".to_owned()));
    app.built(instance).await;
    deliver(&app).await;
    for (id, reason) in [(1, loaded), (2, exited), (3, loaded), (4, started)] {
        let wanted = format!("AppServer AppServer {id} for");
        let text = app.mailer.sent().into_iter().find(|mail| mail.text.starts_with(&wanted)).unwrap().text;
        assert!(text.contains(&format!("Reason: {reason}\n")), "{text}");
    }
    app.running(instance).await;
    assert_eq!(app.number(OWED).await, 0, "what runs owes no mail");
    app.end().await;
}

#[tokio::test]
async fn an_unavailable_mail_server_is_retried_for_a_day() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("a", "b");
    app.built(instance).await;
    for n in 1..=30 {
        app.mailer.next_fails(MailError::Away("connection refused".to_owned()));
        hurry(&app).await;
        deliver(&app).await;
        assert_eq!((app.mailer.tries(), app.number(OWED).await), (n, i64::from(n < 30)));
        // Before the next attempt is due, nothing is sent.
        deliver(&app).await;
        assert_eq!(app.mailer.tries(), n);
    }
    let words = "The mail about this failure could not be sent, and is given up: connection refused";
    assert!(app.log_says(1, words).await);
    assert_eq!(app.mailer.sent(), []);
    app.end().await;
}

#[tokio::test]
async fn failed_mail_is_retried_and_refused_mail_is_not() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.mailer.next_fails(MailError::Away("try later".to_owned()));
    app.ansible.next_run_fails("a", "b");
    app.built(instance).await;
    until("the mail was tried", async || app.mailer.tries() == 1).await;
    until("the next try is written down", async || {
        app.number(
            "SELECT count(*) AS n FROM outbox WHERE last_error = 'try later' AND due < now() + interval '2 minutes'",
        )
        .await
            == 1
    })
    .await;
    hurry(&app).await;
    until("the mail is sent", async || app.mailer.sent().len() == 1 && app.number(OWED).await == 0).await;
    app.mailer.next_fails(MailError::Refused("550 no such mailbox".to_owned()));
    app.ansible.next_run_fails("a", "b");
    app.built(instance).await;
    until("the mail is given up", async || app.number(OWED).await == 0).await;
    assert!(app.log_says(2, "550 no such mailbox").await);
    assert_eq!((app.mailer.tries(), app.mailer.sent().len()), (3, 1));
    app.end().await;
}

#[tokio::test]
async fn concurrent_deliveries_send_one_mail() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("a", "b");
    app.built(instance).await;
    let sent = futures::future::join_all((0..8).map(|_| courier::deliver(&app.manager))).await;
    assert!(sent.into_iter().all(|one| one.is_ok()));
    assert_eq!((app.mailer.tries(), app.mailer.sent().len()), (1, 1));
    app.end().await;
}

#[tokio::test]
async fn without_administrators_no_failure_mail_is_owed() {
    let app = TestApp::with(Setup { mailer: Some(None), ..Setup::default() }).await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("a", "b");
    assert_eq!(app.built(instance).await["status"], "failed");
    assert_eq!(app.number(OWED).await, 0);
    // Mail that was owed when ADMINS was still set, recorded by this version and by the one before.
    app.execute("INSERT INTO outbox (kind, payload) VALUES ('build_failed', '{\"app_server_id\": 1}')").await;
    app.execute("UPDATE builds SET mail_owed = true").await;
    let owed = format!("{OWED} OR EXISTS (SELECT 1 FROM builds WHERE mail_owed)");
    until("the mail is not owed any more", async || app.number(&owed).await == 0).await;
    assert_eq!(app.mailer.tries(), 0);
    app.end().await;
}

#[tokio::test]
async fn names_cannot_inject_mail_headers() {
    let app = TestApp::idle().await;
    let name = "A \"quoted\"\r\nBcc: evil@example.com\u{202e} gnp.exe\u{2028}name";
    let body = json!({ "name": name, "sub_domain": "demo" });
    let instance = app.operator().await.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap();
    app.ansible.next_run_fails("a", "b");
    app.built(instance).await;
    deliver(&app).await;
    let mail = app.mailer.sent().remove(0);
    let harmless = "A \"quoted\" Bcc: evil@example.com gnp.exe name";
    assert_eq!(mail.subject, format!("AppServer AppServer 1 ({harmless}) failed to provision"));
    assert!(mail.text.starts_with(&format!("AppServer AppServer 1 for Instance {harmless} failed to provision.\n")));
    app.end().await;
}

#[tokio::test]
async fn an_attached_log_over_the_limit_is_cut_at_its_beginning() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("a", "b");
    app.built(instance).await;
    let about = About::AppServer(InstanceId(instance), AppServerId(1));
    let lines: Vec<Line> = (0..600).map(|n| Line::info(format!("{n} {}", "w".repeat(10_000)))).collect();
    logs::append(&mut *app.conn().await, about, &lines).await.unwrap();
    deliver(&app).await;
    let log = app.mailer.sent().remove(0).attachment.unwrap().text;
    assert!(log.len() <= (5 << 20) + 100 && log.len() > 4 << 20, "{}", log.len());
    let (first, rest) = log.split_once('\n').unwrap();
    let cut: i64 = first
        .strip_prefix("(What was logged before is cut off: entries 1 to ")
        .unwrap()
        .strip_suffix(".)")
        .unwrap()
        .parse()
        .unwrap();
    let last = app.number("SELECT last_seq AS n FROM log_counters").await;
    assert_eq!(i64::try_from(rest.lines().count()).unwrap(), last - cut);
    assert!(rest.lines().last().unwrap().contains(" 599 w"));
    app.end().await;
}

#[tokio::test]
async fn each_attempt_has_a_mail_of_its_own() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("a", "b");
    app.ansible.next_run_fails("a", "b");
    let body = json!({ "num_attempts": 2 });
    app.operator().await.post(&format!("/api/v1/instances/{instance}/app-servers"), body).await.expect(202);
    app.until_built(1).await;
    until("both mails are sent", async || app.mailer.sent().len() == 2 && app.number(OWED).await == 0).await;
    let ids: std::collections::BTreeSet<String> = app.mailer.sent().into_iter().map(|mail| mail.id).collect();
    assert_eq!(ids.len(), 2);
    app.until_built(2).await;
    app.end().await;
}

#[tokio::test]
async fn mail_owed_by_the_version_before_is_sent_once() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("a", "b");
    app.built(instance).await;
    until("the mail is sent", async || app.number(OWED).await == 0).await;
    // Rows of the version before: one owed mail with its job, and one that its worker is sending now.
    app.execute("DELETE FROM outbox").await;
    app.ansible.next_run_fails("a", "b");
    app.built(instance).await;
    until("the mail is sent", async || app.number(OWED).await == 0).await;
    app.execute("DELETE FROM outbox").await;
    app.execute("UPDATE builds SET mail_owed = true, mail_tries = 3 WHERE app_server_id = 1").await;
    app.execute("UPDATE builds SET mail_owed = true, mail_due = now() + interval '10 minutes' WHERE app_server_id = 2")
        .await;
    app.execute(
        "SELECT graphile_worker.add_job('SendFailureMail', payload => '{\"id\": 1}', job_key => 'send_failure_mail:1')",
    )
    .await;
    until("the mail is sent again", async || app.mailer.sent().len() == 3 && app.number(OWED).await == 0).await;
    assert_eq!(app.number("SELECT tries::bigint AS n FROM outbox").await, 4, "its tries count on");
    assert_eq!(app.number("SELECT count(*) AS n FROM builds WHERE mail_owed").await, 1, "the one being sent stays");
    let ids: Vec<String> = app.mailer.sent().into_iter().map(|mail| mail.id).collect();
    assert_eq!(ids[0], ids[2], "a second copy is recognised as one");
    app.end().await;
}

#[tokio::test]
async fn a_message_of_an_unknown_kind_is_given_up_and_stays_visible() {
    let app = TestApp::idle().await;
    app.execute("INSERT INTO outbox (kind, payload) VALUES ('telegram', '{}')").await;
    deliver(&app).await;
    let error = app.text("SELECT last_error AS text FROM outbox WHERE given_up_at IS NOT NULL").await;
    assert!(error.contains("unknown kind telegram"), "{error}");
    app.end().await;
}
