//! Teams: cached for a limited time, and then revalidated.

use std::collections::HashSet;

use ocim::pull_requests::github::GithubError;

use super::{hasty, start};

fn set(logins: &[&str]) -> HashSet<String> {
    logins.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_team_is_asked_for_once_and_its_logins_have_no_case() {
    let (fake, github) = start().await;
    fake.set_team("Acme", "Owners", &["Ada", "grace"]);
    assert_eq!(*github.members("acme", "owners").await.unwrap(), set(&["ada", "grace"]));
    fake.set_team("Acme", "Owners", &["ada"]);
    let (one, other) = tokio::join!(github.members("ACME", "owners"), github.members("acme", "owners"));
    assert_eq!(*one.unwrap(), set(&["ada", "grace"]));
    assert_eq!(*other.unwrap(), set(&["ada", "grace"]));
    assert_eq!(fake.asked().len(), 1);
    for (organization, team) in [("acme", "others"), ("acme", "../owners"), ("", "owners"), ("acme", "..")] {
        let error = github.members(organization, team).await.unwrap_err();
        assert_eq!(error, GithubError::NotFound(format!("the team {organization}/{team}")));
    }
    assert_eq!(fake.asked().len(), 2);
    fake.stop().await;
}

#[tokio::test]
async fn only_changed_pages_of_an_expired_team_are_read_again() {
    let (fake, _) = start().await;
    let github = hasty(&fake.base, 5000);
    fake.set_page(2);
    fake.set_team("acme", "owners", &["a", "b", "c", "d", "e"]);
    assert_eq!(github.members("acme", "owners").await.unwrap().len(), 5);
    fake.take_asked();
    let left = fake.left();
    assert_eq!(github.members("acme", "owners").await.unwrap().len(), 5);
    assert_eq!((fake.left(), fake.take_asked().len()), (left, 3));
    // The first page has not changed; a member of the second one was replaced.
    fake.set_team("acme", "owners", &["a", "b", "c", "x", "e"]);
    assert_eq!(*github.members("acme", "owners").await.unwrap(), set(&["a", "b", "c", "x", "e"]));
    let statuses: Vec<_> = fake.take_asked().iter().map(|asked| asked.status).collect();
    assert_eq!(statuses, [304, 200, 304]);
    // A cached list grants no trust if GitHub does not answer or the team was deleted.
    fake.fail_next(1, 503);
    assert!(matches!(github.members("acme", "owners").await, Err(GithubError::Unavailable(_))));
    assert_eq!(github.members("acme", "owners").await.unwrap().len(), 5);
    fake.delete_team("acme", "owners");
    assert!(matches!(github.members("acme", "owners").await, Err(GithubError::NotFound(_))));
    fake.stop().await;
}
