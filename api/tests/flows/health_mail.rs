//! Mail to ADMINS about instances that fail and that recover.

use ocim::instances::health::{self, checks};
use ocim::instances::upkeep::courier;
use ocim::platform::mail::Message;
use serde_json::json;
use shared_types::AppServerId;

use crate::app::{Setup, TestApp};

/// Two instances with working sites.
async fn world(app: &TestApp) -> [i64; 2] {
    let mut ids = [0; 2];
    for (id, name) in ids.iter_mut().zip(["one", "two"]) {
        let instance = app.instance(name).await;
        *id = app.running(instance).await;
        app.operator().await.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.expect(202);
    }
    ids
}

/// Checks both twice; the time between two failed checks is simulated.
async fn check(app: &TestApp, ids: [i64; 2]) {
    for id in ids {
        checks::check(&app.manager, AppServerId(id)).await.unwrap();
        // Makes the first failed check old enough for the second one to count.
        app.execute(
            "UPDATE instance_health SET checked_at = checked_at - interval '10 seconds', suspects = coalesce( \
                (SELECT jsonb_object_agg(key, now() - interval '10 seconds') FROM jsonb_object_keys(suspects) AS key), '{}')",
        )
        .await;
        checks::check(&app.manager, AppServerId(id)).await.unwrap();
    }
}

/// Does what every worker does every two seconds. Gives the newly sent messages.
async fn mail(app: &TestApp) -> Vec<Message> {
    let before = app.mailer.sent().len();
    health::mail::owe(&app.manager).await.unwrap();
    courier::deliver(&app.manager).await.unwrap();
    app.mailer.sent().split_off(before)
}

#[tokio::test]
async fn one_mail_a_minute_names_everything_that_changed() {
    let app = TestApp::idle().await;
    let ids = world(&app).await;
    assert_eq!(mail(&app).await, [], "that something works is no news");
    app.sites[0].set_healthy(false);
    app.sites[1].set_studio_ill(true);
    check(&app, ids).await;
    let first = mail(&app).await.remove(0);
    assert_eq!(first.subject, "Health of instances: 1 down, 1 degraded");
    assert!(
        first.text.contains("Instance one (one.localhost) is down: lms, studio (lms: 503; studio: 503)\n"),
        "{}",
        first.text
    );
    assert!(first.text.contains("Instance two (two.localhost) is degraded: studio (studio: 503)\n"), "{}", first.text);
    let installation = app.text("SELECT id AS text FROM installation").await;
    assert_eq!(first.id, format!("health-1@{installation}"));
    // Changes within the minute wait, and are sent in one mail.
    app.sites[0].set_healthy(true);
    check(&app, ids).await;
    assert_eq!(mail(&app).await, []);
    app.sites[1].set_studio_ill(false);
    check(&app, ids).await;
    let (one, other) = tokio::join!(mail(&app), mail(&app));
    assert_eq!((one.len(), other.len()), (0, 0));
    app.execute("UPDATE health_watch SET mailed_at = now() - interval '60 seconds'").await;
    let owed = futures::future::join_all((0..4).map(|_| health::mail::owe(&app.manager))).await;
    assert!(owed.iter().all(Result::is_ok));
    let second = mail(&app).await;
    assert_eq!(second.len(), 1, "of several processes one writes it");
    assert_eq!(second[0].subject, "Health of instances: 2 back");
    assert!(second[0].text.contains("Instance one (one.localhost) is back after "), "{}", second[0].text);
    app.end().await;
}

#[tokio::test]
async fn stale_checks_are_mailed_once_in_one_line() {
    let app = TestApp::idle().await;
    world(&app).await;
    health::stale::beat(&app.manager).await.unwrap();
    assert_eq!(mail(&app).await, [], "the first checks are no news");
    app.execute("UPDATE health_watch SET fresh_until = now(), trouble = 'the gateway does not answer'").await;
    for _ in 0..2 {
        health::stale::tell_stale(&app.manager).await.unwrap();
    }
    let sent = mail(&app).await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].subject, "No site is checked any more: the health of every instance is unknown");
    assert!(sent[0].text.ends_with("unknown (the gateway does not answer)\n"), "{}", sent[0].text);
    health::stale::beat(&app.manager).await.unwrap();
    app.execute("UPDATE health_watch SET mailed_at = now() - interval '60 seconds'").await;
    assert_eq!(mail(&app).await[0].subject, "Sites are checked again");
    app.end().await;
}

#[tokio::test]
async fn without_administrators_no_health_mail_is_written() {
    let app = TestApp::with(Setup { works: false, mailer: Some(None), ..Setup::default() }).await;
    let ids = world(&app).await;
    app.sites[0].set_healthy(false);
    check(&app, ids).await;
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_health WHERE state = 'down'").await, 1);
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_health_changes WHERE is_mail_owed").await, 0);
    // A mail that was owed when ADMINS was still set.
    app.execute("UPDATE instance_health_changes SET is_mail_owed = true").await;
    mail(&app).await;
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_health_changes WHERE is_mail_owed").await, 0);
    assert_eq!((app.mailer.tries(), app.number("SELECT count(*) AS n FROM outbox").await), (0, 0));
    app.end().await;
}
