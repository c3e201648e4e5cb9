//! Lists: pages, ETags, rate limits between pages.

use ocim::pull_requests::github::{Changes, Github, GithubError, Listed};

use super::{REPOSITORY, start};
use crate::app::github::{FakeGithub, PullSpec};

fn open(fake: &FakeGithub, count: usize) -> Vec<i32> {
    (0..count).map(|_| fake.open_pull(REPOSITORY, PullSpec::default())).collect()
}

async fn changes(github: &Github, since: Option<Listed>, etag: Option<&str>) -> Option<(Vec<i32>, String)> {
    match github.changes(REPOSITORY, since.map(|listed| listed.updated), etag).await.unwrap() {
        Changes::None => None,
        Changes::Some { listed, etag } => Some((listed.iter().map(|one| one.number).collect(), etag.unwrap())),
    }
}

#[tokio::test]
async fn every_page_is_read_and_each_is_listed_once() {
    let (fake, github) = start().await;
    let numbers = open(&fake, 205);
    fake.close(REPOSITORY, 3);
    let listed = github.open(REPOSITORY).await.unwrap();
    let open: Vec<_> = numbers.iter().copied().filter(|number| *number != 3).collect();
    assert_eq!(listed.iter().map(|one| one.number).collect::<Vec<_>>(), open);
    let pages: Vec<_> = fake.take_asked().into_iter().map(|asked| asked.path).collect();
    assert_eq!(pages.len(), 3);
    assert!(pages[0].ends_with("state=open&sort=created&direction=asc&per_page=100"), "{}", pages[0]);
    assert!(pages[2].starts_with("/repositories/") && pages[2].ends_with("&page=3"), "{}", pages[2]);
    let (all, _) = changes(&github, None, None).await.unwrap();
    assert_eq!((all.len(), all[0], all[204]), (205, 3, 1));
    fake.stop().await;
}

#[tokio::test]
async fn a_list_stops_at_older_changes_and_equal_times_count_as_new() {
    let (fake, github) = start().await;
    fake.set_page(10);
    open(&fake, 35);
    let listed = match github.changes(REPOSITORY, None, None).await.unwrap() {
        Changes::Some { listed, .. } => listed,
        Changes::None => unreachable!(),
    };
    assert_eq!(fake.take_asked().len(), 4);
    fake.edit_body(REPOSITORY, 2, "x");
    let (new, _) = changes(&github, Some(listed[0]), None).await.unwrap();
    assert_eq!(new, [2, 35]);
    assert_eq!(fake.take_asked().len(), 1);
    // Twelve have changed: the second page must be read, the third must not.
    let (new, _) = changes(&github, Some(listed[11]), None).await.unwrap();
    assert_eq!((new.len(), fake.take_asked().len()), (13, 2));
    fake.stop().await;
}

#[tokio::test]
async fn an_unchanged_list_does_not_count_against_the_rate_limit() {
    let (fake, github) = start().await;
    open(&fake, 3);
    let (_, etag) = changes(&github, None, None).await.unwrap();
    assert!(etag.starts_with("W/\""), "{etag}");
    let left = fake.left();
    for _ in 0..5 {
        assert_eq!(changes(&github, None, Some(&etag)).await, None);
    }
    assert_eq!(fake.left(), left);
    assert!(fake.asked().iter().skip(1).all(|asked| asked.is_conditional && asked.status == 304));
    fake.push(REPOSITORY, 2);
    let (new, other) = changes(&github, None, Some(&etag)).await.unwrap();
    assert_eq!(new, [2, 3, 1]);
    assert_ne!(other, etag);
    assert_eq!(fake.left(), left - 1);
    // An ETag that is not valid in a header is ignored.
    assert!(changes(&github, None, Some("\n")).await.is_some());
    fake.stop().await;
}

#[tokio::test]
async fn a_rate_limit_within_a_list_discards_the_list() {
    let (fake, github) = start().await;
    fake.set_page(10);
    open(&fake, 35);
    fake.limit(2, 30);
    let before = chrono::Utc::now();
    let error = github.changes(REPOSITORY, None, None).await.unwrap_err();
    let GithubError::Paused { until, words } = error else { panic!("{error}") };
    assert!((28..=32).contains(&(until - before).num_seconds()), "{until}");
    assert!(words.contains("rate limit exceeded"), "{words}");
    assert_eq!(fake.asked().len(), 3);
    fake.limit(5000, 3600);
    assert_eq!(changes(&github, None, None).await.unwrap().0.len(), 35);
    fake.stop().await;
}
