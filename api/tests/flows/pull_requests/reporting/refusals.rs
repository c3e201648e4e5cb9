//! GitHub refuses reports, no longer has the repository, or limits the rate.

use ocim::pull_requests::store::reports;
use serde_json::Value;

use super::doorman::Doorman;
use super::{
    ALL, REPO, forget, ours, statuses, telling_all, trouble, until_deployed, until_said, until_status, watching,
};
use crate::app::github::{FakeGithub, PullSpec};
use crate::app::{number, until};

#[tokio::test]
async fn a_refused_kind_of_report_does_not_block_other_kinds() {
    let github = FakeGithub::start().await;
    let doorman = Doorman::before(&github.base).await;
    doorman.refuse("/statuses/");
    let app = watching(&github, &doorman.base, ALL, None).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    let commit = github.head(REPO, pull);
    until_deployed(&github, 0, "success").await;
    until_said(&github, pull, "has the traffic").await;
    until("the error is shown", async || trouble(&app).await.to_string().contains("Resource not accessible")).await;
    assert!(statuses(&github, &commit).is_empty());
    // There is no further attempt before `report_after`.
    until("the reports ended", async || {
        let mut conn = app.conn().await;
        reports::due(&mut conn, &app.manager.code_references()).await.unwrap().is_empty()
            && number(&mut conn, "SELECT count(*) AS n FROM pull_requests WHERE report_after > now()").await == 1
    })
    .await;
    doorman.refuse("nothing");
    app.execute("UPDATE pull_requests SET report_after = now()").await;
    until_status(&github, &commit, "success").await;
    until("the error is cleared", async || trouble(&app).await == Value::Null).await;
    assert_eq!((github.deployments(REPO).len(), ours(&github, pull).len()), (1, 1));
    doorman.stop().await;
    app.end().await;
}

#[tokio::test]
async fn reports_to_a_deleted_repository_are_not_repeated_at_once() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    until_deployed(&github, 0, "success").await;
    until_said(&github, pull, "has the traffic").await;
    github.delete_repository(REPO);
    forget(&app).await;
    until("the error is shown", async || trouble(&app).await.to_string().contains("GitHub has no")).await;
    until("the reports ended", async || {
        reports::due(&mut *app.conn().await, &app.manager.code_references()).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(app.number("SELECT count(*) AS n FROM pull_requests WHERE report_after > now()").await, 1);
    app.end().await;
}

#[tokio::test]
async fn reports_wait_for_the_end_of_a_rate_limit() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    until_said(&github, pull, "has the traffic").await;
    until_deployed(&github, 0, "success").await;
    github.secondary_limit(Some(Some(1)));
    forget(&app).await;
    until("the pause began", async || app.number("SELECT count(*) AS n FROM github_pause").await == 1).await;
    github.secondary_limit(None);
    until("the reports are recorded again", async || {
        app.number("SELECT count(comment_id) AS n FROM pull_requests WHERE reported_of IS NOT NULL").await == 1
    })
    .await;
    assert_eq!((github.deployments(REPO).len(), ours(&github, pull).len()), (1, 1));
    assert_eq!(trouble(&app).await, Value::Null);
    app.end().await;
}
