//! One pull request through its whole life.

use ocim::pull_requests::github::{GithubError, PullRequestSaid};
use shared_types::pull_request::PullRequestState;

use super::{REPOSITORY, start};
use crate::app::github::PullSpec;

#[tokio::test]
async fn a_pull_request_is_read_through_its_life() {
    let (fake, github) = start().await;
    let spec =
        PullSpec { title: "Fix\tthe\r\n\u{202e}thing".into(), body: "one\r\ntwo\0".into(), ..PullSpec::default() };
    let number = fake.open_pull(REPOSITORY, spec);
    let read = async || github.pull_request(REPOSITORY, number).await.unwrap();
    let PullRequestSaid {
        repository, state, title, body, author, fork_name, branch_name, head_commit, updated, ..
    } = read().await;
    assert_eq!((repository.name.as_str(), repository.github_id), (REPOSITORY, fake.repository(REPOSITORY)));
    assert_eq!((title.as_str(), body.as_str(), author.as_str()), ("Fix the thing", "one\r\ntwo\0", "ada"));
    assert_eq!((fork_name.as_deref(), branch_name.as_str()), (Some("ada/edx-platform"), "feature"));
    assert_eq!((state, head_commit), (PullRequestState::Open, fake.head(REPOSITORY, number)));
    assert_eq!(updated, fake.updated(REPOSITORY, number));
    let pushed = fake.push(REPOSITORY, number);
    let after = read().await;
    assert!(after.head_commit == pushed && after.updated > updated);
    assert_eq!(fake.force_push(REPOSITORY, number), read().await.head_commit);
    fake.edit_title(REPOSITORY, number, "Another");
    fake.edit_body(REPOSITORY, number, "");
    fake.set_draft(REPOSITORY, number, true);
    let after = read().await;
    assert_eq!((after.title.as_str(), after.body.as_str(), after.is_draft), ("Another", "", true));
    fake.close(REPOSITORY, number);
    let after = read().await;
    assert_eq!((after.state, after.closed_at), (PullRequestState::Closed, Some(fake.now())));
    fake.reopen(REPOSITORY, number);
    assert_eq!((read().await.state, read().await.closed_at), (PullRequestState::Open, None));
    fake.delete_author(REPOSITORY, number);
    fake.delete_repository("ada/edx-platform");
    let after = read().await;
    assert_eq!((after.author.as_str(), after.fork_name), ("ghost", None));
    fake.merge(REPOSITORY, number);
    let after = read().await;
    assert_eq!((after.state, after.closed_at), (PullRequestState::Merged, Some(fake.now())));
    fake.stop().await;
}

#[tokio::test]
async fn a_renamed_repository_is_found_by_its_old_name() {
    let (fake, github) = start().await;
    let number = fake.open_pull(REPOSITORY, PullSpec::default());
    fake.rename_repository(REPOSITORY, "acme/lms");
    fake.rename_repository("acme/lms", "elsewhere/lms");
    let said = github.pull_request(REPOSITORY, number).await.unwrap();
    assert_eq!(said.repository.name, "elsewhere/lms");
    let paths: Vec<_> = fake.take_asked().into_iter().map(|asked| (asked.status, asked.path)).collect();
    let by_id = format!("/repositories/{}/pulls/{number}", said.repository.github_id);
    assert_eq!(paths, [(301, format!("/repos/{REPOSITORY}/pulls/{number}")), (200, by_id)]);
    assert_eq!(github.open(REPOSITORY).await.unwrap().len(), 1);
    // A write under the old name is refused, and not repeated under the new one.
    let refused = github.create_comment(REPOSITORY, number, "Hello").await.unwrap_err();
    assert!(matches!(&refused, GithubError::Refused { status: 307, words } if words.contains("another name")));
    github.create_comment("elsewhere/lms", number, "Hello").await.unwrap();
    // Another repository takes the old name, which belongs to it from now on.
    fake.repository(REPOSITORY);
    assert!(matches!(github.pull_request(REPOSITORY, number).await, Err(GithubError::NotFound(_))));
    assert!(github.pull_request("acme/lms", number).await.is_ok());
    fake.stop().await;
}

#[tokio::test]
async fn missing_pull_requests_and_invalid_names_are_not_found() {
    let (fake, github) = start().await;
    for (repository, number) in [(REPOSITORY, 7), ("acme/nothing", 1), ("acme/..", 1), ("acme", 1), ("a/b/../c", 1)] {
        let error = github.pull_request(repository, number).await.unwrap_err();
        assert_eq!(error, GithubError::NotFound(format!("pull request {number} of {repository}")));
    }
    assert_eq!(fake.asked().len(), 2, "names that GitHub does not give are not asked for");
    fake.stop().await;
}
