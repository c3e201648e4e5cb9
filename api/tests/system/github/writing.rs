//! Writing to GitHub: deployments, statuses, comments.

use ocim::pull_requests::github::{CommitState, DeploymentState, Github, GithubError};

use super::{REPOSITORY, settings, start};
use crate::app::github::PullSpec;

#[tokio::test]
async fn a_build_is_reported_as_a_deployment() {
    let (fake, github) = start().await;
    let number = fake.open_pull(REPOSITORY, PullSpec::default());
    let commit = fake.head(REPOSITORY, number);
    let environment = "pr1.sandbox & more";
    assert_eq!(github.find_deployment(REPOSITORY, &commit, environment).await, Ok(None));
    let id = github.create_deployment(REPOSITORY, &commit, environment, &"é".repeat(200)).await.unwrap();
    assert_eq!(github.find_deployment(REPOSITORY, &commit, environment).await, Ok(Some(id)));
    assert_eq!(github.find_deployment(REPOSITORY, &commit, "another").await, Ok(None));
    let (site, log) = ("https://pr1.example/", "https://ocim.example/app-servers/1");
    for state in [DeploymentState::Queued, DeploymentState::InProgress] {
        github.deployment_status(REPOSITORY, id, state, None, Some(log), "Building").await.unwrap();
    }
    for state in [DeploymentState::Success, DeploymentState::Failure, DeploymentState::Inactive] {
        github.deployment_status(REPOSITORY, id, state, Some(site), None, &"x".repeat(141)).await.unwrap();
    }
    let told = fake.deployments(REPOSITORY);
    assert_eq!((told.len(), told[0].environment.as_str(), told[0].description.chars().count()), (1, environment, 140));
    let states: Vec<_> = told[0].states.iter().map(|status| status.state.as_str()).collect();
    assert_eq!(states, ["queued", "in_progress", "success", "failure", "inactive"]);
    let status = &told[0].states[2];
    assert_eq!((status.environment_url.as_deref(), status.log_url.as_deref()), (Some(site), None));
    // After a forced push GitHub has garbage-collected the commit.
    fake.force_push(REPOSITORY, number);
    let gone = github.create_deployment(REPOSITORY, &commit, environment, "").await.unwrap_err();
    assert!(matches!(&gone, GithubError::Refused { status: 422, words } if words.contains("No ref found")), "{gone}");
    let gone = github.deployment_status(REPOSITORY, 1, DeploymentState::Success, None, None, "").await.unwrap_err();
    assert_eq!(gone, GithubError::NotFound(format!("deployment 1 of {REPOSITORY}")));
    fake.stop().await;
}

#[tokio::test]
async fn a_build_is_reported_as_a_commit_status() {
    let (fake, github) = start().await;
    let number = fake.open_pull(REPOSITORY, PullSpec::default());
    let commit = fake.head(REPOSITORY, number);
    let log = Some("https://ocim.example/app-servers/1");
    for state in [CommitState::Pending, CommitState::Success, CommitState::Failure] {
        github.commit_status(REPOSITORY, &commit, state, log, &"x".repeat(141), "ocim").await.unwrap();
    }
    github.commit_status(REPOSITORY, &commit, CommitState::Failure, None, "No", "ocim").await.unwrap();
    let told = fake.statuses(REPOSITORY);
    let states: Vec<_> = told.iter().map(|status| status.state.as_str()).collect();
    assert_eq!(states, ["pending", "success", "failure", "failure"]);
    assert_eq!(
        (told[0].target_url.as_deref(), told[3].target_url.as_deref(), told[0].description.len()),
        (log, None, 140)
    );
    let gone = "0".repeat(40);
    let error = github.commit_status(REPOSITORY, &gone, CommitState::Failure, None, "", "ocim").await.unwrap_err();
    assert!(matches!(error, GithubError::Refused { status: 422, .. }), "{error}");
    fake.stop().await;
}

#[tokio::test]
async fn a_comment_is_created_and_edited_and_not_found_once_deleted() {
    let (fake, github) = start().await;
    let number = fake.open_pull(REPOSITORY, PullSpec::default());
    let other = fake.open_pull(REPOSITORY, PullSpec::default());
    fake.comment(REPOSITORY, other, "ada", "on another one");
    for _ in 0..150 {
        fake.comment(REPOSITORY, number, "ada", "Nice");
    }
    let before = fake.updated(REPOSITORY, number);
    let id = github.create_comment(REPOSITORY, number, "<!-- ocim -->\nIt is building.").await.unwrap();
    assert!(fake.updated(REPOSITORY, number) > before);
    github.edit_comment(REPOSITORY, id, "<!-- ocim -->\nIt is running.").await.unwrap();
    let comments = github.comments(REPOSITORY, number).await.unwrap();
    assert_eq!(comments.len(), 151);
    assert_eq!((comments[150].id, comments[150].body.as_str()), (id, "<!-- ocim -->\nIt is running."));
    assert_eq!(fake.comments(REPOSITORY, number)[150].edits, 1);
    fake.delete_comment(REPOSITORY, id);
    let gone = github.edit_comment(REPOSITORY, id, "Again").await.unwrap_err();
    assert_eq!(gone, GithubError::NotFound(format!("comment {id} on {REPOSITORY}")));
    // Of a flood of comments, a limited number is read.
    fake.set_page(10);
    assert_eq!(github.comments(REPOSITORY, number).await.unwrap().len(), 100);
    fake.stop().await;
}

#[tokio::test]
async fn writing_without_permission_is_refused() {
    let (fake, github) = start().await;
    let number = fake.open_pull(REPOSITORY, PullSpec::default());
    fake.set_read_only(true);
    let error = github.create_comment(REPOSITORY, number, "Hello").await.unwrap_err();
    assert!(matches!(&error, GithubError::Refused { status: 403, words } if words.contains("not accessible")));
    let anonymous = Github::new(&settings(&fake.base)).unwrap();
    assert!(!anonymous.can_write() && github.can_write());
    assert!(anonymous.pull_request(REPOSITORY, number).await.is_ok());
    let error = anonymous.create_comment(REPOSITORY, number, "Hello").await.unwrap_err();
    assert!(matches!(error, GithubError::Refused { status: 401, .. }), "{error}");
    fake.stop().await;
}
