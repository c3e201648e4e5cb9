//! GitHub says no, has something no more, or wants to be left alone.

use ocim::pull_requests::store::reports;
use serde_json::Value;

use super::doorman::Doorman;
use super::{
    ALL, REPO, forget, ours, statuses, telling_all, trouble, until_deployed, until_said, until_status, watching,
};
use crate::app::github::{FakeGithub, PullSpec};
use crate::app::{number, until};

#[tokio::test]
async fn a_refusal_of_one_kind_keeps_no_other_from_being_told() {
    let github = FakeGithub::start().await;
    let doorman = Doorman::before(&github.base).await;
    doorman.refuse("/statuses/");
    let app = watching(&github, &doorman.base, ALL, None).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    let commit = github.head(REPO, pull);
    until_deployed(&github, 0, "success").await;
    until_said(&github, pull, "has the traffic").await;
    until("it is shown", async || trouble(&app).await.to_string().contains("Resource not accessible")).await;
    assert!(statuses(&github, &commit).is_empty());
    // It is left alone until its time comes.
    until("the last one ended", async || {
        let mut conn = app.conn().await;
        reports::due(&mut conn).await.unwrap().is_empty()
            && number(&mut conn, "SELECT count(*) AS n FROM pull_requests WHERE report_after > now()").await == 1
    })
    .await;
    doorman.refuse("nothing");
    app.execute("UPDATE pull_requests SET report_after = now()").await;
    until_status(&github, &commit, "success").await;
    until("the trouble is over", async || trouble(&app).await == Value::Null).await;
    assert_eq!((github.deployments(REPO).len(), ours(&github, pull).len()), (1, 1));
    doorman.stop().await;
    app.end().await;
}

#[tokio::test]
async fn what_is_gone_is_no_endless_loop() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    until_deployed(&github, 0, "success").await;
    until_said(&github, pull, "has the traffic").await;
    github.delete_repository(REPO);
    forget(&app).await;
    until("it is shown", async || trouble(&app).await.to_string().contains("GitHub has no")).await;
    until("the last one ended", async || reports::due(&mut *app.conn().await).await.unwrap().is_empty()).await;
    assert_eq!(app.number("SELECT count(*) AS n FROM pull_requests WHERE report_after > now()").await, 1);
    app.end().await;
}

#[tokio::test]
async fn a_pause_is_waited_for() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    until_said(&github, pull, "has the traffic").await;
    until_deployed(&github, 0, "success").await;
    github.secondary_limit(Some(Some(1)));
    forget(&app).await;
    until("it is paused", async || app.number("SELECT count(*) AS n FROM github_pause").await == 1).await;
    github.secondary_limit(None);
    until("all is known again", async || {
        app.number("SELECT count(comment_id) AS n FROM pull_requests WHERE reported_of IS NOT NULL").await == 1
    })
    .await;
    assert_eq!((github.deployments(REPO).len(), ours(&github, pull).len()), (1, 1));
    assert_eq!(trouble(&app).await, Value::Null);
    app.end().await;
}
